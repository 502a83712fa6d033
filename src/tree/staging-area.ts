import fs from "node:fs";
import { STAGING_NAME } from "../wire/path-rules.ts";
import { bytesOfPath, Directories, entryPath, errorCode } from "./directories.ts";
import { removeEntry } from "./remove.ts";

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
  private discarded = 0;

  private constructor(root: Directories, name: string) {
    this.root = root;
    this.name = name;
    this.directory = new Directories(entryPath(root.root, name));
    this.tree = new Directories(entryPath(this.directory.root, "tree"));
  }

  /** Makes a new area. */
  static create(base: Directories, name: string): StagingArea {
    const root = openStagingRoot(base);
    removeEntry(root.root, name);
    fs.mkdirSync(entryPath(root.root, name), 0o700);
    fs.mkdirSync(bytesOfPath(`/proc/self/fd/${root.root}/${name}/tree`), 0o700);
    return new StagingArea(root, name);
  }

  /** Opens one that a crash has left; undefined where it has no tree. */
  static open(base: Directories, name: string): StagingArea | undefined {
    const root = openStagingRoot(base);
    try {
      return new StagingArea(root, name);
    } catch (error) {
      errorCode(error);
      root.close();
      return undefined;
    }
  }

  file(name: JournalName): Buffer {
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

  /** A name in the area for something that is moved out of the way. */
  placeForDiscarded(): Buffer {
    return entryPath(this.directory.root, `discarded${this.discarded++}-${process.hrtime.bigint()}`);
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

  remove(): void {
    this.tree.close();
    this.directory.close();
    removeEntry(this.root.root, this.name);
    this.root.close();
  }

  private makeDirectory(path: string): void {
    if (this.tree.find(path) !== undefined) return;
    const slash = path.lastIndexOf("/");
    const parent = this.tree.descriptor(path.slice(0, Math.max(0, slash)));
    fs.mkdirSync(entryPath(parent, path.slice(slash + 1)), 0o700);
  }
}

/** Opens BASE/.makuosan, made where it is missing; it must be a directory of its own, not a link to one. */
export function openStagingRoot(base: Directories): Directories {
  try {
    fs.mkdirSync(entryPath(base.root, STAGING_NAME), 0o700);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  return new Directories(entryPath(base.descriptor(STAGING_NAME), "."));
}
