/** The receiving side of one transfer, from its first block to its commit. */
import type { Reason } from "../../base/reason.ts";
import { errorCode } from "../../sys/system-error.ts";
import { SegmentKind, segmentsOf } from "../../wire/data-block.ts";
import { EntryType } from "../../wire/entry.ts";
import type { Finding } from "../../wire/findings.ts";
import type { Metadata } from "../../wire/metadata.ts";
import { nameOf } from "../../wire/path-rules.ts";
import { type Decision, type Outcome, type Step, StepKind } from "../decide/decision.ts";
import { Planner, type StagePlan } from "../decide/planner.ts";
import { Obstacles } from "../decide/obstacles.ts";
import { Precedence } from "../decide/precedence.ts";
import type { Protection } from "../decide/protection.ts";
import type { Directories } from "../disk/directories.ts";
import { type AttributeRules, metadataOf } from "../entries/attributes.ts";
import { unpack } from "../entries/compression.ts";
import type { ListRow } from "../entries/published-list.ts";
import { pathOfError, reasonFor } from "../reasons/explain.ts";
import { RefusalError, StageError } from "../reasons/stage-error.ts";
import { Committer } from "./commit.ts";
import { Durability } from "./durability.ts";
import { carryOutAll, type Executor } from "./executor.ts";
import { DryRunExecutor } from "./dry-run-executor.ts";
import { retireFailedCommits } from "./failed-commits.ts";
import { beginKeeping, type KeepRules, noteMade } from "./keeping.ts";
import { LaterPaths } from "./later-paths.ts";
import type { ManifestRecord } from "./manifest-record.ts";
import type { PathsOfPush } from "./other-names.ts";
import { NO_EXTRAS, type StageExtras } from "./stage-extras.ts";
import { StageRoom } from "./stage-room.ts";
import type { DeleteLimit } from "../decide/superfluous.ts";
import { Staging } from "./staging.ts";
import type { StagingArea } from "./staging-area.ts";
import { StagingExecutor } from "./staging-executor.ts";
import { writeUndone } from "./undo-records.ts";
import { Undoing } from "./undoing.ts";
import { type StageTotals, Tally } from "./tally.ts";

/**
 * One incoming transfer on its disk. It compares manifest blocks with the tree, and stages what differs below
 * BASE/.makuosan, with its final attributes. At the commit it moves the new entries into place and deletes superfluous
 * ones. Before that it touches nothing else in the tree. If nothing differs, it writes nothing.
 */
export class Stage {
  private readonly base: Directories;
  private readonly rules: AttributeRules;
  private readonly deleteLimit: DeleteLimit;
  private readonly tally = new Tally();
  private readonly precedence: Precedence;
  private readonly obstacles: Obstacles;
  private readonly staging: Staging;
  private readonly executor: Executor;
  private readonly planner: Planner;
  private readonly durability: Durability;
  private readonly onWork: (() => void) | undefined;
  private readonly room: StageRoom;
  private readonly keeping: KeepRules | undefined;
  private committer: Committer | undefined;
  private committedMs = 0;
  /** Whether the commit was to keep what it replaces, and could not write down what that is. */
  private isUnkept = false;
  private readonly manifest: ManifestRecord | undefined;
  private readonly protection: Protection | undefined;
  /** The name of the earlier transfer that it takes back by what is kept of that; undefined if it takes back none. */
  undone: string | undefined;
  private undoing: Undoing | undefined;
  private isPrepared = false;
  private readonly keptDirectories = new Set<string>();
  /** Why this transfer may no longer commit. */
  private overtaken: Reason | undefined;

  /** @param dryRun whether decisions are only reported */
  constructor(
    base: Directories,
    rules: AttributeRules,
    name: string,
    dryRun: boolean,
    extras: StageExtras = NO_EXTRAS,
  ) {
    this.base = base;
    this.rules = rules;
    this.deleteLimit = extras.deleteLimit;
    this.onWork = extras.onWork;
    this.keeping = extras.keeping;
    this.durability = new Durability(base);
    this.precedence = new Precedence(base);
    this.obstacles = new Obstacles(base, rules);
    const note = (path: string, why: Reason) => this.tally.noteReason(path, why);
    const isSame = (path: string) => this.precedence.isSame(path);
    const { listsChanges, onMoved, protection } = extras;
    this.staging = new Staging(base, rules, name, listsChanges, { note, isSame, onMoved });
    this.executor = dryRun
      ? new DryRunExecutor(() => this.planner.superfluous.isCheck)
      : new StagingExecutor(this.staging);
    const { obstacles, executor, tally, precedence } = this;
    this.room = new StageRoom({ tree: base, obstacles, executor, tally, room: extras.room });
    this.protection = protection;
    this.manifest = extras.manifest;
    const onBlock = this.manifest?.note.bind(this.manifest);
    this.planner = new Planner({ tree: base, rules, protection, precedence, onBlock });
    rules.owners.refresh();
    base.forgetAll();
  }

