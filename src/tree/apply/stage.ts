/** The receiving side: one incoming transfer from its first block to its commit. */
import type { Reason } from "../../base/reason.ts";
import { SegmentKind, segmentsOf } from "../../wire/data-block.ts";
import { EntryType } from "../../wire/entry.ts";
import type { Finding } from "../../wire/findings.ts";
import type { Metadata } from "../../wire/metadata.ts";
import { nameOf } from "../../wire/path-rules.ts";
import { type Decision, type Outcome, type Step, StepKind } from "../decide/decision.ts";
import { Planner, type StagePlan } from "../decide/planner.ts";
import { Places } from "../decide/places.ts";
import { Precedence } from "../decide/precedence.ts";
import type { Protection } from "../decide/protection.ts";
import { DEFAULT_DELETE_LIMIT, type DeleteLimit } from "../decide/superfluous.ts";
import type { Directories } from "../disk/directories.ts";
import { type AttributeRules, metadataOf } from "../entries/attributes.ts";
import { reasonFor } from "../reasons/explain.ts";
import { RefusalError, StageError } from "../reasons/stage-error.ts";
import { Committer } from "./commit.ts";
import { Durability } from "./durability.ts";
import { carryOutAll, type Executor } from "./executor.ts";
import { ReportExecutor } from "./report-executor.ts";
import { Staging } from "./staging.ts";
import { StagingExecutor } from "./staging-executor.ts";
import { type StageTotals, Tally } from "./tally.ts";

/** What a node may ask for beside the staging itself. */
export interface StageExtras {
  /** What stays as it is here. */
  readonly protection: Protection | undefined;
  /** Whether the paths that change are listed in a file of the staging area, `changes`. */
  readonly listsChanges: boolean;
  readonly deleteLimit: DeleteLimit;
}

const NO_EXTRAS: StageExtras = {
  protection: undefined,
  listsChanges: false,
  deleteLimit: DEFAULT_DELETE_LIMIT,
};

/**
 * One incoming transfer on its disk. Compares manifest blocks with the tree, stages what differs with its final
 * attributes below BASE/.makuosan, and at the commit moves it into place and deletes what is superfluous. Nothing else of
 * the tree is touched before. Where nothing differs, nothing is written.
 */
export class Stage {
  private readonly base: Directories;
  private readonly rules: AttributeRules;
  private readonly deleteLimit: DeleteLimit;
  private readonly tally = new Tally();
  private readonly precedence: Precedence;
  private readonly places: Places;
  private readonly staging: Staging;
  private readonly executor: Executor;
  private readonly planner: Planner;
  private readonly durability: Durability;
  private isPrepared = false;
  private readonly keptDirectories = new Set<string>();
  /** Why it must not commit any more. */
  private overtaken: Reason | undefined;

