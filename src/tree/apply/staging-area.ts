/** BASE/.makuosan/NAME, and the names in it that tell how far a transfer has come. */
import { errorCode } from "../../sys/system-error.ts";
import type { FileStats } from "../../sys/stat.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import type { Step } from "../decide/decision.ts";
import { Directories } from "../disk/directories.ts";
import type { DirectoryHandle, Disk, FileHandle } from "../disk/disk.ts";
import { removeEntry } from "../disk/remove.ts";
import { JournalWriter, readJournal } from "./journal.ts";

/** The sticky bit marks a directory that only mirrors the way to an entry; no umask removes that bit. */
const WAY_MARK = 0o1000;

const DISCARDED = "discarded";

/** The names of a journal in their order; `done` exists only until the area is removed. */
type JournalName = "journal" | "ready" | "commit" | "done";

/**
 * The directory in which one transfer is staged: BASE/.makuosan/NAME. In it, `tree` mirrors the tree below the base
 * directory and holds the new entries. `journal` lists the steps of the commit while they are found. It is renamed to
 * `ready` when it is complete and durable, and to `commit` when the commit begins. After a crash the name tells how far
 * the transfer had come.
 */
export class StagingArea {
  readonly name: string;
  readonly tree: Directories;
  private readonly disk: Disk;
  private readonly directory: DirectoryHandle;
  private readonly root: DirectoryHandle;
  private readonly base: Directories;
  private discarded = 0;

  private constructor(base: Directories, root: DirectoryHandle, name: string) {
    this.disk = base.disk;
    this.base = base;
    this.root = root;
    this.name = name;
    this.directory = openOwnDirectory(this.disk, root, name);
    try {
      this.tree = new Directories(this.disk, openOwnDirectory(this.disk, this.directory, "tree"));
    } catch (error) {
      this.disk.closeDirectory(this.directory);
      throw error;
    }
  }

  /** Makes a new area. */
  static create(base: Directories, name: string): StagingArea {
    const { disk } = base;
    const root = openStagingRoot(base);
    try {
      retireIn(disk, root);
      removeEntry(disk, root, name);
      disk.makeDirectory(root, name, 0o700);
      const directory = disk.openDirectory(root, name);
      try {
        disk.makeDirectory(directory, "tree", 0o700);
      } finally {
        disk.closeDirectory(directory);
      }
      return new StagingArea(base, root, name);
    } catch (error) {
      removeUnfinished(base, root, name);
      disk.closeDirectory(root);
      throw error;
    }
  }

