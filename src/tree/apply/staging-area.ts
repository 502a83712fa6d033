/** BASE/.makuosan/NAME, and the names in it that tell how far a transfer has come. */
import { finish } from "../../base/steps.ts";
import { errorCode } from "../../sys/system-error.ts";
import { joinPath, STAGING_NAME } from "../../wire/path-rules.ts";
import type { Step } from "../decide/decision.ts";
import { Directories } from "../disk/directories.ts";
import type { DirectoryHandle, Disk, FileHandle } from "../disk/disk.ts";
import { removeStagingDirectory } from "../disk/staging-directory.ts";
import { removeEntry, removing } from "../disk/remove.ts";
import { contentsOf, DISCARDED } from "./kept-contents.ts";
import { removeUndoArea, undoName } from "./undo-areas.ts";
import { readMarks, RECORD, writeRecord } from "./undo-records.ts";
import { retireIn } from "./failed-commits.ts";
import { mirrorInheritance } from "./inheritance.ts";
import { removeFoundArea, removeLists } from "./lists-of-steps.ts";
import { exactError } from "./no-inodes.ts";
import { JournalWriter, readJournal } from "./journal.ts";
import { isOwn, openStagingRoot, type StagingRules } from "./staging-root.ts";

/** The sticky bit marks a directory that only mirrors the way to an entry; no umask removes that bit. */
const WAY_MARK = 0o1000;