  /** @param dryRun whether decisions are only told */
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
    this.durability = new Durability(base);
    this.precedence = new Precedence(base);
    this.places = new Places(base, rules);
    const note = (path: string, why: Reason) => this.tally.noteReason(path, why);
    const isSame = (path: string) => this.precedence.isSame(path);
    this.staging = new Staging(base, rules, name, extras.listsChanges, { note, isSame });
    this.executor = dryRun ? new ReportExecutor() : new StagingExecutor(this.staging);
    const { protection } = extras;
    this.planner = new Planner({ tree: base, rules, protection, precedence: this.precedence });
    rules.owners.refresh();
    base.forgetAll();
  }

  /**
   * Takes in a manifest block; blocks come in their order.
   *
   * @returns step by step which of its entries are wanted: others may be served between two steps
   * @throws StageError, DecodeError
   */
  *plan(plaintext: Uint8Array): Generator<undefined, StagePlan> {
    const note = (decision: Decision, outcome: Outcome) => {
      // A check asks how things are, not whether a push could change them.
      if (decision.kind === "refuse" && this.planner.superfluous.isCheck) return;
      for (const path of this.tally.note(decision, outcome)) this.staging.noteChange(path);
    };
    const plan = yield* carryOutAll(this.planner.plan(plaintext), this.executor, note);
    this.places.checkSpace(this.totals.bytes, this.executor.writtenBytes);
    return plan;
  }

  /** What is going to be changed here. */
  get totals(): StageTotals {
    return this.tally.totals;
  }

  /** Whether there is a list of what changes; from prepare() on it is complete. */
  get isListed(): boolean {
    return this.staging.isListed;
  }

  /** How much there is to tell the sender. */
  get findingCount(): number {
    return this.tally.findings.count;
  }

  findingsFrom(first: number, most: number): Finding[] {
    return this.tally.findings.from(first, most);
  }

  /** Writes the segments of a data block that are wanted. */
  write(plaintext: Uint8Array): void {
    const entries = this.staging.staged?.entries;
    for (const segment of segmentsOf(plaintext)) {
      if (segment.kind === SegmentKind.withdrawn) entries?.withdraw(segment.entry);
      else entries?.write(segment);
    }
  }

  /**
   * Makes everything durable, so that nothing but renames is left to do.
   *
   * @throws RefusalError where more would be deleted than this member allows
   */
  prepare(): void {
    const excess = this.planner.superfluous.excess(this.deleteLimit);
    if (excess !== undefined) throw new RefusalError(excess);
    if (this.overtaken !== undefined) throw new StageError(this.overtaken);
    this.isPrepared = true;
    const { staged } = this.staging;
    if (staged === undefined) return;
    staged.entries.finish();
    this.staging.finishChanges();
    staged.journal.flush();
    for (const { path, why } of new Committer(this.base, staged.area, this.rules).finishStaged())
      this.tally.noteReason(path, why);
    this.durability.syncStaged(staged.entries.needsSync);
    this.staging.makeReady();
  }

  /**
   * Switches to what is staged.
   *
   * @returns why something of it could not be done; its `when` says whether anything has changed
   */
  commit(): Reason | undefined {
    if (this.overtaken !== undefined) return this.overtaken;
    const { staged } = this.staging;
    if (staged === undefined) return undefined;
    const committer = new Committer(this.base, staged.area, this.rules);
    try {
      committer.begin();
    } catch (error) {
      return stageFailure(error);
    }
    return committer.apply();
  }

  /** The steps that the commit will take, once it is prepared. */
  steps(): Generator<Step> {
    return this.staging.steps();
  }

  /**
   * Another transfer is going to commit before this one: what it changes, and this one has found to be right, has to come
   * back with this one's commit. Where that is not possible, this transfer fails.
   *
   * @param steps of the other one
   */
  yieldTo(steps: Iterable<Step>): void {
    if (this.executor instanceof ReportExecutor || this.overtaken !== undefined) return;
    try {
      this.keepFrom(steps);
    } catch (error) {
      this.overtaken = stageFailure(error);
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
        // A second time, it would be what the first of the others has made of it.
        const metadata = this.keptDirectories.has(path) ? undefined : this.metadataOf(path);
        if (metadata === undefined) return;
        this.keptDirectories.add(path);
        const type = EntryType.directory;
        added.push({ kind: StepKind.adjust, type, path, metadata, attributes: undefined });
      },
      giveUp: (path) => {
        this.overtaken ??= StageError.of("overtaken", path).reason;
      },
    });
    const { staged } = this.staging;
    // Recovery takes a missing entry for one that is in its place already: all that is kept has to be durable first.
    if (this.isPrepared && added.length > 0 && staged !== undefined)
      this.durability.syncStaged(staged.entries.needsSync);
    this.staging.addSteps(added, this.isPrepared);
  }

  /** Removes what is left of the staging. */
  clean(): void {
    this.staging.remove();
    // Directories that stay open would keep file systems below the base directory from being unmounted.
    this.base.forgetAll();
  }

  private metadataOf(path: string): Metadata | undefined {
    const stats = this.base.stat(path);
    return stats === undefined ? undefined : metadataOf(stats, this.rules.owners);
  }
}

/** The reason for whatever went wrong while staging. */
export function stageFailure(error: unknown): Reason {
  const { path } = error as NodeJS.ErrnoException & { path?: Buffer | string };
  return reasonFor(error, path === undefined ? undefined : nameOf(String(path)));
}
