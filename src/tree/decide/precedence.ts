/** Keeps a transfer's result right when another transfer commits first. */
import { EntryType } from "../../wire/entry.ts";
import { directoryOf } from "../../wire/path-rules.ts";
import { below } from "../disk/below.ts";
import type { TreeView } from "../disk/tree-view.ts";
import { type Step, StepKind } from "./decision.ts";
import { PathSet } from "../entries/path-set.ts";

/** The ways in which a transfer that commits later keeps entries that it found to be right. */
export interface Rescue {
  /** Keeps the present file or link of a path for this transfer's own commit; false if that is not possible. */
  keepEntry(path: string): boolean;
  /** Keeps the present attributes of a directory. */
  keepDirectory(path: string): void;
  /** Whether this transfer brings something else than a directory to a path. */
  bringsOther(path: string): boolean;
  /** Something is going to be lost and cannot be kept. */
  giveUp(path: string): void;
}

/**
 * The entries that a transfer has found to be right, and therefore does not bring. If another transfer commits first
 * and changes them, this one would leave a mixture of both. So it keeps what the other one replaces, and brings it
 * after all.
 */
export class Precedence {
  private readonly tree: TreeView;
  private readonly same = new PathSet();
  /** Existing directories in which this transfer changes something. */
  private readonly used = new PathSet();
  /** Directories in which this transfer deletes superfluous entries; `noted` has the entries of the sender in them. */
  private readonly complete = new PathSet();
  private readonly noted = new PathSet();
  /** Paths that this transfer deletes if they exist, and below the directories above them. */
  private readonly gone = new PathSet();
  private readonly aboveGone = new PathSet();
  /** Paths that this transfer deletes or replaces with everything in them. */
  private readonly taken = new PathSet();
  private hasTaken = false;

  constructor(tree: TreeView) {
    this.tree = tree;
  }

  /** Records that an entry is the same as the sender's. */
  noteSame(directory: string, name: string): void {
    this.same.addIn(directory, name);
  }

  /** Records that something is placed into an existing directory. */
  noteUsed(directory: string): void {
    if (directory !== "") this.used.add(directory);
  }

  isSame(path: string): boolean {
    return this.same.has(path);
  }

  /** Records that the sender has an entry of this path; its directory may turn out to be complete. */
  noteKnown(directory: string, name: string): void {
    this.noted.addIn(directory, name);
  }

  /** Records that the sender was asked for a path that it does not have. */
  noteGone(path: string): void {
    this.gone.add(path);
    this.aboveGone.addWay(directoryOf(path));
  }

  /** Records that this transfer deletes or replaces a path with everything in it. */
  noteTaken(path: string): void {
    this.taken.add(path);
    this.hasTaken = true;
  }

  noteComplete(directory: string): void {
    this.complete.add(directory);
  }

  /** Looks at the steps that another transfer is about to carry out. */
  yieldTo(steps: Iterable<Step>, rescue: Rescue): void {
    const merged: string[] = [];
    const brought = new PathSet();
    for (const step of steps) {
      if (step.kind === StepKind.finish) {
        brought.add(step.path);
        // This transfer would replace a directory that it has not looked at.
        if (rescue.bringsOther(step.path)) rescue.giveUp(step.path);
      } else if (step.kind === StepKind.place) this.yieldPlace(step, merged, rescue);
      else if (step.kind === StepKind.remove) this.yieldRemoval(step.path, rescue);
      else if (this.same.has(step.path)) rescue.keepDirectory(step.path);
    }
    for (const directory of merged) this.keepIn(directory, brought, rescue);
  }

  /** @param merged collects the directories into which the other transfer will move its entries */
  private yieldPlace({ path, type }: Step, merged: string[], rescue: Rescue): void {
    const stats = this.tree.stat(path);
    if (this.isTaken(path, type, stats !== undefined)) rescue.giveUp(path);
    // The path did not exist when this transfer wanted to delete it, and now it would come back.
    const isGone = stats === undefined && this.gone.has(path);
    if (isGone || (type === EntryType.directory && this.aboveGone.has(path))) rescue.giveUp(path);
    // Both transfers create the directory, and this one knows all that may be in it.
    const isNew = type === EntryType.directory && stats?.isDirectory() !== true;
    if (isNew && this.complete.has(path)) rescue.giveUp(path);
    if (stats?.isDirectory() === true) {
      // The directory did not exist when the other transfer looked; now its entries are moved into it.
      if (type === EntryType.directory) merged.push(path);
      else if (this.hasSameIn(path)) rescue.giveUp(path);
    } else if (this.same.has(path) && stats !== undefined) {
      if (!rescue.keepEntry(path)) rescue.giveUp(path);
    } else if (this.complete.has(directoryOf(path)) && !this.noted.has(path)) rescue.giveUp(path);
  }

  /** Whether this transfer deletes or replaces a path, or a directory above it, and has not seen what comes there. */
  private isTaken(path: string, type: EntryType, isPresent: boolean): boolean {
    if (!this.hasTaken || (isPresent && type !== EntryType.directory)) return false;
    if (type === EntryType.directory && this.taken.has(path)) return true;
    for (let above = directoryOf(path); above !== ""; above = directoryOf(above))
      if (this.taken.has(above)) return true;
    return false;
  }

  private yieldRemoval(path: string, rescue: Rescue): void {
    const stats = this.tree.stat(path);
    if (stats?.isDirectory() === true) {
      if (this.hasSameIn(path)) rescue.giveUp(path);
    } else if (stats !== undefined && this.same.has(path) && !rescue.keepEntry(path)) rescue.giveUp(path);
  }

  /**
   * Keeps a directory and all right entries in it, whatever the other transfer replaces of them.
   *
   * @param brought the directories that the other transfer creates; under other names it may bring something else
   */
  private keepIn(directory: string, brought: PathSet, rescue: Rescue): void {
    this.keepDirectory(directory, rescue);
    for (const { path, stats } of below(this.tree, directory)) {
      if (stats.isDirectory()) {
        const isNeeded = this.same.has(path) || this.used.has(path);
        if (isNeeded && !brought.has(path)) rescue.giveUp(path);
        else this.keepDirectory(path, rescue);
      } else if (this.same.has(path) && !rescue.keepEntry(path)) rescue.giveUp(path);
    }
  }

  private keepDirectory(path: string, rescue: Rescue): void {
    // The other transfer's entries in it would be superfluous for this one.
    if (this.complete.has(path)) rescue.giveUp(path);
    else if (this.same.has(path)) rescue.keepDirectory(path);
  }

  /** Whether this transfer relies on anything in a directory. */
  private hasSameIn(directory: string): boolean {
    if (this.same.has(directory) || this.used.has(directory)) return true;
    for (const { path } of below(this.tree, directory))
      if (this.same.has(path) || this.used.has(path)) return true;
    return false;
  }
}
