/** The staged part of a transfer: it begins when something differs, becomes ready, and may get longer after that. */
import { errorCode } from "../../sys/system-error.ts";
import { NO_METADATA } from "../../wire/metadata.ts";
import { directoryOf, nameOf, STAGING_NAME } from "../../wire/path-rules.ts";
import { type Step, StepKind } from "../decide/decision.ts";
import type { Directories } from "../disk/directories.ts";
import { type AttributeRules, typeOf } from "../entries/attributes.ts";
import { errorAt } from "../reasons/explain.ts";
import { ChangeList } from "./change-list.ts";
import { exactError } from "./no-inodes.ts";
import type { JournalWriter } from "./journal.ts";
import { keepArea } from "./keep-area.ts";
import { removeArea } from "./leftovers.ts";
import { type Leaving, removeStaged, stepsLeft } from "./leaving.ts";
import { type Asked, StagedEntries } from "./staged-entries.ts";
import { StagingArea } from "./staging-area.ts";

/** What is staged so far. */
export interface Staged {
  readonly area: StagingArea;
  readonly journal: JournalWriter;
  readonly entries: StagedEntries;
}

/** Everything of one transfer below BASE/.makuosan: nothing at all until something differs. */
export class Staging {
  private readonly base: Directories;
  private readonly rules: AttributeRules;
  private readonly name: string;
  private readonly listsChanges: boolean;
  private readonly asked: Asked;
  private changes: ChangeList | undefined;
  private isReady = false;
  /** Whether an area was made, or a part of one. */
  private hasBegun = false;
  /** Undefined until something is staged. */
  staged: Staged | undefined;
  /** Whether there is a list of the changes; it is complete after finish(). */
  isListed = false;

  /**
   * @param name of the area
   * @param listsChanges whether the paths that change are listed in a file of the area, `changes`
   * @param asked callbacks of staged entries
   */
  constructor(base: Directories, rules: AttributeRules, name: string, listsChanges: boolean, asked: Asked) {
    this.base = base;
    this.rules = rules;
    this.name = name;
    this.listsChanges = listsChanges;
    this.asked = asked;
  }

  get writtenBytes(): number {
    return this.staged?.entries.writtenBytes ?? 0;
  }

  /** The staged entries; the area is created at the first call. */
  opened(): Staged {
    if (this.staged !== undefined) return this.staged;
    this.hasBegun = true;
    const area = this.createArea();
    let journal: JournalWriter | undefined;
    try {
      journal = area.writeJournal();
      if (this.listsChanges) this.changes = new ChangeList(this.base.disk, () => area.handle, "changes");
      const entries = new StagedEntries(this.base, area, journal, this.rules, this.asked);
      this.staged = { area, journal, entries };
      return this.staged;
    } catch (error) {
      const exact = exactError(error, this.base);
      // Nothing would remove the area before the next start.
      journal?.close();
      removeQuietly(area);
      throw exact;
    }
  }

  /** Whether something else than a directory is staged for a path. */
  bringsOther(path: string): boolean {
    return this.staged?.area.tree.stat(path)?.isDirectory() === false;
  }

  private createArea(): StagingArea {
    const { keepOwner } = this.rules;
    try {
      return StagingArea.create(this.base, this.name, { keepOwner, onMoved: this.asked.onMoved });
    } catch (error) {
      throw errorAt(STAGING_NAME, error);
    }
  }

  noteChange(path: string): void {
    this.changes?.add(path);
  }

  /** Completes the list of changes. Withdrawn files were announced, but do not change. */
  finishChanges(): void {
    const { entries } = this.opened();
    const isChanged = (path: string) => !entries.isWithdrawn(path);
    this.changes?.finish(entries.hasWithdrawn ? isChanged : undefined);
    this.isListed = this.changes !== undefined;
    this.changes = undefined;
  }

  /** From this call on, the commit can be finished after a crash. */
  makeReady(): void {
    const { area, journal } = this.opened();
    journal.finish();
    area.rename("journal", "ready");
    area.sync();
    this.isReady = true;
  }

