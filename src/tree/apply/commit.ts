/** Carries out a journal. */
import type { Reason } from "../../base/reason.ts";
import { reason, sentenceOf } from "../../base/reason.ts";
import { errorCode } from "../../sys/system-error.ts";
import { EntryType } from "../../wire/entry.ts";
import { directoryOf, joinPath, nameOf } from "../../wire/path-rules.ts";
import { type Step, StepKind } from "../decide/decision.ts";
import { checkUnmarked } from "../decide/obstacles.ts";
import type { Directories } from "../disk/directories.ts";
import type { DirectoryHandle, Disk } from "../disk/disk.ts";
import { exchanged } from "../disk/exchanging.ts";
import type { AttributeRules } from "../entries/attributes.ts";
import { PathSet } from "../entries/path-set.ts";
import { pathOfError, reasonFor } from "../reasons/explain.ts";
import { StageError } from "../reasons/stage-error.ts";
import { DirectorySteps } from "./directory-steps.ts";
import { Discarded } from "./discarded.ts";
import { Durability } from "./durability.ts";
import { BEFORE, Keeping } from "./keeping.ts";
import { PlannedDeletions } from "./planned-deletions.ts";
import type { StagingArea } from "./staging-area.ts";

/** Errors of rename() if the new name belongs to something of another type, or to a directory with entries. */
const IN_THE_WAY: readonly string[] = ["EISDIR", "ENOTDIR", "ENOTEMPTY", "EEXIST"];

/**
 * Carries out a journal. All renames come first, so that the whole tree switches within the shortest time. Then it
 * deletes, and then it sets the attributes of directories, which the renames have changed. Every step may be a
 * repetition.
 */
export class Committer {
  private readonly disk: Disk;
  private readonly base: Directories;
  private readonly area: StagingArea;
  private readonly directories: DirectorySteps;
  private readonly planned: PlannedDeletions;
  private readonly discarded: Discarded;
  private readonly onStep: () => void;
  /** Whether some of the steps may have been carried out before. */
  private isRepeated = false;
  /** A directory existed already, and the entries of the staged one were moved into it. */
  private hasMerged = false;
  /** The directories that were staged; looked up in a repetition alone. */
  private brought: PathSet | undefined;
  private failures = 0;
  private firstFailure: Reason | undefined;
  /** Everything is new, but a loss of power may still undo it. */
  private notDurable: Reason | undefined;
  /** Undefined if what leaves the tree is deleted. */
  keeping: Keeping | undefined;

  /** @param onStep called after each step, so that the caller can tell that it goes on */
  constructor(
    base: Directories,
    area: StagingArea,
    rules: AttributeRules,
    onStep: () => void = () => undefined,
  ) {
    this.disk = base.disk;
    this.base = base;
    this.area = area;
    this.directories = new DirectorySteps(rules);
    this.onStep = onStep;
    this.planned = new PlannedDeletions(base.disk, () => this.steps());
    this.discarded = new Discarded(base, area);
  }

  /** Once the journal is named `commit`, the commit is final: all that may be lacking is looked at before. */
  begin(): void {
    this.lookForKeeping();
    this.area.rename("ready", "commit");
    new Durability(this.base).syncBegun(this.area);
  }

  /**
   * Finds out whether the commit keeps what it replaces. begin() does so itself; a start that finds a commit begun calls this.
   *
   * @param isInterrupted whether an earlier process may have carried out a part of it
   * @throws an error with a code
   */
  lookForKeeping(isInterrupted = false): void {
    if (this.area.holds(BEFORE)) this.keeping = new Keeping(this.disk, this.area);
    // A link to a replaced file may be lost where the file that has replaced it is not. Nothing tells that from a path that was new.
    if (isInterrupted && !new Durability(this.base).isOrdered) this.keeping?.giveUp();
  }

  /**
   * Carries out all steps. If one fails, the others are still carried out. A failed step is not tried again later,
   * because by then something newer may be in its place. What has left the tree is in the area until clear().
   *
   * @param isRepeated whether some of the steps may have been carried out before
   * @returns the first failure, with the number of further ones; undefined if nothing failed
   */
  apply(isRepeated = false): Reason | undefined {
    this.isRepeated = isRepeated;
    this.hasMerged = isRepeated;
    this.discarded.hasReplaced = isRepeated;
    try {
      this.switchOver();
    } catch (error) {
      // The journal cannot be read: the steps after that place are not carried out, and nobody knows which they are.
      this.failures++;
      const why = reasonFor(error);
      const isKnown = isRepeated || why.code === "damaged";
      this.firstFailure ??= isKnown ? why : reason("half-done", undefined, sentenceOf(why));
    }
    this.notDurable = this.makeDurable();
    return this.failure;
  }

