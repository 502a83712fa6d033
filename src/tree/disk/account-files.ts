/** The files that name the users and the groups of this host. */
import fs from "node:fs";

/** The text of an account file, byte by byte, and the time of its last change. */
export interface AccountFile {
  readonly changedMs: number;
  readonly text: string;
}

/**
 * @param path such as /etc/passwd
 * @param knownMs the change time of the text that the caller has already
 * @returns undefined if the file is missing or has not changed
 */
export function readAccountFile(path: string, knownMs: number): AccountFile | undefined {
  const changedMs = fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (changedMs === undefined || changedMs === knownMs) return undefined;
  return { changedMs, text: fs.readFileSync(path, "latin1") };
}