  /**
   * Stages the present entry of a path as another hard link to it.
   *
   * @returns the step that brings it back; undefined if that is not possible
   */
  keep(path: string): Step | "kept already" | undefined {
    const stats = this.base.stat(path);
    const type = stats === undefined ? undefined : typeOf(stats);
    if (type === undefined) return undefined;
    const staged = this.opened().area.directoryFor(directoryOf(path));
    const name = nameOf(path);
    try {
      this.base.disk.link(this.base.handle(directoryOf(path)), name, staged, name);
    } catch (error) {
      return errorCode(error) === "EEXIST" ? "kept already" : undefined;
    }
    this.noteChange(path);
    return { kind: StepKind.place, type, path, metadata: NO_METADATA, attributes: undefined };
  }

  /**
   * Adds steps, also to a journal that is ready.
   *
   * @param isPrepared whether no further steps will come
   */
  addSteps(steps: readonly Step[], isPrepared: boolean): void {
    if (steps.length === 0) return;
    const { area, journal } = this.opened();
    if (!this.isReady) {
      for (const step of steps) journal.addStep(step);
      // Until now this transfer had nothing to do.
      if (isPrepared) this.makeReady();
      return;
    }
    this.rewrite(concatenated(area.readJournal("ready"), steps));
  }

  /**
   * Leaves out what later publications have brought since; it is ready.
   *
   * @throws StageError if that is not possible
   */
  leaveTo(leaving: Leaving): void {
    if (this.staged === undefined) return;
    const { area } = this.staged;
    // The steps first: without their entries, they would look like a commit that has begun.
    this.rewrite(stepsLeft(area.readJournal("ready"), leaving));
    removeStaged(area, area.readJournal("ready"), leaving.later);
  }

  private rewrite(steps: Iterable<Step>): void {
    const { area } = this.opened();
    // A half written list must never become the valid one.
    const journal = area.writeJournal();
    try {
      for (const step of steps) journal.addStep(step);
      journal.finish();
    } finally {
      journal.close();
    }
    area.rename("journal", "ready");
    area.sync();
  }

  /** Another transfer is about to commit while this one is ready. */
  markPassed(): void {
    if (this.staged !== undefined && this.isReady) this.staged.area.markPassed();
  }

  /** The steps of the commit. */
  *steps(): Generator<Step> {
    if (this.staged !== undefined && this.isReady) yield* this.staged.area.readJournal("ready");
  }

  /**
   * Removes the rest of the staging area, step by step. Its descriptors are closed even if something of it cannot be removed.
   *
   * @param keptMs when the commit was that is to be kept, in milliseconds since 1970; undefined for no other
   * @returns "too full" if it was to be kept, and there is no room to write that down
   * @throws an error with the path of what is still there
   */
  *removal(keptMs?: number): Generator<undefined, "too full" | undefined> {
    const { staged, changes } = this;
    // One that could not be begun was removed at once, unless that was not possible either.
    if (staged === undefined && this.hasBegun) removeArea(this.base, this.name, this.rules);
    this.staged = undefined;
    this.changes = undefined;
    let kept: "too full" | undefined;
    try {
      staged?.entries.close();
      staged?.journal.close();
      changes?.close();
    } finally {
      if (staged !== undefined && keptMs !== undefined)
        kept = yield* keepArea(this.base, this.rules, staged.area, keptMs);
      else if (staged !== undefined) yield* staged.area.removal();
    }
    return kept;
  }

  /**
   * Removes at once what an undo has staged that is overtaken. Its links to files that come back must be gone before the other
   * transfer switches: later, that would look like a change by hand. The end of the transfer tries again what fails.
   *
   * @param onWork called after each step
   */
  drop(onWork: (() => void) | undefined): void {
    try {
      for (const _ of this.removal()) onWork?.();
    } catch (error) {
      errorCode(error);
    }
  }
}

function* concatenated(first: Iterable<Step>, second: Iterable<Step>): Generator<Step> {
  yield* first;
  yield* second;
}

/** Removes an area that could not be begun; the reason for that is told, and not another one. */
function removeQuietly(area: StagingArea): void {
  try {
    area.remove();
  } catch (error) {
    errorCode(error);
  }
}