  /**
   * Compares a manifest block with the tree. Blocks come in their order.
   *
   * @returns the wanted entries, step by step, so that other transfers get their turn between two steps
   * @throws StageError, DecodeError
   */
  *plan(plaintext: Uint8Array): Generator<undefined, StagePlan> {
    const note = (decision: Decision, outcome: Outcome) => {
      // A check asks how things are, not whether a push could change them.
      if (decision.kind === "refuse" && this.planner.superfluous.isCheck) return;
      for (const path of this.tally.note(decision, outcome)) this.staging.noteChange(path);
    };
    const plan = yield* carryOutAll(this.planner.plan(plaintext), this.executor, note);
    // A check asks how things are: it needs no room.
    if (!this.planner.superfluous.isCheck) this.room.check();
    return plan;
  }

  /** So many bytes are to be written still at least; 0 if that is not known. */
  get missingBytes(): number {
    return this.room.missingBytes;
  }

  /** How much is going to change on this member. */
  get totals(): StageTotals {
    return this.tally.totals;
  }

  /** Whether there is a list of the changes; it is complete after prepare(). */
  get isListed(): boolean {
    return this.staging.isListed;
  }

  /** How many findings there are for the sender. */
  get findingCount(): number {
    return this.tally.findings.count;
  }

  findingsFrom(first: number, most: number): Finding[] {
    return this.tally.findings.from(first, most);
  }

  /** Writes the wanted segments of a data block. */
  write(plaintext: Uint8Array): void {
    const entries = this.staging.staged?.entries;
    this.room.make(plaintext.length);
    for (const segment of segmentsOf(plaintext, unpack)) {
      if (segment.kind === SegmentKind.withdrawn) {
        entries?.withdraw(segment.entry);
        this.room.noteWithdrawn();
        this.manifest?.withdraw(segment.entry);
      } else entries?.write(segment);
    }
  }

  /**
   * Stages what takes back an earlier transfer, in place of a manifest with entries.
   *
   * @param undone the name of that transfer; it has an area
   * @param push what that was about
   */
  undo(undone: string, push?: PathsOfPush): void {
    this.undone = undone;
    const { base, rules, protection } = this;
    const undoing = (this.undoing = new Undoing(base, rules, undone, protection, {
      changes: (path, type, size) => {
        this.tally.noteUndone(path, type, size);
        this.manifest?.noteUndone?.(path, type);
        this.staging.noteChange(path);
      },
      stays: (path, why) => this.tally.noteReason(path, why),
      isNamed: (path) => this.manifest?.noteUndone?.(path, EntryType.file),
    }));
    for (const _ of undoing.check()) this.onWork?.();
    if (!undoing.hasSteps) return;
    const staged = this.staging.opened();
    writeUndone(base.disk, staged.area.handle, undone);
    for (const _ of undoing.stage(staged, push)) this.onWork?.();
  }

  /** Tells the sender something that is about no path. */
  tell(why: Reason): void {
    this.tally.noteReason("", why);
  }

  /**
   * Makes everything durable, so that only renames are left.
   *
   * @throws RefusalError if more would be deleted than this member allows, StageError if that is no reason to stop the others
   */
  prepare(): void {
    const trustsForce = this.manifest?.trustsForce !== false;
    const excess = this.planner.superfluous.excess(this.deleteLimit, trustsForce);
    // Others that it brings pushes to at the same time may delete as much.
    if (excess !== undefined) throw trustsForce ? new RefusalError(excess) : new StageError(excess);
    if (this.overtaken !== undefined) throw new StageError(this.overtaken);
    this.isPrepared = true;
    const { staged } = this.staging;
    if (staged === undefined) return;
    staged.entries.finish();
    this.staging.finishChanges();
    staged.journal.flush();
    if (this.keeping?.mayKeep() === true) noteMade(this.base, staged.area);
    const committer = new Committer(this.base, staged.area, this.rules, this.onWork);
    for (const { path, why } of committer.finishStaged()) this.tally.noteReason(path, why);
    this.durability.syncStaged(staged.entries.needsSync);
    if (this.undone !== undefined) this.manifest?.keepIn?.(this.base.disk, staged.area.handle);
    this.staging.makeReady();
  }

  /**
   * Switches to the staged entries. What has left the tree is to be deleted by clear().
   *
   * @returns why a part of it failed; its `when` says whether anything has changed
   */
  commit(): Reason | undefined {
    if (this.overtaken !== undefined) return this.overtaken;
    const { staged } = this.staging;
    if (staged === undefined) {
      this.forgetUndone();
      return undefined;
    }
    const committer = new Committer(this.base, staged.area, this.rules, this.onWork);
    try {
      retireFailedCommits(this.base, this.rules);
      this.beginKeeping(staged.area);
      committer.begin();
    } catch (error) {
      return stageFailure(error);
    }
    this.committer = committer;
    const failure = committer.apply();
    // A file changes when it loses its other name, and from the end of the commit on that would look like a change by hand.
    if (failure === undefined) this.forgetUndone();
    this.committedMs = Date.now();
    return failure;
  }