  /**
   * Deletes everything that has left the tree, step by step. Entries that cannot be deleted are put back.
   *
   * @returns the failure of the commit, with those of these deletes
   */
  *clear(): Generator<undefined, Reason | undefined> {
    // Until the switch is durable, a start may need them to see how far it has come.
    if (this.notDurable !== undefined || this.isKept) return this.failure;
    try {
      yield* this.discarded.clear((path, why) => this.note(path, why));
    } catch (error) {
      // The switch has failed at the same place of the journal: nothing of the steps after it has left the tree.
      if (this.firstFailure === undefined) this.note("", reasonFor(error));
    }
    return this.failure;
  }

  /** Whether everything that has left the tree is in the area, to be kept there. */
  get isKept(): boolean {
    return this.failure === undefined && this.keeping?.isComplete === true;
  }

  /**
   * Gives staged directories their attributes after everything in them was staged. Deepest directories were staged
   * last.
   *
   * @returns the attributes that could not be set
   */
  *finishStaged(): Generator<{ path: string; why: Reason }> {
    for (const step of this.area.readJournal("journal")) {
      if (step.kind !== StepKind.finish || this.directories.shutsOut(step)) continue;
      this.onStep();
      const why = this.directories.carryOut(this.area.tree, step);
      if (why !== undefined) yield { path: step.path, why };
    }
  }

  /** Whether something staged has left its staged path: then the commit had begun. */
  hasBegun(): boolean {
    if (this.area.hasDiscarded()) return true;
    for (const step of this.area.readJournal("ready")) {
      if (step.kind !== StepKind.place) continue;
      const stats = this.area.tree.stat(step.path);
      if (stats === undefined || stats.isDirectory() !== (step.type === EntryType.directory)) return true;
    }
    return false;
  }

  private switchOver(): void {
    this.base.forgetAll();
    let number = 0;
    for (const step of this.steps()) {
      number++;
      if (step.kind === StepKind.place) this.attempt(step.path, () => this.place(step, number));
    }
    number = 0;
    for (const step of this.steps()) {
      number++;
      if (step.kind === StepKind.remove) this.attempt(step.path, () => this.remove(step.path, number));
    }
    for (const step of this.directories.inOrder(this.steps()))
      this.attempt(step.path, () => this.finishDirectory(step));
  }

  private get failure(): Reason | undefined {
    if (this.firstFailure === undefined) return this.notDurable;
    return { ...this.firstFailure, when: "during", more: this.failures - 1 };
  }

  /** @returns the reason if everything is new, but a loss of power may still undo it */
  private makeDurable(): Reason | undefined {
    try {
      if (this.failures > 0) this.keeping?.giveUp();
      new Durability(this.base).syncSwitched();
      this.area.rename("commit", "done");
      this.area.sync();
      return undefined;
    } catch (error) {
      return { ...reason("not-durable", undefined, sentenceOf(reasonFor(error))), when: "after" };
    }
  }

  private steps(): Generator<Step> {
    return this.area.readJournal("commit");
  }

