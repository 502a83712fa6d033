/** What the writing thread keeps of what transfers replace or delete, so that a push can be taken back. */
import fs from "node:fs";
import { type Reason, reason, sentenceOf } from "../../base/reason.ts";
import { finish } from "../../base/steps.ts";
import {
  boundUndoAreas,
  isKept,
  keepNothing,
  type KeptAreas,
  keptAreas,
  removeOldest,
  type Removal,
  type SpaceOptions,
  undoAreas,
  type UndoBounds,
  undosOf,
} from "../../tree/apply/undo-areas.ts";
import { compileExcludes } from "../../wire/excludes.ts";
import { idOf } from "../../engine/catch-up/undo-choice.ts";
import type { Spare } from "../../tree/apply/stage-extras.ts";
import type { KeepRules } from "../../tree/apply/keeping.ts";
import { type Stage, stageFailure } from "../../tree/apply/stage.ts";
import { listOfKept } from "../../tree/apply/undo-list.ts";
import { goneError } from "../../tree/apply/undoing.ts";
import { type TransferRecord, writeListOfUndo } from "./transfer-record.ts";
import { removeStagingDirectory } from "../../tree/disk/staging-directory.ts";
import type { StagingRules } from "../../tree/apply/staging-root.ts";
import type { FoundUndo, StageReply, UndoChange } from "./messages.ts";
import type { StageBase } from "./stage-base.ts";

/** The last block of a file may be empty except for a byte. */
const BLOCK_BYTES = 4_096;

/** The lists and the record of an area, and the area itself. */
const AREA_FILES = 8;

/** A transfer of the thread, as far as it may have to be taken back, or takes one back. */
export interface StagedTransfer {
  readonly stage: Stage | undefined;
  /** What the transfer publishes; undefined for a dry run. */
  readonly record: TransferRecord | undefined;
  /** Whether its commit has changed the tree, or had nothing to change. */
  isCommitted?: boolean;
}

export class UndoKeeper {
  private readonly base: StageBase;
  private readonly rules: StagingRules;
  private readonly reply: (message: StageReply) => void;
  /** Whether something is kept, or is left of that. */
  private hasAny = false;
  private lastNumber = 0;
  /** Why something could not be removed at the last attempt. The log has it once. */
  private lastFailure = "";
  /** How much is kept from now on. */
  bounds: UndoBounds;

  /** @param reply called when what can be taken back has changed */
  constructor(
    base: StageBase,
    rules: StagingRules,
    bounds: UndoBounds,
    reply: (message: StageReply) => void,
  ) {
    this.base = base;
    this.rules = rules;
    this.bounds = bounds;
    this.reply = reply;
  }

  /** Whether commits keep what they replace. */
  get isOn(): boolean {
    return this.bounds.pushes > 0;
  }

  /** Whether a transfer keeps what it replaces; only its commit knows whether it brings an undo. */
  rulesFor(record: TransferRecord): KeepRules {
    return {
      mayKeep: () => this.isOn && record.origin !== undefined,
      keeps: () => this.isOn && record.canBeTakenBack,
      number: () => this.nextNumber(),
      follows: () => record.followed,
    };
  }

  /** The number of the next commit that keeps something. Another disk may have been mounted since the last one. */
  nextNumber(): number {
    const [newest] = undoAreas(this.base.directories, this.rules);
    return (this.lastNumber = Math.max(this.lastNumber, newest?.number ?? 0) + 1);
  }

  /**
   * The undos that an earlier run has staged, with their lists: that run may have ended before it could write them.
   *
   * @param lists the beginning of the path of each list; undefined if none are kept
   */
  recover(lists: string | undefined): FoundUndo[] {
    const { directories } = this.base;
    const found = undosOf(directories, this.rules).map((area) => {
      const isWritten = lists === undefined || fs.existsSync(lists + area.name);
      const list = isWritten ? undefined : listOfKept(directories, this.rules, area);
      return { area, isListed: list !== undefined && writeListOfUndo((lists ?? "") + area.name, list) };
    });
    // Files change when they lose the names in what was taken back.
    this.look();
    const nowMs = Date.now();
    return found.map(({ area, isListed }) =>
      isListed ? { ...area, atMs: nowMs, list: area.name } : { ...area, list: "" },
    );
  }

  /** Looks at what an earlier run has kept; the settings may have changed. */
  look(): void {
    this.hasAny = keptAreas(this.base.directories, this.rules).hasAny;
    if (this.hasAny) finish(this.bound());
  }

