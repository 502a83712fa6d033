/** Paths of a push as the thread of its source will understand them, for the log of what is published. */
import fs from "node:fs";
import path from "node:path";
import { pathsBelowBase } from "../../wire/request-paths.ts";

/**
 * Makes paths that begin with the base directory relative to it, by the rule of pathsBelowBase(). The base directory is looked
 * at only if a path begins with it, and in the background: a disk that hangs must not stop the daemon.
 *
 * @param paths byte strings
 * @param base the base directory, without links
 * @returns undefined if they stay as they are
 */
export async function pathsOfPush(
  paths: readonly string[],
  base: string,
): Promise<readonly string[] | undefined> {
  const baseBytes = Buffer.from(base).toString("latin1");
  const asked: string[] = [];
  const below = pathsBelowBase(paths, baseBytes, (name) => {
    asked.push(name);
    return false;
  });
  const [name] = asked;
  if (name === undefined || (await isThere(path.join(base, Buffer.from(name, "latin1").toString()))))
    return undefined;
  return below;
}

/** Whether there is an entry, which may be a link to nothing. */
async function isThere(file: string): Promise<boolean> {
  return fs.promises.lstat(file).then(
    () => true,
    () => false,
  );
}
