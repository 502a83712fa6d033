/** Takes the lists of steps out of a staging area that is going to be removed. */
import { errorCode } from "../../sys/system-error.ts";
import { joinPath, STAGING_NAME } from "../../wire/path-rules.ts";
import type { DirectoryHandle, Disk } from "../disk/disk.ts";
import { removeEntry } from "../disk/remove.ts";

/**
 * A half removed area must never look like a commit, so its lists of steps go first. A file system that keeps no order could bring
 * them back after a loss of power, but not the staged entries: there their end is made durable before anything else goes. An
 * earlier process may have died between these two, so a process that removes an area which it has not made does both.
 *
 * @param area the open directory of the area
 * @param path of the area, for errors
 * @param mayHaveSteps whether the area may ever have been ready; a name that is gone by now says nothing about that
 */
export function removeLists(disk: Disk, area: DirectoryHandle, path: string, mayHaveSteps: boolean): void {
  for (const name of ["journal", "ready", "commit"]) removeEntry(disk, area, name, path);
  if (mayHaveSteps && !disk.fileSystemOf(area).isOrdered) disk.syncDirectory(area);
}

/**
 * Removes an area that no transfer of this process has made, with all in it.
 *
 * @param root the open directory BASE/.makuosan
 * @throws an error with the path of the entry that cannot be removed
 */
export function removeFoundArea(disk: Disk, root: DirectoryHandle, name: string): void {
  const area = openedArea(disk, root, name);
  if (area !== undefined) {
    try {
      removeLists(disk, area, joinPath(STAGING_NAME, name), true);
    } finally {
      disk.closeDirectory(area);
    }
  }
  removeEntry(disk, root, name, STAGING_NAME);
}

/** The area, if it is one: nothing is ever read in something that this process cannot open. */
function openedArea(disk: Disk, root: DirectoryHandle, name: string): DirectoryHandle | undefined {
  try {
    return disk.stat(root, name)?.isDirectory() === true ? disk.openDirectory(root, name) : undefined;
  } catch (error) {
    if (errorCode(error) !== "EACCES") throw error;
    return undefined;
  }
}
