/** Entries that a commit has taken out of the tree: they are deleted for good, or come back. */
import { reason, type Reason } from "../../base/reason.ts";
import { directoryOf, joinPath, nameOf } from "../../wire/path-rules.ts";
import { Directories } from "../disk/directories.ts";
import { isUnlinked } from "../disk/remove.ts";
import { errorAt, explain, pathOfError, reasonFor } from "../reasons/explain.ts";
import type { StagingArea } from "./staging-area.ts";

/** Names have at most 255 bytes; the rest is for the number of an entry that is put beside its place. */
const LONGEST_KEPT_NAME = 240;

/**
 * Entries in a staging area that were deleted or replaced. Some cannot be deleted, and nothing says so before: the kernel
 * swaps to a file, or a file system forbids it. In the staging area nobody would look for them, so they go back.
 */
export class Discarded {
  private readonly base: Directories;
  private readonly area: StagingArea;
  /** The path in the tree of each name in the area. */
  private readonly paths = new Map<string, string>();

  constructor(base: Directories, area: StagingArea) {
    this.base = base;
    this.area = area;
  }

  /** Notes that an entry is in the area now. */
  note(name: string, path: string): void {
    this.paths.set(name, path);
  }

  /**
   * Deletes all of them. An entry that cannot be deleted is put back at its path, or beside it if something new has the path.
   *
   * @returns why some are still there, one by one
   */
  *clear(): Generator<{ path: string; why: Reason }> {
    for (const [name, path] of this.paths) {
      const failure = this.deletionFailure(name, path);
      if (failure === undefined) continue;
      yield { path, why: this.broughtBack(name, path, failure) };
    }
  }

  /** Moves an entry back to its path, or beside it. Returns where it is now. */
  putBack(discarded: string, path: string): string {
    const directory = directoryOf(path);
    const parent = this.base.handle(directory);
    const { disk } = this.base;
    let name = nameOf(path);
    for (let number = 1; disk.stat(parent, name) !== undefined; number++)
      name = `${nameOf(path).slice(0, LONGEST_KEPT_NAME)}.kept-${number}`;
    disk.rename(this.area.handle, discarded, parent, name);
    this.paths.delete(discarded);
    return joinPath(directory, name);
  }

  private deletionFailure(name: string, path: string): unknown {
    const { handle } = this.area;
    const { disk } = this.base;
    try {
      if (isUnlinked(disk, handle, name)) return undefined;
      const tree = new Directories(disk, disk.openDirectory(handle, name));
      try {
        emptyDirectory(tree, path);
      } finally {
        tree.close();
      }
      disk.removeDirectory(handle, name);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** @returns the reason to tell: where an entry is now that could not be deleted, and why */
  private broughtBack(name: string, path: string, failure: unknown): Reason {
    const why = reasonFor(failure);
    const exact = pathOfError(failure) ?? why.path ?? path;
    try {
      const place = this.putBack(name, path);
      if (place === path) return { ...why, path: exact };
      return reason("kept-beside", exact, place + exact.slice(path.length), explain(failure));
    } catch (error) {
      return reason("kept-in-area", exact, this.area.pathOf(name), explain(error));
    }
  }
}

/**
 * Deletes everything in a directory; entries that cannot be deleted stay where they are.
 *
 * @param top its path in the base directory, for errors
 */
function emptyDirectory(tree: Directories, top: string): void {
  const { disk } = tree;
  const directories = [""];
  let failure: Error | undefined;
  const attempt = (path: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      failure ??= errorAt(joinPath(top, path), error);
    }
  };
  // The array grows while it is walked.
  for (const directory of directories)
    attempt(directory, () => {
      for (const name of tree.list(directory)) {
        const path = joinPath(directory, name);
        attempt(path, () => {
          if (!isUnlinked(disk, tree.handle(directory), name)) directories.push(path);
        });
      }
    });
  for (const directory of directories.slice(1).reverse())
    attempt(directory, () => {
      tree.forget(directory);
      disk.removeDirectory(tree.handle(directoryOf(directory)), nameOf(directory));
    });
  if (failure !== undefined) throw failure;
}