  private beginKeeping(area: StagingArea): void {
    const { keeping } = this;
    if (keeping?.keeps() !== true) return;
    const kept = { number: keeping.number(), follows: keeping.follows?.() };
    this.isUnkept = !beginKeeping(this.base, area, this.rules, kept);
  }

  /** The files that were brought back are not kept any more. The commit is over: what cannot be removed goes with the next bounds. */
  private forgetUndone(): void {
    const { undoing } = this;
    if (undoing === undefined) return;
    this.undoing = undefined;
    try {
      for (const _ of undoing.removal()) this.onWork?.();
    } catch (error) {
      errorCode(error);
    }
  }

  /**
   * Deletes what a commit has taken out of the tree, step by step. Other transfers may be staged and committed meanwhile.
   *
   * @returns the failure of the commit, with those of these deletes; undefined also if the commit did not begin
   */
  *clear(): Generator<undefined, Reason | undefined> {
    return this.committer === undefined ? undefined : yield* this.committer.clear();
  }

  /** Whether the commit changes anything, after prepare(). */
  get hasChanges(): boolean {
    return this.staging.staged !== undefined;
  }

  /** The steps of the commit, after prepare(). */
  steps(): Generator<Step> {
    return this.staging.steps();
  }

  /**
   * Another transfer commits before this one. It may change entries that this one has found to be right: then its own commit has
   * to bring them back, or it fails.
   *
   * @param steps of the other transfer
   * @returns why this transfer fails, as soon as that is known
   */
  yieldTo(steps: Iterable<Step>): Reason | undefined {
    if (this.executor instanceof DryRunExecutor || this.overtaken !== undefined) return undefined;
    try {
      try {
        this.undoing?.checkConflict(steps);
        if (this.undoing === undefined && this.manifest?.isCatchUp !== true) this.keepFrom(steps);
      } finally {
        this.staging.markPassed();
      }
    } catch (error) {
      this.overtaken = stageFailure(error);
      if (this.undoing !== undefined) this.staging.drop(this.onWork);
    }
    return this.overtaken;
  }

  /**
   * Leaves alone what later publications have brought here since; called before the commit. A failure is that of the commit.
   *
   * @param read reads the lists of these publications
   */
  leaveTo(read: () => readonly (readonly ListRow[])[]): void {
    const { base, durability } = this;
    base.forgetAll();
    try {
      const later = new LaterPaths(read(), (path) => base.stat(path)?.isDirectory() === true);
      this.staging.leaveTo({ base, later, metadataOf: (path) => this.metadataOf(path) });
      durability.syncStaged(false);
    } catch (error) {
      this.overtaken ??= stageFailure(error);
    }
  }

  private keepFrom(steps: Iterable<Step>): void {
    const added: Step[] = [];
    this.precedence.yieldTo(steps, {
      keepEntry: (path) => {
        const step = this.staging.keep(path);
        if (step !== undefined && step !== "kept already") added.push(step);
        return step !== undefined;
      },
      keepDirectory: (path) => {
        // At a second call, the metadata would be those that the first of the other transfers has set.
        const metadata = this.keptDirectories.has(path) ? undefined : this.metadataOf(path);
        if (metadata === undefined) return;
        this.keptDirectories.add(path);
        const type = EntryType.directory;
        added.push({ kind: StepKind.adjust, type, path, metadata, attributes: undefined });
      },
      bringsOther: (path) => this.staging.bringsOther(path),
      giveUp: (path) => {
        this.overtaken ??= StageError.of("overtaken", path).reason;
      },
    });
    const { staged } = this.staging;
    // Recovery assumes that a missing entry is in its place already: kept entries have to be durable first.
    if (this.isPrepared && added.length > 0 && staged !== undefined)
      this.durability.syncStaged(staged.entries.needsSync);
    this.staging.addSteps(added, this.isPrepared);
  }

  /** Whether the commit has changed something. */
  get isSwitched(): boolean {
    return this.committer !== undefined;
  }

  /** Whether what the commit has replaced or deleted is kept by clean(). */
  get isKept(): boolean {
    return this.staging.staged !== undefined && this.committer?.isKept === true;
  }

  /** The first path of which the old entry could not be kept, if it was to be. */
  get lacking(): string | undefined {
    return this.isUnkept ? "" : this.committer?.keeping?.lacking;
  }

  /** Removes the rest of the staging area, step by step; or keeps in it what has left the tree. */
  *clean(): Generator<undefined> {
    this.undoing?.close();
    const { isKept } = this;
    const kept = yield* this.staging.removal(isKept ? this.committedMs : undefined);
    if (kept === "too full") this.isUnkept = true;
    // Open directories would keep file systems below the base directory from being unmounted.
    this.base.forgetAll();
  }

  private metadataOf(path: string): Metadata | undefined {
    const stats = this.base.stat(path);
    return stats === undefined ? undefined : metadataOf(stats, this.rules.owners);
  }
}

/** The reason for any error while staging. One that names no path is about the base directory. */
export function stageFailure(error: unknown): Reason {
  const { path } = error as NodeJS.ErrnoException & { path?: Buffer | string };
  return reasonFor(error, pathOfError(error) ?? (path === undefined ? "" : nameOf(String(path))));
}
