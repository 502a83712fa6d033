import fs from "node:fs";
import path from "node:path";
import { must, run } from "./processes.ts";

/** The executable of an earlier version, built from the history of this repository. */

const ROOT = path.join(import.meta.dirname, "../..");

/** The last commit of version 2.0.0, which speaks version 2 of the protocol. */
const VERSION_2_0_0 = "6481ea5";

/** Why version 2.0.0 cannot be built; undefined if it can. A source package has no history, and a shallow clone little. */
export async function formerVersionProblem(): Promise<string | undefined> {
  try {
    const { status } = await run("git", ["-C", ROOT, "cat-file", "-e", `${VERSION_2_0_0}^{commit}`]);
    return status === 0 ? undefined : "the history of version 2.0.0 is not here";
  } catch {
    return "git is not installed";
  }
}

/**
 * Builds version 2.0.0 with the tools of today.
 *
 * @param directory an empty directory for its sources
 * @returns the folder of its two programs
 */
export async function buildFormerVersion(directory: string): Promise<string> {
  const archive = path.join(directory, "sources.tar");
  await must("git", ["-C", ROOT, "archive", "--output", archive, VERSION_2_0_0]);
  await must("tar", ["-x", "-f", archive, "-C", directory]);
  fs.symlinkSync(fs.realpathSync(path.join(ROOT, "node_modules")), path.join(directory, "node_modules"));
  await must(process.execPath, [path.join(directory, "scripts/build.ts")], { cwd: directory });
  return path.join(directory, "dist");
}