  /**
   * Opens an area that a crash has left; undefined if it has no tree.
   *
   * @throws an error with the code EPERM if a part of it does not belong to this process
   */
  static open(base: Directories, name: string): StagingArea | undefined {
    const root = openStagingRoot(base);
    try {
      return new StagingArea(base, root, name);
    } catch (error) {
      base.disk.closeDirectory(root);
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Begins a journal; it replaces one of the same name that a crash has left. */
  writeJournal(): JournalWriter {
    removeEntry(this.disk, this.directory, "journal");
    return new JournalWriter(this.disk, this.directory, "journal");
  }

  readJournal(name: JournalName): Generator<Step> {
    return readJournal(this.disk, () => this.openOwnFile(name));
  }

  /** The open directory of the area itself. */
  get handle(): DirectoryHandle {
    return this.directory;
  }

  has(name: JournalName): boolean {
    return this.disk.stat(this.directory, name) !== undefined;
  }

  rename(from: JournalName, to: JournalName): void {
    this.disk.rename(this.directory, from, this.directory, to);
  }

  /** The handle of a directory of the mirrored tree; it is created with its parents if it is missing. */
  directoryFor(path: string): DirectoryHandle {
    const found = this.tree.find(path);
    if (found !== undefined) return found;
    for (let slash = path.indexOf("/"); ; slash = path.indexOf("/", slash + 1)) {
      const prefix = slash === -1 ? path : path.slice(0, slash);
      this.makeDirectory(prefix);
      if (slash === -1) return this.tree.handle(path);
    }
  }

  /** Whether the transfer brings this directory of the mirrored tree; otherwise it is only on the way to an entry. */
  isNewDirectory(path: string): boolean {
    return this.tree.hasDirectory(path) && (this.tree.statDirectory(path).mode & WAY_MARK) === 0;
  }

  /** Moves an entry out of the way; it is removed together with the area. Returns its name in the area. */
  discard(from: DirectoryHandle, name: string): string {
    // An earlier run that ended in a crash may have used the same names.
    do this.discarded++;
    while (this.disk.stat(this.directory, `${DISCARDED}${this.discarded}`) !== undefined);
    const discarded = `${DISCARDED}${this.discarded}`;
    this.disk.rename(from, name, this.directory, discarded);
    return discarded;
  }

  /**
   * The name in the area that an entry gets when a step of the journal deletes it.
   *
   * @param step its number: if the step was done before a crash, the path may hold something new by now
   */
  discardedName(step: number): string {
    return `${DISCARDED}-step${step}`;
  }

  /** Whether an entry of this name is in the area. */
  holds(name: string): boolean {
    return this.disk.stat(this.directory, name) !== undefined;
  }

  /** Whether anything has been moved out of the way. */
  hasDiscarded(): boolean {
    return this.disk.list(this.directory).some((name) => name.startsWith(DISCARDED));
  }

  /** Makes directory entries durable. */
  sync(): void {
    this.disk.syncDirectory(this.directory);
    this.disk.syncDirectory(this.root);
  }

  /** Removes the area. The list of steps goes first, so that a half removed area never looks like a commit. */
  remove(): void {
    try {
      const hasSteps = this.has("ready") || this.has("commit");
      for (const name of ["journal", "ready", "commit"]) removeEntry(this.disk, this.directory, name);
      // Otherwise the list could come back after a loss of power, but the staged entries could not.
      if (hasSteps && !this.disk.fileSystemOf(this.directory).isOrdered)
        this.disk.syncDirectory(this.directory);
      removeEntry(this.disk, this.root, this.name);
      removeStagingRoot(this.base);
    } finally {
      this.tree.close();
      this.disk.closeDirectory(this.directory);
      this.disk.closeDirectory(this.root);
    }
  }

  private makeDirectory(path: string): void {
    if (this.tree.hasDirectory(path)) return;
    const slash = path.lastIndexOf("/");
    const parent = this.tree.handle(path.slice(0, Math.max(0, slash)));
    this.disk.makeDirectory(parent, path.slice(slash + 1), 0o700 | WAY_MARK);
  }

  /** Opens a file of the area, if it belongs to this process. */
  private openOwnFile(name: JournalName): FileHandle {
    const file = this.disk.openFile(this.directory, name, "read");
    const stats = this.disk.statFile(file);
    if (stats.isFile() && isOwn(this.disk, stats)) return file;
    this.disk.closeFile(file);
    throw foreign();
  }
}

/** The form of transfer names. Areas that are being deleted have other names, and are never read. */
export const TRANSFER_NAME = /^[0-9a-z]+-[0-9]+$/;

/**
 * Takes the name `commit` from commits that have failed, and whose areas could not be removed either. While a transfer
 * begins, no other one is in the middle of its commit. A start would finish such a commit, over files that are newer.
 *
 * @throws an error with a code if that is not possible: then nothing new may be committed
 */
export function retireFailedCommits(base: Directories): void {
  if (base.stat(STAGING_NAME) === undefined) return;
  const root = openOwnDirectory(base.disk, base.root, STAGING_NAME);
  try {
    retireIn(base.disk, root);
  } finally {
    base.disk.closeDirectory(root);
  }
}

function retireIn(disk: Disk, root: DirectoryHandle): void {
  for (const name of disk.list(root)) {
    if (!TRANSFER_NAME.test(name) || disk.stat(root, name)?.isDirectory() !== true) continue;
    const directory = disk.openDirectory(root, name);
    try {
      // Another user's area is never read.
      if (!isOwn(disk, disk.statDirectory(directory)) || disk.stat(directory, "commit") === undefined)
        continue;
      disk.unlink(directory, "commit");
      if (!disk.fileSystemOf(directory).isOrdered) disk.syncDirectory(directory);
    } finally {
      disk.closeDirectory(directory);
    }
  }
}

/** Removes as much as can be removed of an area that could not be begun; the reason for that is told, and not this. */
function removeUnfinished(base: Directories, root: DirectoryHandle, name: string): void {
  try {
    removeEntry(base.disk, root, name);
    removeStagingRoot(base);
  } catch (error) {
    errorCode(error);
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

/**
 * Opens BASE/.makuosan, and creates it if it is missing. It must be a directory, not a link to one, and belong to this
 * process: a user who can write there decides what the next start puts into the tree.
 *
 * @throws an error with the code ENOTDIR or EPERM otherwise
 */
export function openStagingRoot(base: Directories): DirectoryHandle {
  try {
    base.disk.makeDirectory(base.root, STAGING_NAME, 0o700);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  return openOwnDirectory(base.disk, base.root, STAGING_NAME);
}

/** Opens a directory that no other user can have put there. */
function openOwnDirectory(disk: Disk, parent: DirectoryHandle, name: string): DirectoryHandle {
  const directory = disk.openDirectory(parent, name);
  if (isOwn(disk, disk.statDirectory(directory))) return directory;
  disk.closeDirectory(directory);
  throw foreign();
}

/** Whether only this process's user can write there. */
function isOwn(disk: Disk, { uid, mode }: FileStats): boolean {
  return uid === disk.user && (mode & 0o022) === 0;
}

function foreign(): Error {
  return Object.assign(new Error("the staging directory belongs to somebody else"), { code: "EPERM" });
}
