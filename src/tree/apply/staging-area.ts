/** BASE/.makuosan/NAME, and the names that tell how far things are. */
import fs from "node:fs";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import { entryPath } from "../../sys/entry-path.ts";
import { errorCode } from "../../sys/system-error.ts";
import { Directories } from "../disk/directories.ts";
import { namesIn, removeEntry } from "../disk/remove.ts";

/** The sticky bit marks a directory that only mirrors the way to an entry; no umask takes it away. */
const WAY_MARK = 0o1000;

const DISCARDED = "discarded";

/** The names of a journal in their order; `done` only stands until the area is removed. */
type JournalName = "journal" | "ready" | "commit" | "done";

/**
 * Where one transfer is staged: BASE/.makuosan/NAME. In it, `tree` mirrors the tree below the base directory with
 * what is new, `journal` lists the steps of the commit while they are found, `ready` is that list when it is
 * complete and durable, and `commit` is it from the moment of the commit on. The name tells after a crash how far
 * things had come.
 */
export class StagingArea {
  readonly name: string;
  readonly tree: Directories;
  private readonly directory: Directories;
  private readonly root: Directories;
  private readonly base: Directories;
  private discarded = 0;

  private constructor(base: Directories, root: Directories, name: string) {
    this.base = base;
    this.root = root;
    this.name = name;
    this.directory = new Directories(entryPath(root.root, name));
    try {
      this.tree = new Directories(entryPath(this.directory.root, "tree"));
    } catch (error) {
      this.directory.close();
      throw error;
    }
  }

  /** Makes a new area. */
  static create(base: Directories, name: string): StagingArea {
    const root = openStagingRoot(base);
    try {
      removeEntry(root.root, name);
      fs.mkdirSync(entryPath(root.root, name), 0o700);
      fs.mkdirSync(entryPath(root.root, `${name}/tree`), 0o700);
      return new StagingArea(base, root, name);
    } catch (error) {
      root.close();
      throw error;
    }
  }

  /** Opens one that a crash has left; undefined where it has no tree. */
  static open(base: Directories, name: string): StagingArea | undefined {
    const root = openStagingRoot(base);
    try {
      return new StagingArea(base, root, name);
    } catch (error) {
      root.close();
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  file(name: JournalName | "changes"): Buffer {
    return entryPath(this.directory.root, name);
  }

  has(name: JournalName): boolean {
    return fs.existsSync(this.file(name));
  }

  rename(from: JournalName, to: JournalName): void {
    fs.renameSync(this.file(from), this.file(to));
  }

  /** The descriptor of a directory of the mirrored tree, made with its parents where it is missing. */
  directoryFor(path: string): number {
    const found = this.tree.find(path);
    if (found !== undefined) return found;
    for (let slash = path.indexOf("/"); ; slash = path.indexOf("/", slash + 1)) {
      const prefix = slash === -1 ? path : path.slice(0, slash);
      this.makeDirectory(prefix);
      if (slash === -1) return this.tree.descriptor(path);
    }
  }

  /** Whether a directory of the mirrored tree is one that the transfer brings, and not only a way to an entry. */
  isNewDirectory(path: string): boolean {
    const descriptor = this.tree.find(path);
    return descriptor !== undefined && (fs.fstatSync(descriptor).mode & WAY_MARK) === 0;
  }

  /** A name in the area for something that is moved out of the way. */
  placeForDiscarded(): Buffer {
    return entryPath(this.directory.root, `${DISCARDED}${this.discarded++}-${process.hrtime.bigint()}`);
  }

  /** The name for what a step of the journal deletes. */
  placeForRemoved(step: number): Buffer {
    return entryPath(this.directory.root, `${DISCARDED}-step${step}`);
  }

  /** Whether anything has been moved out of the way. */
  hasDiscarded(): boolean {
    return namesIn(this.directory.root).some((name) => name.startsWith(DISCARDED));
  }

  /** Makes directory entries durable. */
  sync(): void {
    fs.fsyncSync(this.directory.root);
    fs.fsyncSync(this.root.root);
  }

  close(): void {
    this.tree.close();
    this.directory.close();
    this.root.close();
  }

  /** Removes the area; first the list of steps, so that what is half removed never looks like a commit. */
  remove(): void {
    try {
      for (const name of ["journal", "ready", "commit"]) removeEntry(this.directory.root, name);
      this.tree.close();
      this.directory.close();
      removeEntry(this.root.root, this.name);
      removeStagingRoot(this.base);
    } finally {
      this.root.close();
    }
  }

  private makeDirectory(path: string): void {
    if (this.tree.find(path) !== undefined) return;
    const slash = path.lastIndexOf("/");
    const parent = this.tree.descriptor(path.slice(0, Math.max(0, slash)));
    fs.mkdirSync(entryPath(parent, path.slice(slash + 1)), 0o700 | WAY_MARK);
  }
}

/** Removes BASE/.makuosan when nothing is staged there: between transfers nothing of the daemon's is in the tree. */
export function removeStagingRoot(base: Directories): void {
  base.forget(STAGING_NAME);
  try {
    fs.rmdirSync(entryPath(base.root, STAGING_NAME));
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(errorCode(error))) throw error;
  }
}

/**
 * Opens BASE/.makuosan, made where it is missing. It must be a directory, not a link to one, and this process's own:
 * who can write there decides what a start puts into the tree.
 *
 * @throws an error with the code ENOTDIR or EPERM otherwise
 */
export function openStagingRoot(base: Directories): Directories {
  try {
    fs.mkdirSync(entryPath(base.root, STAGING_NAME), 0o700);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  const root = new Directories(entryPath(base.descriptor(STAGING_NAME), "."));
  const { uid, mode } = fs.fstatSync(root.root);
  if (uid === process.geteuid?.() && (mode & 0o022) === 0) return root;
  root.close();
  throw Object.assign(new Error("the staging directory belongs to somebody else"), { code: "EPERM" });
}
