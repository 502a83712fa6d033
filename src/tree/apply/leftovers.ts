/** Staging areas that could not be removed when their transfers ended: it is tried again. */
import { errorCode } from "../../sys/system-error.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import type { Directories } from "../disk/directories.ts";
import type { DirectoryHandle } from "../disk/disk.ts";
import { removeStagingDirectory } from "../disk/staging-directory.ts";
import { removeFoundArea } from "./lists-of-steps.ts";
import { isOwn, type StagingRules } from "./staging-root.ts";

/** The names of areas without a transfer. Whatever kept them, such as a read-only file system, may be over. */
export class Leftovers {
  private readonly names = new Set<string>();

  add(name: string): void {
    this.names.add(name);
  }

  /** Tries to remove them. The log has the reason since the first time, so it is not told again. */
  tryAgain(base: Directories, rules: StagingRules): void {
    for (const name of this.names) {
      try {
        removeArea(base, name, rules);
        this.names.delete(name);
      } catch (error) {
        errorCode(error);
      }
    }
  }
}

/**
 * Removes an area that nobody has opened. An area of another user stays as it is.
 *
 * @throws an error with the path of the entry that cannot be removed
 */
export function removeArea(base: Directories, name: string, rules: StagingRules): void {
  const { disk } = base;
  let root: DirectoryHandle;
  try {
    root = disk.openDirectory(base.root, STAGING_NAME);
  } catch (error) {
    // Nothing is staged, or another user has put something else in its place.
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(errorCode(error))) return;
    throw error;
  }
  try {
    const isOwnRoot = isOwn(disk, disk.statDirectory(root), rules);
    const area = isOwnRoot ? disk.stat(root, name) : undefined;
    if (area !== undefined && isOwn(disk, area, rules)) removeFoundArea(disk, root, name);
  } finally {
    disk.closeDirectory(root);
  }
  removeStagingDirectory(disk, base.root);
}
