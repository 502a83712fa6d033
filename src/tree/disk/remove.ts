/** Removes an entry with everything below it. */
import { finish } from "../../base/steps.ts";
import type { FileStats } from "../../sys/stat.ts";
import { errorCode } from "../../sys/system-error.ts";
import { directoryOf, joinPath, nameOf } from "../../wire/path-rules.ts";
import { errorAt } from "../reasons/explain.ts";
import { StageError } from "../reasons/stage-error.ts";
import { Directories } from "./directories.ts";
import { type DirectoryHandle, type Disk, ITSELF } from "./disk.ts";

/**
 * How many directories in one directory are found at a time, and then emptied: a bound on memory. Finding the next ones
 * reads the directory again, which is one call of the kernel for some 800 names.
 */
const FOUND_AT_ONCE = 1_024;

export interface RemovalOptions {
  /** Throws if an entry has to stay. Without it, the only look at an entry is the attempt to unlink it. */
  readonly check?: (path: string, stats: FileStats) => void;
  /**
   * Whether the modes of directories are changed so that their owner can remove what is in them. Not for those that
   * may stay.
   */
  readonly opens?: boolean;
  /** The path of an entry as errors name it; by default the one in the tree. */
  readonly shown?: (path: string) => string;
}

/**
 * Removes an entry and, for a directory, everything below it, whatever the bytes of the names. It follows no link. Entries
 * that cannot be removed stay where they are, with the directories above them; all others go. Memory is bounded, except
 * for the path itself, however wide or deep the tree is.
 *
 * @returns step by step the first error, with the path of its entry; undefined if everything is gone
 */
export function removing(
  tree: Directories,
  path: string,
  options: RemovalOptions = {},
): Generator<undefined, Error | undefined> {
  return new Removal(tree, options).run(path);
}

/**
 * The same at once, for something that nobody needs.
 *
 * @param where the path of `parent`, for errors
 * @throws an error with a code, and with the path of an entry that could not be removed; everything else is gone by then
 */
export function removeEntry(disk: Disk, parent: DirectoryHandle, name: string, where = ""): void {
  const tree = new Directories(disk, parent);
  try {
    const failure = finish(removing(tree, name, { opens: true, shown: (path) => joinPath(where, path) }));
    if (failure !== undefined) throw failure;
  } finally {
    tree.forgetAll();
  }
}

/** A directory that is being emptied. */
class Level {
  readonly path: string;
  /** Directories in it that were found, and are still to be emptied. */
  readonly found: string[] = [];
  /** Directories in it that stay. */
  readonly staying = new Set<string>();
  /** Whether it has to be read (again). */
  isUnread = true;
  /** Whether something in it is gone since it was read last: some file systems leave out entries of a reading then. */
  hasChanged = false;

  constructor(path: string) {
    this.path = path;
  }
}

class Removal {
  private readonly tree: Directories;
  private readonly options: RemovalOptions;
  private failure: Error | undefined;

  constructor(tree: Directories, options: RemovalOptions) {
    this.tree = tree;
    this.options = options;
  }

  *run(top: string): Generator<undefined, Error | undefined> {
    if (this.take(directoryOf(top), nameOf(top)) !== "directory") return this.failure;
    const levels = [new Level(top)];
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.found.pop();
      if (name !== undefined) {
        levels.push(new Level(joinPath(level.path, name)));
        continue;
      }
      if (level.isUnread) {
        yield* this.read(level);
        continue;
      }
      const isGone = this.removeEmptied(level);
      if (isGone === "again") continue;
      levels.pop();
      const above = levels.at(-1);
      if (isGone) {
        if (above !== undefined) above.hasChanged = true;
      } else above?.staying.add(nameOf(level.path));
      yield;
    }
    return this.failure;
  }

  /** Reads a directory: everything that is no directory goes, and directories are found. */
  private *read(level: Level): Generator<undefined> {
    const { path, found, staying } = level;
    level.isUnread = false;
    level.hasChanged = false;
    try {
      this.open(path);
      for (const name of this.tree.disk.listSlowly(this.tree.handle(path))) {
        if (staying.has(name)) continue;
        const fate = this.take(path, name);
        if (fate === "gone") level.hasChanged = true;
        else if (fate === "directory") found.push(name);
        if (found.length === FOUND_AT_ONCE) {
          // So many that stay: the directory stays, too, whatever else is in it.
          level.isUnread = staying.size < FOUND_AT_ONCE;
          return;
        }
        yield;
      }
    } catch (error) {
      if (errorCode(error) !== "ENOENT") this.fail(path, error);
    }
  }

  /** Removes a directory that was emptied; "again" if it has to be read once more. */
  private removeEmptied(level: Level): boolean | "again" {
    const { path } = level;
    const { tree } = this;
    tree.forget(path);
    try {
      tree.disk.removeDirectory(tree.handle(directoryOf(path)), nameOf(path));
      return true;
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOENT") return true;
      const mayGo = level.hasChanged && level.staying.size < FOUND_AT_ONCE;
      if ((code === "ENOTEMPTY" || code === "EEXIST") && mayGo) {
        level.isUnread = true;
        return "again";
      }
      this.fail(path, error);
      return false;
    }
  }

  private take(directory: string, name: string): "gone" | "directory" | "stays" {
    const { disk } = this.tree;
    const { check } = this.options;
    try {
      const parent = this.tree.handle(directory);
      const stats = check === undefined ? undefined : disk.stat(parent, name);
      if (stats !== undefined) check?.(joinPath(directory, name), stats);
      if (stats?.isDirectory() === true) return "directory";
      return isUnlinked(disk, parent, name) ? "gone" : "directory";
    } catch (error) {
      this.fail(joinPath(directory, name), error);
      return "stays";
    }
  }

  /** A staged directory may have its final mode already, and that may deny its own owner access. */
  private open(path: string): void {
    if (this.options.opens !== true) return;
    try {
      this.tree.disk.setMode(this.tree.handle(path), ITSELF, 0o700);
    } catch (error) {
      // It belongs to another user, and may be accessible anyway.
      if (errorCode(error) !== "EPERM") throw error;
    }
  }

  /** @throws the error again if it is none of an entry */
  private fail(path: string, error: unknown): void {
    if (!(error instanceof StageError)) errorCode(error);
    this.failure ??= errorAt(this.options.shown?.(path) ?? path, error);
  }
}

/**
 * Removes an entry that is no directory.
 *
 * @returns false for a directory
 */
function isUnlinked(disk: Disk, parent: DirectoryHandle, name: string): boolean {
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
