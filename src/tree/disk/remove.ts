/** Removes an entry with everything below it. */
import { errorCode } from "../../sys/system-error.ts";
import { joinPath } from "../../wire/path-rules.ts";
import { errorAt } from "../reasons/explain.ts";
import { type DirectoryHandle, type Disk, ITSELF } from "./disk.ts";

/**
 * Removes an entry and, for a directory, everything below it, whatever the bytes of the names. It follows no link, and
 * removes nothing of a file system that is mounted below. Directories in it are first moved beside the entry, so that
 * neither the stack nor the number of descriptors grows with the depth.
 *
 * @param where the path of `parent`, for errors
 * @throws an error with a code, and with the path of an entry that could not be removed; everything else is gone by then
 */
export function removeEntry(disk: Disk, parent: DirectoryHandle, name: string, where = ""): void {
  try {
    if (isUnlinked(disk, parent, name)) return;
  } catch (error) {
    throw errorAt(joinPath(where, name), error);
  }
  const pending = [name];
  let failure: unknown;
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    try {
      emptyDirectory(disk, parent, directory, pending, joinPath(where, directory));
      disk.removeDirectory(parent, directory);
    } catch (error) {
      failure ??= errorAt(joinPath(where, directory), error);
    }
  }
  if (failure !== undefined) throw failure as Error;
}

/** Numbers for directories that were moved aside; their names say that their contents are not needed. */
let movedAside = 0;

/** Unlinks everything that can be unlinked, and moves directories into the parent, where they are pending. */
function emptyDirectory(
  disk: Disk,
  parent: DirectoryHandle,
  name: string,
  pending: string[],
  path: string,
): void {
  makeAccessible(disk, parent, name);
  const directory = disk.openDirectory(parent, name);
  let failure: unknown;
  try {
    for (const child of disk.list(directory)) {
      try {
        if (isUnlinked(disk, directory, child)) continue;
        makeAccessible(disk, directory, child);
        // A directory that something is mounted on cannot be moved: EBUSY.
        pending.push(moveAside(disk, directory, child, parent));
      } catch (error) {
        failure ??= errorAt(joinPath(path, child), error);
      }
    }
  } finally {
    disk.closeDirectory(directory);
  }
  if (failure !== undefined) throw failure as Error;
}

/** @returns its new name beside the entry */
function moveAside(disk: Disk, directory: DirectoryHandle, name: string, parent: DirectoryHandle): string {
  let aside: string;
  // An earlier run of the program may have left such names.
  do aside = `.removed-${movedAside++}`;
  while (disk.stat(parent, aside) !== undefined);
  disk.rename(directory, name, parent, aside);
  return aside;
}

/**
 * Removes an entry that is no directory.
 *
 * @returns false for a directory
 */
export function isUnlinked(disk: Disk, parent: DirectoryHandle, name: string): boolean {
  try {
    disk.unlink(parent, name);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return true;
    if (code !== "EISDIR" && code !== "EPERM") throw error;
    // EPERM may mean that it is a directory, or that it may not be removed.
    if (disk.stat(parent, name)?.isDirectory() === true) return false;
    throw error;
  }
}

/** A staged directory may have its final mode already, and that may deny its own owner access. */
function makeAccessible(disk: Disk, parent: DirectoryHandle, name: string): void {
  const directory = disk.openDirectory(parent, name);
  try {
    disk.setMode(directory, ITSELF, 0o700);
  } catch (error) {
    // It belongs to another user, and may be accessible anyway.
    if (errorCode(error) !== "EPERM") throw error;
  } finally {
    disk.closeDirectory(directory);
  }
}
