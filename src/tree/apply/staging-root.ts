/** BASE/.makuosan: whose it has to be, and how one that somebody else has put there is moved out of the way. */
import { randomBytes } from "node:crypto";
import { errorCode } from "../../sys/system-error.ts";
import type { FileStats } from "../../sys/stat.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import type { Directories } from "../disk/directories.ts";
import { type DirectoryHandle, type Disk, ITSELF } from "../disk/disk.ts";
import { SAME_OWNER } from "../entries/attributes.ts";
import { explain } from "../reasons/explain.ts";
import { StageError } from "../reasons/stage-error.ts";
import { dropInheritance } from "./inheritance.ts";

/** The user who owns BASE/.makuosan if the daemon can set owners. */
const ROOT = 0;

/** Write permission for the group and for others, and every permission for them. */
const WRITE_OF_OTHERS = 0o022;
const ALL_OF_OTHERS = 0o077;

/**
 * So often an entry of somebody else is moved away. Its user may put the next one there at once; a user who wins this race
 * more often than that only makes transfers to this member fail, which the owner of the base directory can do anyway.
 */
const TRIES = 8;

/** A random end of so many bytes: nobody can take the new name first. */
const NAME_BYTES = 4;

/** How BASE/.makuosan is opened. */
export interface StagingRules {
  /** Whether this process can set owners. Then BASE/.makuosan belongs to root, also if the process runs as another user. */
  readonly keepOwner: boolean;
  /** Called with the new name of an entry of somebody else that was moved out of the way. */
  readonly onMoved?: ((name: string) => void) | undefined;
}

/**
 * Opens BASE/.makuosan, and creates it if it is missing. A user who can write there decides what the next start puts into
 * the tree. So it must be a directory, not a link to one, that belongs to this process's user; if owners can be set, to
 * root, because then a program of the process's user must not write there either. Anything else of this name is moved out
 * of the way unread, so that nobody can keep the daemon from its work by it.
 *
 * @throws StageError if it cannot be moved
 */
export function openStagingRoot(base: Directories, rules: StagingRules): DirectoryHandle {
  for (let attempt = 1; ; attempt++) {
    const opened = openOwnRoot(base, rules);
    if (opened !== undefined) return opened;
    if (attempt === TRIES) throw StageError.of("staging-foreign", STAGING_NAME, "EEXIST");
    moveAway(base, rules);
  }
}

/** Removes BASE/.makuosan if nothing is staged there: between transfers the tree holds nothing of the daemon. */
export function removeStagingRoot(base: Directories): void {
  try {
    base.disk.removeDirectory(base.root, STAGING_NAME);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(errorCode(error))) throw error;
  }
}

/** Whether only this process can write there: a directory or a file in BASE/.makuosan. */
export function isOwn(disk: Disk, { uid, mode }: FileStats, { keepOwner }: StagingRules): boolean {
  // In a directory of root, root's are as good: an earlier start may have run as root.
  return (uid === disk.user || (keepOwner && uid === ROOT)) && (mode & WRITE_OF_OTHERS) === 0;
}

/** @returns undefined if something is there that is not this process's own */
function openOwnRoot(base: Directories, rules: StagingRules): DirectoryHandle | undefined {
  const { disk } = base;
  const isMade = makeRoot(base);
  let directory: DirectoryHandle;
  try {
    directory = disk.openDirectory(base.root, STAGING_NAME);
  } catch (error) {
    // No directory, or it was moved in that moment.
    if (["ENOTDIR", "ELOOP", "ENOENT"].includes(errorCode(error))) return undefined;
    throw error;
  }
  let isAccepted = false;
  try {
    if (isMade) prepareRoot(disk, directory, rules);
    isAccepted = isOwnRoot(disk, directory, rules) && (!isMade || disk.list(directory).length === 0);
  } finally {
    if (!isAccepted) disk.closeDirectory(directory);
  }
  return isAccepted ? directory : undefined;
}

/** @returns whether it is new */
function makeRoot(base: Directories): boolean {
  try {
    base.disk.makeDirectory(base.root, STAGING_NAME, 0o700);
    return true;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    return false;
  }
}

/**
 * Gives a new directory to root, if owners can be set. Another program of this process's user may have put something into it
 * before, or may have put another directory in its place: so whatever is not this user's and empty stays as it is. What the
 * base directory passes on to new entries, such as a default ACL, is not for those in here.
 */
function prepareRoot(disk: Disk, directory: DirectoryHandle, { keepOwner }: StagingRules): void {
  const { uid } = disk.statDirectory(directory);
  if (uid !== disk.user || disk.list(directory).length > 0) return;
  dropInheritance(disk, directory);
  if (keepOwner && uid !== ROOT) disk.setOwner(directory, ITSELF, ROOT, SAME_OWNER);
}

/** Whether the directory is the one it has to be; nobody else may look into it from now on. */
function isOwnRoot(disk: Disk, directory: DirectoryHandle, { keepOwner }: StagingRules): boolean {
  const { uid, mode } = disk.statDirectory(directory);
  if (uid !== (keepOwner ? ROOT : disk.user) || (mode & WRITE_OF_OTHERS) !== 0) return false;
  if ((mode & ALL_OF_OTHERS) !== 0) disk.setMode(directory, ITSELF, 0o700);
  return true;
}

/**
 * Gives the entry another name beside it. Nothing in it is touched: its user may have put something there that this process
 * could remove, and the user could not.
 */
function moveAway({ disk, root }: Directories, { onMoved }: StagingRules): void {
  const name = `${STAGING_NAME}-foreign-${randomBytes(NAME_BYTES).toString("hex")}`;
  try {
    disk.rename(root, STAGING_NAME, root, name);
  } catch (error) {
    // Its user has moved it again.
    if (errorCode(error) === "ENOENT") return;
    throw StageError.of("staging-foreign", STAGING_NAME, explain(error));
  }
  onMoved?.(name);
}
