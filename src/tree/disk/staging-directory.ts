/** Makes and removes the directory BASE/.makuosan, for transfers and for trials of the file system. */
import { errorCode } from "../../sys/system-error.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import type { DirectoryHandle, Disk } from "./disk.ts";

/**
 * @param root the base directory
 * @returns whether it is new
 */
export function makeStagingDirectory(disk: Disk, root: DirectoryHandle): boolean {
  try {
    disk.makeDirectory(root, STAGING_NAME, 0o700);
    return true;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    return false;
  }
}

/** Removes it if nothing is staged there: between transfers the tree holds nothing of the daemon. */
export function removeStagingDirectory(disk: Disk, root: DirectoryHandle): void {
  try {
    disk.removeDirectory(root, STAGING_NAME);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(errorCode(error))) throw error;
  }
}