  private attempt(path: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(path, error);
    }
    this.onStep();
  }

  private fail(path: string, error: unknown): void {
    const why = { ...reasonFor(error), path: pathOfError(error) ?? path };
    this.note(path, (why.code === "EPERM" ? this.markAt(path) : undefined) ?? why);
  }

  /** The mark of chattr that an entry or its directory has got since the plan. */
  private markAt(path: string): Reason | undefined {
    try {
      const [stats, parent] = [this.base.stat(path), this.base.find(directoryOf(path))];
      if (stats !== undefined) checkUnmarked(path, stats);
      if (parent !== undefined) checkUnmarked(directoryOf(path), this.disk.statDirectory(parent));
      return undefined;
    } catch (error) {
      if (error instanceof StageError) return error.reason;
      throw error;
    }
  }

  private note(path: string, why: Reason): void {
    this.failures++;
    this.firstFailure ??= { ...why, path: why.path ?? path };
  }

  private place(step: Step, number: number): void {
    const { path, type } = step;
    const stats = this.area.tree.stat(path);
    // Missing: it is in its place already.
    if (stats === undefined) return;
    const directory = directoryOf(path);
    const from = this.area.tree.handle(directory);
    // Of another type: the exchange was done already, and this is the old entry.
    if (stats.isDirectory() !== (type === EntryType.directory)) {
      this.finishExchange(from, path, this.base.handle(directory), number);
      return;
    }
    if (type !== EntryType.directory) this.keeping?.link(this.base.handle(directory), path, number);
    this.moveInto(from, path, this.base.handle(directory), number);
    if (type === EntryType.directory) this.area.tree.forget(path);
    this.base.forget(path);
  }

  /**
   * Moves a path out of the tree in one step; it is deleted together with the staging area. Entries that have appeared in
   * it since it was looked at bring it back.
   */
  private remove(path: string, number: number): void {
    const parent = this.base.find(directoryOf(path));
    if (parent === undefined) return;
    const [name, discarded] = [nameOf(path), this.area.discardedName(number)];
    const isMoved = this.isRepeated && this.area.holds(discarded);
    if (!isMoved) {
      const stats = this.planned.check(parent, name, path);
      if (stats === undefined) return;
      if (stats.isDirectory()) this.base.forget(path);
      if (!this.isMovedAway(this.base.handle(directoryOf(path)), name, discarded)) {
        this.keeping?.lack(path);
        this.planned.removeInPlace(this.base, path);
        return;
      }
    }
    try {
      if (isMoved) this.planned.check(this.area.handle, discarded, path);
      else this.planned.checkMoved(this.area.handle, discarded, path);
    } catch (error) {
      this.discarded.putBack(discarded, path);
      throw error;
    }
  }

  /** @returns false if the file system moves no directories that lie on a lower layer, as overlayfs */
  private isMovedAway(parent: DirectoryHandle, name: string, discarded: string): boolean {
    try {
      this.disk.rename(parent, name, this.area.handle, discarded);
      return true;
    } catch (error) {
      if (errorCode(error) !== "EXDEV" || this.disk.stat(parent, name)?.isDirectory() !== true) throw error;
      return false;
    }
  }

  /**
   * Moves an entry from one open directory to another, and replaces an entry of the same name.
   *
   * @param step the number of the step that has this path, if there is one
   */
  private moveInto(from: DirectoryHandle, path: string, to: DirectoryHandle, step?: number): void {
    const name = nameOf(path);
    try {
      this.disk.rename(from, name, to, name);
    } catch (error) {
      if (!IN_THE_WAY.includes(errorCode(error))) throw error;
      if (this.disk.stat(from, name)?.isDirectory() === this.disk.stat(to, name)?.isDirectory())
        this.merge(from, path, to);
      else this.replaceOtherType(from, path, to, step);
    }
  }

  /** Another transfer has made the directory since: this transfer's entries are moved into it. */
  private merge(from: DirectoryHandle, path: string, to: DirectoryHandle): void {
    this.hasMerged = true;
    this.keeping?.lack(path);
    const staged = this.disk.openDirectory(from, nameOf(path));
    try {
      const target = this.disk.openDirectory(to, nameOf(path));
      try {
        for (const child of this.disk.list(staged).map((name) => joinPath(path, name))) {
          this.attempt(child, () => {
            if (this.isReplaced(staged, child)) this.finishExchange(staged, child, target);
            else this.moveInto(staged, child, target);
          });
        }
      } finally {
        this.disk.closeDirectory(target);
      }
    } finally {
      this.disk.closeDirectory(staged);
    }
  }

  /**
   * Whether an entry in a directory that is merged is not the staged one, but what that has replaced in an exchange before a
   * crash. Such entries have no step of their own; directories have one that gives them their attributes.
   */
  private isReplaced(staged: DirectoryHandle, path: string): boolean {
    if (!this.isRepeated) return false;
    this.brought ??= directoriesOf(this.steps());
    return this.disk.stat(staged, nameOf(path))?.isDirectory() !== this.brought.has(path);
  }

  /** Replaces a file by a directory or the other way round: in one step if the kernel can do that. */
  private replaceOtherType(from: DirectoryHandle, path: string, to: DirectoryHandle, step?: number): void {
    const name = nameOf(path);
    this.planned.check(to, name, path);
    if (exchanged(this.disk, from, to, name)) {
      this.finishExchange(from, path, to, step);
      return;
    }
    try {
      this.discarded.take(to, path, step);
    } catch (error) {
      if (errorCode(error) !== "EXDEV" || this.disk.stat(to, name)?.isDirectory() !== true) throw error;
      this.base.forget(path);
      this.keeping?.lack(path);
      this.planned.removeInPlace(this.base, path);
    }
    this.disk.rename(from, name, to, name);
  }

  /** Looks again at an entry that has left its place by an exchange; it comes back if it holds something new. */
  private finishExchange(from: DirectoryHandle, path: string, to: DirectoryHandle, step?: number): void {
    const name = nameOf(path);
    try {
      this.planned.check(from, name, path);
    } catch (error) {
      exchanged(this.disk, from, to, name);
      throw error;
    }
    // The old entry must not look like something that is still to be moved.
    this.discarded.take(from, path, step);
  }

  private finishDirectory(step: Step): void {
    // A staged directory has its attributes already, unless its mode would have blocked the commit.
    if (step.kind === StepKind.finish && !this.directories.shutsOut(step) && !this.hasMerged) return;
    if (this.base.stat(step.path)?.isDirectory() !== true) return;
    const failure = this.directories.carryOut(this.base, step);
    if (failure !== undefined) throw new StageError(failure);
  }
}

/** The paths of the directories that are new or may be new. */
function directoriesOf(steps: Iterable<Step>): PathSet {
  const paths = new PathSet();
  for (const { kind, path } of steps) if (kind === StepKind.finish) paths.add(path);
  return paths;
}
