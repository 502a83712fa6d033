/** The files that name the users and the groups of this host. */
import fs from "node:fs";

/** The text of an account file, byte by byte, or undefined where it has not changed since a time that was told before. */
export interface AccountFile {
  readonly changedMs: number;
  readonly text: string;
}

/**
 * @param path such as /etc/passwd
 * @param knownMs the time of the text that is known already
 * @returns undefined where the file is missing or has not changed
 */
export function readAccountFile(path: string, knownMs: number): AccountFile | undefined {
  const changedMs = fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (changedMs === undefined || changedMs === knownMs) return undefined;
  return { changedMs, text: fs.readFileSync(path, "latin1") };
}
