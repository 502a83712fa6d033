/** Commits that have failed, and whose areas could not be removed either. */
import { STAGING_NAME } from "../../wire/path-rules.ts";
import type { Directories } from "../disk/directories.ts";
import type { DirectoryHandle, Disk } from "../disk/disk.ts";
import { isOwn, type StagingRules } from "./staging-root.ts";

/** The form of transfer names. Areas that are being deleted have other names, and are never read. */
export const TRANSFER_NAME = /^[0-9a-z]+-[0-9]+$/;

/**
 * Takes the name `commit` from commits that have failed. While a transfer begins, no other one is in the middle of its
 * commit. A start would finish such a commit, over files that are newer.
 *
 * @throws an error with a code if that is not possible: then nothing new may be committed
 */
export function retireFailedCommits(base: Directories, rules: StagingRules): void {
  if (base.stat(STAGING_NAME) === undefined) return;
  const { disk } = base;
  const root = disk.openDirectory(base.root, STAGING_NAME);
  try {
    if (isOwn(disk, disk.statDirectory(root), rules)) retireIn(disk, root, rules);
  } finally {
    disk.closeDirectory(root);
  }
}

/** The same in BASE/.makuosan, if it is open already. */
export function retireIn(disk: Disk, root: DirectoryHandle, rules: StagingRules): void {
  for (const name of disk.list(root)) {
    if (!TRANSFER_NAME.test(name) || disk.stat(root, name)?.isDirectory() !== true) continue;
    const directory = disk.openDirectory(root, name);
    try {
      // Another user's area is never read.
      const isReadable = isOwn(disk, disk.statDirectory(directory), rules);
      if (!isReadable || disk.stat(directory, "commit") === undefined) continue;
      disk.unlink(directory, "commit");
      if (!disk.fileSystemOf(directory).isOrdered) disk.syncDirectory(directory);
    } finally {
      disk.closeDirectory(directory);
    }
  }
}
