import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

/** Helpers of the tests of src/sys. */

const SYS = path.join(import.meta.dirname, "../../src/sys");

/** The user nobody, which has no privileges. */
export const NOBODY = 65_534;

export const isRoot = process.getuid?.() === 0;

/** A directory for one test; it is removed at the end of the test. */
export function temporaryDirectory(
  context: { after: (end: () => void) => void },
  parent = os.tmpdir(),
): string {
  const directory = fs.mkdtempSync(path.join(parent, "makuosan-sys-"));
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A descriptor that is closed at the end of a test. */
export function opened(
  context: { after: (end: () => void) => void },
  name: string,
  flags: string | number = "r",
): number {
  const descriptor = fs.openSync(name, flags);
  context.after(() => fs.closeSync(descriptor));
  return descriptor;
}

/** The code of the error that a function throws; undefined if it throws none. */
export function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** Runs a function as the user nobody, with none of root's capabilities. */
export function asNobody<T>(action: () => T): T {
  process.seteuid?.(NOBODY);
  try {
    return action();
  } finally {
    process.seteuid?.(0);
  }
}

/**
 * Runs JavaScript in a process that does not use the FFI library.
 *
 * @param file of src/sys; all its functions are in `sys`
 * @param expression its value is returned; it can use `fs`, `codeOf`, and the arguments in `given`
 */
export function withoutFfi(file: string, expression: string, ...given: string[]): unknown {
  const program = `
    import fs from "node:fs";
    import * as sys from ${JSON.stringify(pathToFileURL(path.join(SYS, file)).href)};
    import { codeOf } from ${JSON.stringify(import.meta.url)};
    const given = ${JSON.stringify(given)};
    console.log(JSON.stringify({ is: ${expression} }));`;
  const text = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
    env: { ...process.env, MAKUOSAN_WITHOUT_FFI: "1" },
  });
  return (JSON.parse(text) as { is: unknown }).is;
}