/** An entry of this name says that another transfer has committed while this one was ready. */
const PASSED = "passed";

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
  private readonly rules: StagingRules;
  /** Whether an earlier process has made it: it may have been ready, and half removed. */
  private readonly isFound: boolean;
  private discarded = 0;

  private constructor(
    base: Directories,
    root: DirectoryHandle,
    name: string,
    rules: StagingRules,
    isFound: boolean,
  ) {
    this.disk = base.disk;
    this.base = base;
    this.root = root;
    this.name = name;
    this.rules = rules;
    this.isFound = isFound;
    this.directory = openOwnDirectory(this.disk, root, name, rules);
    try {
      this.tree = new Directories(this.disk, openOwnDirectory(this.disk, this.directory, "tree", rules));
    } catch (error) {
      this.disk.closeDirectory(this.directory);
      throw error;
    }
  }

  /**
   * Makes a new area.
   *
   * @throws StageError if BASE/.makuosan belongs to somebody else and cannot be moved out of the way
   */
  static create(base: Directories, name: string, rules: StagingRules): StagingArea {
    const { disk } = base;
    const root = openStagingRoot(base, rules);
    try {
      retireIn(disk, root, rules);
      removeFoundArea(disk, root, name);
      disk.makeDirectory(root, name, 0o700);
      const directory = disk.openDirectory(root, name);
      try {
        disk.makeDirectory(directory, "tree", 0o700);
        mirrorRoot(base, directory);
      } finally {
        disk.closeDirectory(directory);
      }
      return new StagingArea(base, root, name, rules, false);
    } catch (error) {
      const exact = exactError(error, base);
      removeUnfinished(base, root, name);
      disk.closeDirectory(root);
      throw exact;
    }
  }

  /**
   * Opens an area that a crash has left; undefined if it has no tree.
   *
   * @throws an error with the code EPERM if a part of it does not belong to this process
   */
  static open(base: Directories, name: string, rules: StagingRules): StagingArea | undefined {
    const root = openStagingRoot(base, rules);
    try {
      return new StagingArea(base, root, name, rules, true);
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
   * The name in the area that an entry gets when a step of the journal deletes or replaces it.
   *
   * @param step its number: if the step was done before a crash, the path may hold something new by now
   */
  discardedName(step: number): string {
    return `${DISCARDED}-step${step}`;
  }

  /** The path of an entry of the area below the base directory. */
  pathOf(name: string): string {
    return joinPath(joinPath(STAGING_NAME, this.name), name);
  }

  /** Whether an entry of this name is in the area. */
  holds(name: string): boolean {
    return this.disk.stat(this.directory, name) !== undefined;
  }

  /** Whether anything has been moved out of the way. */
  hasDiscarded(): boolean {
    for (const name of this.disk.listSlowly(this.directory)) if (name.startsWith(DISCARDED)) return true;
    return false;
  }

  /** Whether another transfer has committed since this one was ready: after a crash, nobody knows which of them comes first. */
  get isPassed(): boolean {
    return this.holds(PASSED);
  }

  /** Notes before another commit, so that a start knows of it, that this one was ready meanwhile. */
  markPassed(): void {
    if (this.isPassed) return;
    this.disk.makeDirectory(this.directory, PASSED, 0o700);
    if (!this.disk.fileSystemOf(this.directory).isOrdered) this.disk.syncDirectory(this.directory);
  }

  /** Closes its directories, and leaves it as it is. */
  close(): void {
    this.tree.close();
    this.disk.closeDirectory(this.directory);
    this.disk.closeDirectory(this.root);
  }

  /** Makes directory entries durable. */
  sync(): void {
    this.disk.syncDirectory(this.directory);
    this.disk.syncDirectory(this.root);
  }

  /** Removes the area at once. */
  remove(): void {
    finish(this.removal());
  }

  /** Removes the area, step by step. The list of steps goes first, so that a half removed area never looks like a commit. */
  *removal(): Generator<undefined> {
    const inside = new Directories(this.disk, this.root);
    try {
      const path = joinPath(STAGING_NAME, this.name);
      removeLists(this.disk, this.directory, path, this.isFound || this.has("ready") || this.has("commit"));
      const shown = (one: string) => joinPath(STAGING_NAME, one);
      const failure = yield* removing(inside, this.name, { opens: true, shown });
      if (failure !== undefined) throw failure;
      removeStagingDirectory(this.base.disk, this.base.root);
    } finally {
      inside.forgetAll();
      this.close();
    }
  }

  /**
   * Keeps what has left the tree, step by step, in an area that no transfer looks for. It gets this name when everything in it
   * is durable, so a loss of power never leaves a part of it. An undo that came in two parts is not kept: neither is the reverse of
   * both.
   *
   * @param atMs when the commit was, in milliseconds since 1970
   * @returns whether it is kept
   */
  *keep(atMs: number): Generator<undefined, boolean> {
    const { number, undone, keptAs } = readMarks(this.disk, this.directory, this.rules);
    const name = keptAs ?? this.name;
    if (this.disk.stat(this.root, undoName(name)) !== undefined) {
      try {
        yield* removeUndoArea(this.base, this.rules, name);
      } finally {
        yield* this.removal();
      }
      return false;
    }
    const inside = new Directories(this.disk, this.directory);
    try {
      for (const other of ["changes", RECORD]) removeEntry(this.disk, this.directory, other);
      const contents = yield* contentsOf(inside);
      const isFollowed = keptAs !== undefined;
      writeRecord(this.disk, this.directory, { atMs, number, ...contents, undone, isFollowed });
      this.disk.syncDirectory(this.directory);
      this.disk.rename(this.root, this.name, this.root, undoName(name));
      this.disk.syncDirectory(this.root);
      // Until it has its name, a start knows an area of a transfer by this directory.
      const shown = (one: string) => joinPath(joinPath(STAGING_NAME, undoName(name)), one);
      const failure = yield* removing(inside, "tree", { opens: true, shown });
      if (failure !== undefined) throw failure;
      return true;
    } finally {
      this.tree.close();
      inside.forgetAll();
      this.disk.closeDirectory(this.directory);
      this.disk.closeDirectory(this.root);
    }
  }

  private makeDirectory(path: string): void {
    if (this.tree.hasDirectory(path)) return;
    const slash = path.lastIndexOf("/");
    const parent = this.tree.handle(path.slice(0, Math.max(0, slash)));
    this.disk.makeDirectory(parent, path.slice(slash + 1), 0o700 | WAY_MARK);
    const mirrored = this.base.find(path);
    if (mirrored !== undefined) mirrorInheritance(this.disk, mirrored, this.tree.handle(path));
  }

  /** Opens a file of the area, if it belongs to this process. */
  private openOwnFile(name: JournalName): FileHandle {
    const file = this.disk.openFile(this.directory, name, "read");
    const stats = this.disk.statFile(file);
    if (stats.isFile() && isOwn(this.disk, stats, this.rules)) return file;
    this.disk.closeFile(file);
    throw foreign();
  }
}

/** Removes as much as can be removed of an area that could not be begun; the reason for that is told, and not this. */
function removeUnfinished(base: Directories, root: DirectoryHandle, name: string): void {
  try {
    removeEntry(base.disk, root, name);
    removeStagingDirectory(base.disk, base.root);
  } catch (error) {
    errorCode(error);
  }
}

/** Lets `tree` pass on to new entries what the base directory does. */
function mirrorRoot({ disk, root }: Directories, area: DirectoryHandle): void {
  const tree = disk.openDirectory(area, "tree");
  try {
    mirrorInheritance(disk, root, tree);
  } finally {
    disk.closeDirectory(tree);
  }
}

/** Opens a directory that no other user can have put there. */
function openOwnDirectory(
  disk: Disk,
  parent: DirectoryHandle,
  name: string,
  rules: StagingRules,
): DirectoryHandle {
  const directory = disk.openDirectory(parent, name);
  if (isOwn(disk, disk.statDirectory(directory), rules)) return directory;
  disk.closeDirectory(directory);
  throw foreign();
}

function foreign(): Error {
  return Object.assign(new Error("the staging directory belongs to somebody else"), { code: "EPERM" });
}
