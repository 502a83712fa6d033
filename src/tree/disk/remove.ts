/** Removes an entry with all below it. */
import fs from "node:fs";
import { entryPath } from "../../sys/entry-path.ts";
import { errorCode } from "../../sys/system-error.ts";
import { openDirectory } from "./directories.ts";

/**
 * Removes an entry and, for a directory, all below it, whatever the bytes of the names. No link is followed, and nothing of
 * a file system that is mounted somewhere below. Directories in it are first moved to the side of the entry, so that
 * neither the stack nor descriptors grow with the depth.
 *
 * @throws an error with a code where something is left; everything else is gone by then
 */
export function removeEntry(parent: number, name: string): void {
  if (isUnlinked(parent, name)) return;
  const pending = [name];
  let failure: unknown;
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    try {
      emptyDirectory(parent, directory, pending);
      fs.rmdirSync(entryPath(parent, directory));
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure as Error;
}

/** Unlinks what can be unlinked, and moves directories to the parent, where they are pending. */
function emptyDirectory(parent: number, name: string, pending: string[]): void {
  makeAccessible(parent, name);
  const directory = openDirectory(parent, name);
  let failure: unknown;
  try {
    for (const child of namesIn(directory)) {
      try {
        if (isUnlinked(directory, child)) continue;
        const aside = `removed-${process.hrtime.bigint()}-${pending.length}`;
        makeAccessible(directory, child);
        // A directory that something is mounted on cannot be moved: EBUSY.
        fs.renameSync(entryPath(directory, child), entryPath(parent, aside));
        pending.push(aside);
      } catch (error) {
        failure ??= error;
      }
    }
  } finally {
    fs.closeSync(directory);
  }
  if (failure !== undefined) throw failure as Error;
}

/** @returns false for a directory */
function isUnlinked(parent: number, name: string): boolean {
  try {
    fs.unlinkSync(entryPath(parent, name));
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return true;
    if (code !== "EISDIR" && code !== "EPERM") throw error;
    // EPERM may mean a directory, or that it may not be removed.
    if (fs.lstatSync(entryPath(parent, name), { throwIfNoEntry: false })?.isDirectory() === true)
      return false;
    throw error;
  }
}

/** A staged directory may have got a final mode that shuts its own owner out. */
function makeAccessible(parent: number, name: string): void {
  const directory = openDirectory(parent, name);
  try {
    fs.chmodSync(`/proc/self/fd/${directory}`, 0o700);
  } catch (error) {
    // It belongs to somebody else, and may be accessible all the same.
    if (errorCode(error) !== "EPERM") throw error;
  } finally {
    fs.closeSync(directory);
  }
}

/** The names in an open directory, as byte strings. */
export function namesIn(directory: number): string[] {
  return fs
    .readdirSync(`/proc/self/fd/${directory}`, { encoding: "buffer" })
    .map((name) => name.toString("latin1"));
}
