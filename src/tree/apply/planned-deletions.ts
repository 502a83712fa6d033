/** The entries that a commit may delete, and the look for others before and after they leave the tree. */
import { finish } from "../../base/steps.ts";
import type { FileStats } from "../../sys/stat.ts";
import type { Step } from "../decide/decision.ts";
import { StepKind } from "../decide/decision.ts";
import { checkUnmarked } from "../decide/obstacles.ts";
import { below } from "../disk/below.ts";
import { Directories } from "../disk/directories.ts";
import type { DirectoryHandle, Disk } from "../disk/disk.ts";
import { removing } from "../disk/remove.ts";
import { PathSet } from "../entries/path-set.ts";
import { errorAt } from "../reasons/explain.ts";
import { StageError } from "../reasons/stage-error.ts";
import { joinPath } from "../../wire/path-rules.ts";

/**
 * Programs write into the tree while a transfer is on its way. A directory is deleted or replaced with all entries that
 * the plan has looked at, counted and listed, and with no other.
 */
export class PlannedDeletions {
  private readonly disk: Disk;
  private readonly steps: () => Iterable<Step>;
  private paths: PathSet | undefined;

  /** @param steps of the commit; they are read when a directory has to be looked at first */
  constructor(disk: Disk, steps: () => Iterable<Step>) {
    this.disk = disk;
    this.steps = steps;
  }

  /**
   * Looks at an entry, and for a directory at everything below it.
   *
   * @param parent where it is now, with its name there
   * @param path its path in the tree
   * @returns the stats of the entry; undefined if it does not exist
   * @throws StageError with the first entry that is not planned to be deleted; or an error that has the path of the first
   *   one that has become impossible to delete
   */
  check(parent: DirectoryHandle, name: string, path: string): FileStats | undefined {
    const stats = this.disk.stat(parent, name);
    if (stats === undefined) return undefined;
    checkDeletable(path, stats);
    if (!stats.isDirectory()) return stats;
    const tree = new Directories(this.disk, this.disk.openDirectory(parent, name));
    try {
      for (const entry of below(tree, "")) {
        const one = joinPath(path, entry.path);
        if (!this.isPlanned(one)) throw StageError.of("appeared", path, one);
        checkDeletable(one, entry.stats);
      }
    } finally {
      tree.close();
    }
    return stats;
  }

  /**
   * Looks once more at an entry that has just been looked at, and was moved since: for what has come into a directory meanwhile. What
   * has become impossible to delete comes back when that is tried.
   *
   * @throws StageError with the first entry that is not planned to be deleted
   */
  checkMoved(parent: DirectoryHandle, name: string, path: string): void {
    if (this.disk.stat(parent, name)?.isDirectory() !== true) return;
    const tree = new Directories(this.disk, this.disk.openDirectory(parent, name));
    try {
      const pending = [""];
      for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
        for (const marked of this.disk.list(tree.handle(directory), true)) {
          const one = joinPath(directory, marked.endsWith("/") ? marked.slice(0, -1) : marked);
          if (!this.isPlanned(joinPath(path, one)))
            throw StageError.of("appeared", path, joinPath(path, one));
          if (one.length < joinPath(directory, marked).length && tree.hasDirectory(one)) pending.push(one);
        }
      }
    } finally {
      tree.close();
    }
  }

  /**
   * Deletes a directory where it is, entry by entry, if it cannot be moved as a whole. Entries that are not planned to be
   * deleted stay. May be repeated.
   *
   * @throws StageError with the first of these; or an error with a code
   */
  removeInPlace(tree: Directories, path: string): void {
    const check = (one: string, stats: FileStats) => {
      if (one !== path && !this.isPlanned(one)) throw StageError.of("appeared", path, one);
      checkDeletable(one, stats);
    };
    const failure = finish(removing(tree, path, { check }));
    if (failure !== undefined) throw failure;
  }

  private isPlanned(path: string): boolean {
    this.paths ??= pathsThatGo(this.steps());
    return this.paths.has(path);
  }
}

function pathsThatGo(steps: Iterable<Step>): PathSet {
  const paths = new PathSet();
  for (const { kind, hashes } of steps)
    if (kind === StepKind.goes && hashes !== undefined) paths.addHashes(hashes);
  return paths;
}

/** Throws an error with the path of an entry that was marked, or mounted on, since the plan. */
function checkDeletable(path: string, stats: FileStats): void {
  try {
    checkUnmarked(path, stats);
    if (stats.hasMount) throw StageError.of("mounted", path);
  } catch (error) {
    throw errorAt(path, error);
  }
}
