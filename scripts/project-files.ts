/** The text files of the project, which the checks of `make lint` read. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

export interface SourceFile {
  /** Relative to the project's root, with forward slashes. */
  path: string;
  text: string;
}

/** A place that breaks a rule of `make lint`. */
export interface Violation {
  path: string;
  line: number;
  sentence: string;
}

/** The text files that git tracks, or would track. */
export function readFiles(root: string): SourceFile[] {
  const listing = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z"];
  return execFileSync("git", listing, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 })
    .split("\0")
    .flatMap((file) => {
      const text = file === "" ? undefined : readText(path.join(root, file));
      return text === undefined ? [] : [{ path: file, text }];
    });
}

/** Undefined for binary files, and for files that are in git's index but no longer on the disk. */
function readText(file: string): string | undefined {
  try {
    const bytes = readFileSync(file);
    return bytes.includes(0) ? undefined : bytes.toString("utf8");
  } catch {
    return undefined;
  }
}
