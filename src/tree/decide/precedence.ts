/** What a transfer keeps when another one commits first. */
import { EntryType } from "../../wire/entry.ts";
import { directoryOf } from "../../wire/path-rules.ts";
import { below } from "../disk/below.ts";
import type { TreeView } from "../disk/tree-view.ts";
import { type Step, StepKind } from "./decision.ts";
import { PathSet } from "../entries/path-set.ts";

/** How a transfer that commits later keeps what it found to be right. */
export interface Rescue {
  /** Keeps what a path is now, a file or a link, for this transfer's own commit. */
  keepEntry(path: string): boolean;
  /** Keeps the attributes that a directory has now. */
  keepDirectory(path: string): void;
  /** Something is going to be lost that cannot be kept. */
  giveUp(path: string): void;
}

/**
 * What a transfer has found as it should be, and therefore does not bring. When another transfer commits first and changes
 * that, this one would leave a mixture of both: so it keeps what the other one replaces, and brings it after all.
 */
export class Precedence {
  private readonly tree: TreeView;
  private readonly same = new PathSet();
  /** Directories that are there and that it is going to change something in. */
  private readonly used = new PathSet();
  /** Where this transfer deletes what the sender does not have: directories, and all that the sender has in them. */
  private readonly complete = new PathSet();
  private readonly noted = new PathSet();
  /** Paths that are to be deleted wherever they are, and the directories on the way to them. */
  private readonly gone = new PathSet();
  private readonly aboveGone = new PathSet();

  constructor(tree: TreeView) {
    this.tree = tree;
  }

  /** An entry is here as the sender has it. */
  noteSame(directory: string, name: string): void {
    this.same.addIn(directory, name);
  }

  /** Something goes into a directory that is there. */
  noteUsed(directory: string): void {
    if (directory !== "") this.used.add(directory);
  }

  isSame(path: string): boolean {
    return this.same.has(path);
  }

  /** The sender has an entry of this path, where its directory may turn out to be complete. */
  noteKnown(directory: string, name: string): void {
    this.noted.addIn(directory, name);
  }

  /** The sender was asked for a path that it does not have. */
  noteGone(path: string): void {
    this.gone.add(path);
    for (let above = directoryOf(path); above !== ""; above = directoryOf(above)) this.aboveGone.add(above);
  }

  noteComplete(directory: string): void {
    this.complete.add(directory);
  }

  /** Looks at what another transfer is going to do now. */
  yieldTo(steps: Iterable<Step>, rescue: Rescue): void {
    const merged: string[] = [];
    const brought = new PathSet();
    for (const step of steps) {
      if (step.kind === StepKind.finish) brought.add(step.path);
      else if (step.kind === StepKind.place) this.yieldPlace(step, merged, rescue);
      else if (step.kind === StepKind.remove) this.yieldRemoval(step.path, rescue);
      else if (step.kind === StepKind.adjust && this.same.has(step.path)) rescue.keepDirectory(step.path);
    }
    for (const directory of merged) this.keepIn(directory, brought, rescue);
  }

  /** @param merged takes the directories into which the other one will put what it has for them */
  private yieldPlace({ path, type }: Step, merged: string[], rescue: Rescue): void {
    const stats = this.tree.stat(path);
    // It was not there to be deleted, and would come back.
    const isGone = stats === undefined && this.gone.has(path);
    if (isGone || (type === EntryType.directory && this.aboveGone.has(path))) rescue.giveUp(path);
    // Both bring the directory, and this one all that may be in it.
    const isNew = type === EntryType.directory && stats?.isDirectory() !== true;
    if (isNew && this.complete.has(path)) rescue.giveUp(path);
    if (stats?.isDirectory() === true) {
      // It was not there when the other one looked; now what it brings goes into it.
      if (type === EntryType.directory) merged.push(path);
      else if (this.hasSameIn(path)) rescue.giveUp(path);
    } else if (this.same.has(path) && stats !== undefined) {
      if (!rescue.keepEntry(path)) rescue.giveUp(path);
    } else if (this.complete.has(directoryOf(path)) && !this.noted.has(path)) rescue.giveUp(path);
  }

  private yieldRemoval(path: string, rescue: Rescue): void {
    const stats = this.tree.stat(path);
    if (stats?.isDirectory() === true) {
      if (this.hasSameIn(path)) rescue.giveUp(path);
    } else if (stats !== undefined && this.same.has(path) && !rescue.keepEntry(path)) rescue.giveUp(path);
  }

  /**
   * Keeps a directory and all in it that is as it should be, whatever of it the other one is going to replace.
   *
   * @param brought the directories that the other one brings; where it does not, it may have something else of that name
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
    // What the other one has for it would be superfluous there.
    if (this.complete.has(path)) rescue.giveUp(path);
    else if (this.same.has(path)) rescue.keepDirectory(path);
  }

  /** Whether anything that this transfer relies on is in a directory. */
  private hasSameIn(directory: string): boolean {
    if (this.same.has(directory) || this.used.has(directory)) return true;
    for (const { path } of below(this.tree, directory))
      if (this.same.has(path) || this.used.has(path)) return true;
    return false;
  }
}
