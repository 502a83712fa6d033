/** The receiving side: one incoming transfer from its first block to its commit. */
import { syncFileSystem } from "../../sys/files.ts";
import { SegmentKind, segmentsOf } from "../../wire/data-block.ts";
import { EntryType } from "../../wire/entry.ts";
import { type Finding, FindingKind } from "../../wire/findings.ts";
import type { Metadata } from "../../wire/metadata.ts";
import { nameOf } from "../../wire/path-rules.ts";
import { type AttributeRules, metadataOf } from "../entries/attributes.ts";
import { Committer } from "./commit.ts";
import type { Directories } from "../disk/directories.ts";
import { explain } from "../reasons/explain.ts";
import { FindingList } from "./findings.ts";
import { type Step, StepKind } from "./journal.ts";
import { Planner, type StagePlan } from "../decide/planner.ts";
import { Precedence } from "../decide/precedence.ts";
import type { Protection } from "../decide/protection.ts";
import { RefusalError, StageError } from "../reasons/stage-error.ts";
import { Staging } from "./staging.ts";
import type { StagingArea } from "./staging-area.ts";
import { DEFAULT_DELETE_LIMIT, type DeleteLimit } from "../decide/superfluous.ts";

/** How much of a transfer is wanted. */
export interface StageTotals {
  readonly entries: number;
  readonly bytes: number;
}

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
  private readonly dryRun: boolean;
  private readonly deleteLimit: DeleteLimit;
  private readonly findings = new FindingList();
  private readonly precedence: Precedence;
  private readonly staging: Staging;
  private readonly planner: Planner;
  private isPrepared = false;
  private readonly keptDirectories = new Set<string>();
  /** Why it must not commit any more. */
  private overtaken: string | undefined;

  constructor(
    base: Directories,
    rules: AttributeRules,
    name: string,
    dryRun: boolean,
    extras: StageExtras = NO_EXTRAS,
  ) {
    this.base = base;
    this.rules = rules;
    this.dryRun = dryRun;
    this.deleteLimit = extras.deleteLimit;
    this.precedence = new Precedence(base);
    const note = (path: string, text: string) => this.findings.add(FindingKind.note, path, text);
    const isSame = (path: string) => this.precedence.isSame(path);
    this.staging = new Staging(base, rules, name, extras.listsChanges, { note, isSame });
    const { protection } = extras;
    const { findings, precedence, staging } = this;
    this.planner = new Planner({ base, rules, dryRun, protection, findings, precedence, staging });
    rules.owners.refresh();
    base.forgetAll();
  }

  /**
   * Takes in a manifest block; blocks come in their order.
   *
   * @returns step by step which of its entries are wanted: others may be served between two steps
   * @throws StageError, DecodeError
   */
  plan(plaintext: Uint8Array): Generator<undefined, StagePlan> {
    return this.planner.plan(plaintext);
  }

  /** What is going to be changed here. */
  get totals(): StageTotals {
    return { entries: this.planner.wantedEntries, bytes: this.planner.wantedBytes };
  }

  /** Whether there is a list of what changes; from prepare() on it is complete. */
  get isListed(): boolean {
    return this.staging.isListed;
  }

  /** How much there is to tell the sender. */
  get findingCount(): number {
    return this.findings.count;
  }

  findingsFrom(first: number, most: number): Finding[] {
    return this.findings.from(first, most);
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
    for (const { path, text } of this.committer(staged.area).finishStaged())
      this.findings.add(FindingKind.note, path, text);
    if (staged.entries.needsSync) syncFileSystem(this.base.root);
    this.staging.makeReady();
  }

  /**
   * Switches to what is staged.
   *
   * @returns what could not be done of it, as a sentence
   */
  commit(): string | undefined {
    if (this.overtaken !== undefined) return this.overtaken;
    const { staged } = this.staging;
    if (staged === undefined) return undefined;
    const committer = this.committer(staged.area);
    committer.begin();
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
    if (this.dryRun || this.overtaken !== undefined) return;
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
        this.overtaken ??= `${path}: another transfer has replaced it meanwhile: push again`;
      },
    });
    this.staging.addSteps(added, this.isPrepared);
  }

  /** Removes what is left of the staging. */
  clean(): void {
    this.staging.remove();
    // Descriptors that stay open would keep file systems below the base directory from being unmounted.
    this.base.forgetAll();
  }

  private metadataOf(path: string): Metadata | undefined {
    const stats = this.base.statsOf(path);
    return stats === undefined ? undefined : metadataOf(stats, this.rules.owners);
  }

  private committer(area: StagingArea): Committer {
    return new Committer(this.base, area, this.rules);
  }
}

/** The reason for whatever went wrong while staging. */
export function stageFailure(error: unknown): string {
  if (error instanceof StageError) return error.message;
  const { path } = error as NodeJS.ErrnoException & { path?: Buffer | string };
  const place = path === undefined ? "" : `${nameOf(String(path))}: `;
  return `${place}${explain(error)}`;
}
