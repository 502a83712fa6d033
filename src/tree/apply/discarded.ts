/** Entries that a commit has taken out of the tree: they are deleted for good, or come back. */
import { reason, type Reason } from "../../base/reason.ts";
import { directoryOf, joinPath, nameOf } from "../../wire/path-rules.ts";
import { StepKind } from "../decide/decision.ts";
import { Directories } from "../disk/directories.ts";
import type { DirectoryHandle } from "../disk/disk.ts";
import { removing } from "../disk/remove.ts";
import { explain, pathOfError, reasonFor } from "../reasons/explain.ts";
import type { StagingArea } from "./staging-area.ts";

/** Names have at most 255 bytes; the rest is for the number of an entry that is put beside its place. */
const LONGEST_KEPT_NAME = 240;

/**
 * Entries in a staging area that were deleted or replaced. Some cannot be deleted, and nothing says so before: the kernel
 * swaps to a file, or a file system forbids it. In the staging area nobody would look for them, so they go back.
 *
 * Each has the number of its step in its name, so the journal says where it was: memory does not grow with their number.
 */
export class Discarded {
  private readonly base: Directories;
  private readonly area: StagingArea;
  /**
   * The paths of those without a step of their own, by their names in the area: entries of another type in a directory that
   * was merged into one that another transfer had made meanwhile.
   */
  private readonly merged = new Map<string, string>();
  /** Whether an entry was taken that something else has replaced. An earlier run of the program may have done so. */
  hasReplaced = true;

  constructor(base: Directories, area: StagingArea) {
    this.base = base;
    this.area = area;
  }

  /**
   * Moves an entry that is replaced into the area.
   *
   * @param from the directory that it is in
   * @param path its path in the tree
   * @param step the number of the step that replaces it, if it is the path of that step
   */
  take(from: DirectoryHandle, path: string, step: number | undefined): void {
    const name = step === undefined ? undefined : this.area.discardedName(step);
    // Before a crash, the same step may have found something else of another type there.
    if (name === undefined || this.area.holds(name)) {
      this.merged.set(this.area.discard(from, nameOf(path)), path);
      return;
    }
    this.base.disk.rename(from, nameOf(path), this.area.handle, name);
    this.hasReplaced = true;
  }

  /**
   * Deletes all of them, step by step. An entry that cannot be deleted is put back at its path, or beside it if something
   * new has the path.
   *
   * @param note called for each of those, with the reason
   * @throws DecodeError if the journal cannot be read
   */
  *clear(note: (path: string, why: Reason) => void): Generator<undefined> {
    const inside = new Directories(this.base.disk, this.area.handle);
    try {
      for (const [name, path] of this.merged) yield* this.delete(inside, name, path, note);
      let number = 0;
      for (const { kind, path } of this.area.readJournal("done")) {
        const name = this.area.discardedName(++number);
        const isReplaced = kind === StepKind.place && this.hasReplaced && this.area.holds(name);
        if (kind === StepKind.remove || isReplaced) yield* this.delete(inside, name, path, note);
      }
    } finally {
      inside.forgetAll();
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
    return joinPath(directory, name);
  }

  private *delete(
    inside: Directories,
    name: string,
    path: string,
    note: (path: string, why: Reason) => void,
  ): Generator<undefined> {
    const failure = yield* removing(inside, name, { shown: (one) => path + one.slice(name.length) });
    if (failure !== undefined) {
      inside.forgetAll();
      note(path, this.broughtBack(name, path, failure));
    }
    yield;
  }

  /** @returns the reason to tell: where an entry is now that could not be deleted, and why */
  private broughtBack(name: string, path: string, failure: Error): Reason {
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