  /**
   * A transfer that takes back an earlier one has no entries: what is kept of that one is staged.
   *
   * @throws StageError if nothing is
   */
  stage({ stage, record }: StagedTransfer): void {
    const origin = record?.origin;
    if (stage === undefined || origin?.kind !== "undo") return;
    const undone = idOf(origin.announced.undoes);
    if (this.keeps(undone)) {
      const { paths, recursive, excludes } = origin.announced.scope;
      stage.undo(undone, { paths, recursive, isExcluded: compileExcludes(excludes, this.base.path) });
      return;
    }
    // Whether this host may follow is decided by its log, not here.
    stage.tell(reason("undo-follows"));
    throw goneError(undone);
  }

  /** A transfer has ended: what it kept is added, and the oldest may have to go, step by step. */
  *noteEnd(name: string, { stage, record, isCommitted }: StagedTransfer): Generator<undefined> {
    if (isCommitted !== true || stage === undefined || !(this.isOn || this.hasAny)) return;
    const isUnchanged = !stage.isSwitched && this.isOn && record?.canBeTakenBack === true;
    // A host that only follows an undo is going to be changed by another transfer. If that changes nothing, an earlier one may have
    // done so that was cut off.
    const follows = record?.origin?.kind !== "publication" && stage.undone === undefined;
    const keptAs = record?.followed?.undo ?? name;
    if (isUnchanged && !follows) this.keepNothing(name);
    const isLost = record?.followed !== undefined && stage.isSwitched && !this.keeps(keptAs);
    if (stage.lacking !== undefined || isLost) this.report([keptAs], "commit", stage.lacking);
    yield* this.bound();
  }

  private keeps(name: string): boolean {
    return isKept(this.base.directories, this.rules, name);
  }

  private keepNothing(name: string): void {
    try {
      const kept = { atMs: Date.now(), number: this.nextNumber() };
      keepNothing(this.base.directories, this.rules, name, kept);
    } catch (error) {
      this.report([name], "commit", "", stageFailure(error));
    }
  }

  /**
   * Gives the room of the oldest to a transfer that needs it.
   *
   * @returns whether there was anything to give
   */
  makeRoom(options: SpaceOptions): boolean {
    const { hasFreed, ...removal } = removeOldest(this.base.directories, this.rules, options);
    this.reportRemoval(removal, "space");
    return hasFreed;
  }

  /** A commit that a start has finished was to be kept, and could not be. */
  noteUnkept(name: string, path = ""): void {
    this.report([name], "commit", path);
  }

  /** Removes BASE/.makuosan if nothing is left in it. */
  tidy(): void {
    const { disk, root } = this.base.directories;
    removeStagingDirectory(disk, root);
  }

  /** What that would give at most: not all of it, where files have other names as well. */
  spare(isUsed: (name: string) => boolean): Spare {
    let [bytes, inodes] = [0, 0];
    for (const { name, sizeBytes, entries } of undoAreas(this.base.directories, this.rules)) {
      if (isUsed(name)) continue;
      bytes += sizeBytes + (entries + AREA_FILES) * BLOCK_BYTES;
      inodes += entries + AREA_FILES;
    }
    return { bytes, inodes };
  }

  /** Removes the oldest that is kept, step by step, until the rest keeps within the bounds. */
  *bound(): Generator<undefined> {
    const { left, ...removal } = yield* boundUndoAreas(this.base.directories, this.rules, this.bounds);
    this.reportRemoval(removal, "bounds", left);
  }

  private reportRemoval({ removed, failure }: Removal, why: "bounds" | "space", left?: KeptAreas): void {
    const told = failure && stageFailure(failure);
    const text = told === undefined ? "" : sentenceOf(told);
    const isNew = text !== "" && text !== this.lastFailure;
    // Only the bounds look at what is left of earlier ones.
    if (why === "bounds" || isNew) this.lastFailure = text;
    if (why === "space" && removed.length === 0 && !isNew) return;
    const names = removed.map(({ name }) => name);
    this.tell(left ?? this.read(), { dropped: names, why, failure: isNew ? told : undefined });
  }

  private report(dropped: readonly string[], why: UndoChange["why"], path?: string, failure?: Reason): void {
    this.tell(this.read(), { dropped, why, path, failure });
  }

  private read(): KeptAreas {
    return keptAreas(this.base.directories, this.rules);
  }

  private tell({ areas, hasAny }: KeptAreas, change: Omit<UndoChange, "kind" | "areas">): void {
    this.hasAny = hasAny;
    this.reply({ kind: "undo-areas", areas, ...change });
  }
}
