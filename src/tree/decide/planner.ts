/** Compares manifest blocks with the tree, and has staged what differs. */
import type { Bitmap } from "../../base/bitmap.ts";
import { type FileStats, statEntry } from "../../sys/stat.ts";
import { Difference, differingEntries, isOfAttributesAlone } from "../../wire/differences.ts";
import { type Entry, EntryType, isDevice } from "../../wire/entry.ts";
import { FindingKind } from "../../wire/findings.ts";
import { decodeManifest, type ManifestDirectory } from "../../wire/manifest.ts";
import { directoryOf, joinPath } from "../../wire/path-rules.ts";
import type { AttributeRules } from "../entries/attributes.ts";
import { differenceOf, isPlainlySame, isSameFile } from "./compare.ts";
import type { EntryBelow } from "../disk/below.ts";
import type { Directories } from "../disk/directories.ts";
import type { FindingList } from "../apply/findings.ts";
import { StepKind } from "../apply/journal.ts";
import { Places } from "./places.ts";
import type { Precedence } from "./precedence.ts";
import type { Protection } from "./protection.ts";
import { StageError } from "../reasons/stage-error.ts";
import type { Staging } from "../apply/staging.ts";
import { Superfluous } from "./superfluous.ts";

/** What is wanted of a manifest block. */
export interface StagePlan {
  readonly wants: Bitmap;
  /** How each entry differs, where the sender has to know. */
  readonly differences: Uint8Array | undefined;
}

/** What a planner works with. */
export interface PlannerParts {
  readonly base: Directories;
  readonly rules: AttributeRules;
  readonly dryRun: boolean;
  /** What stays as it is here. */
  readonly protection: Protection | undefined;
  readonly findings: FindingList;
  readonly precedence: Precedence;
  readonly staging: Staging;
}

/**
 * Compares manifest blocks with the tree, and has staged what differs: finds what is wanted, what is superfluous, and what
 * would stand in the way of a commit.
 */
export class Planner {
  private readonly base: Directories;
  private readonly rules: AttributeRules;
  private readonly dryRun: boolean;
  private readonly protection: Protection | undefined;
  private readonly findings: FindingList;
  private readonly precedence: Precedence;
  private readonly staging: Staging;
  private readonly places: Places;
  /** Files that are going to be new ones, and that others are names of. */
  private readonly linkTargets = new Set<string>();
  private nextEntry = 0;
  readonly superfluous: Superfluous;
  /** What is going to be changed here. */
  wantedEntries = 0;
  wantedBytes = 0;

  constructor(parts: PlannerParts) {
    this.base = parts.base;
    this.rules = parts.rules;
    this.dryRun = parts.dryRun;
    this.protection = parts.protection;
    this.findings = parts.findings;
    this.precedence = parts.precedence;
    this.staging = parts.staging;
    this.places = new Places(parts.base, parts.rules);
    this.superfluous = new Superfluous(parts.base, parts.protection);
  }

  /**
   * Takes in a manifest block; blocks come in their order.
   *
   * @returns step by step which of its entries are wanted: others may be served between two steps
   * @throws StageError, DecodeError
   */
  *plan(plaintext: Uint8Array): Generator<undefined, StagePlan> {
    const block = decodeManifest(plaintext);
    if (block.firstEntry !== this.nextEntry)
      throw new StageError("the sender skipped a part of its manifest");
    this.superfluous.accept(block.terms, block.excludes);
    const entryCount = block.directories.reduce((sum, directory) => sum + directory.entries.length, 0);
    const differences = new Uint8Array(entryCount);
    const plan = { differences, firstEntry: block.firstEntry, hasCopies: false };
    for (const directory of block.directories) yield* this.planDirectory(directory, plan);
    this.places.checkSpace(this.wantedBytes, this.staging.staged?.entries.writtenBytes ?? 0);
    const isTold = this.superfluous.isCheck || plan.hasCopies;
    return { wants: differingEntries(differences), differences: isTold ? differences : undefined };
  }

  private *planDirectory(
    directory: ManifestDirectory,
    plan: { differences: Uint8Array; firstEntry: number; hasCopies: boolean },
  ): Generator<undefined> {
    const { header, entries } = directory;
    if (this.protection?.coversDirectory(header.path) === true) {
      this.nextEntry += entries.length;
      return;
    }
    // It may have been moved away since it was opened for its own entry.
    this.base.forget(header.path);
    const isThere = this.base.find(header.path) !== undefined;
    let isTouched = false;
    let isPlaceKnown = isThere;
    for (const entry of entries) {
      const number = this.nextEntry++;
      // A passage stands between the entries of another directory.
      if (entry.type !== EntryType.passage) this.superfluous.note(header.path, entry.name);
      if (this.superfluous.isLooking) this.precedence.noteKnown(header.path, entry.name);
      if (entry.type === EntryType.kept) continue;
      // Asked for anew each time: other directories are opened in between, and few descriptors are kept.
      const real = isThere ? this.base.find(header.path) : undefined;
      if (entry.type === EntryType.gone) {
        this.superfluous.checkExpected();
        if (real !== undefined)
          isTouched = (yield* this.planRemovals("of", joinPath(header.path, entry.name))) || isTouched;
        continue;
      }
      if (!isPlaceKnown) this.checkStaged(header.path);
      isPlaceKnown = true;
      const stats = real === undefined ? undefined : statEntry(real, entry.name);
      if (this.isSame(header.path, entry, stats)) continue;
      const path = joinPath(header.path, entry.name);
      const difference = yield* this.planEntry(number, path, entry, real, stats);
      plan.differences[number - plan.firstEntry] = difference;
      isTouched ||= difference !== 0;
      plan.hasCopies ||= entry.type === EntryType.file && difference !== 0 && isOfAttributesAlone(difference);
    }
    if (directory.isComplete) {
      this.superfluous.checkExpected();
      this.precedence.noteComplete(header.path);
    }
    if (!isThere) return;
    if (directory.isComplete) {
      isTouched = (yield* this.planRemovals("in", header.path)) || isTouched;
    }
    if (isTouched && !this.dryRun) this.touch(directory);
  }

  /** The directory itself changes with what is in it. */
  private touch({ header }: ManifestDirectory): void {
    this.places.checkWritable(this.base.descriptor(header.path), header.path);
    this.precedence.noteUsed(header.path);
    if (header.metadata !== undefined) {
      this.staging.opened().journal.add(StepKind.adjust, EntryType.directory, header.path, header);
    }
  }

  /** Most entries are files as they should be: these need none of the steps that the others may take. */
  private isSame(directory: string, entry: Entry, stats: FileStats | undefined): boolean {
    if (stats === undefined || this.protection !== undefined) return false;
    if (!isPlainlySame(stats, entry, this.rules)) return false;
    this.precedence.noteSame(directory, entry.name);
    return true;
  }

  /** @returns how the entry differs; what differs is staged, or its contents are awaited */
  private *planEntry(
    number: number,
    path: string,
    entry: Entry,
    real: number | undefined,
    stats: FileStats | undefined,
  ): Generator<undefined, number> {
    if (this.isProtected(path, entry, stats)) return 0;
    let difference: number = Difference.missing;
    if (real !== undefined && stats !== undefined) {
      if (entry.type === EntryType.passage) this.places.checkPassage(path, stats);
      difference = yield* this.compare(real, stats, path, entry);
      if (difference === 0) this.precedence.noteSame(directoryOf(path), entry.name);
      else this.places.checkReplaceable(path, entry, stats);
    }
    if (entry.extras?.hasOtherNames === true && difference !== 0) this.linkTargets.add(path);
    if (difference === 0) return 0;
    if (stats?.isDirectory() === true && (difference & Difference.type) !== 0)
      yield* this.planReplaced(path, stats);
    if (isDevice(entry.type) && !this.rules.keepOwner) return this.leaveOut(path);
    const count = () => {
      this.wantedEntries++;
      if (entry.type === EntryType.file && !isOfAttributesAlone(difference))
        this.wantedBytes += entry.extras?.allocated ?? entry.size;
      this.staging.noteChange(path);
      return difference;
    };
    if (this.dryRun) return count();
    const { entries } = this.staging.opened();
    const place = { number, path, hasRealParent: real !== undefined };
    if (entry.type === EntryType.file && isOfAttributesAlone(difference)) {
      if (yield* entries.copy(place, entry)) return count();
      // It cannot be read here, or has changed: then the sender has to send it.
      difference |= Difference.contents;
    }
    return entries.stage(place, entry) ? count() : this.leaveOut(path);
  }

  private leaveOut(path: string): number {
    this.findings.add(FindingKind.note, path, "it cannot be made there, so it is left out");
    return 0;
  }

  private *compare(real: number, stats: FileStats, path: string, entry: Entry): Generator<undefined, number> {
    if (entry.type === EntryType.passage) return 0;
    const difference = yield* differenceOf(real, stats, entry, this.rules);
    if (entry.extras?.digest !== undefined && !this.isStill(stats, path))
      return difference | Difference.contents;
    if (entry.type !== EntryType.hardLink || (difference & Difference.type) !== 0) return difference;
    const isLinked =
      !this.linkTargets.has(entry.target) && isSameFile(stats, this.base.statsOf(entry.target));
    return isLinked ? 0 : Difference.contents;
  }

  /** While a file was read for its digest, another transfer may have replaced it. */
  private isStill(stats: FileStats, path: string): boolean {
    const now = this.base.statsOf(path);
    return now?.inode === stats.inode && now.mtimeNs === stats.mtimeNs && now.size === stats.size;
  }

  /**
   * Plans what is deleted: a path, or all that is superfluous in a directory.
   *
   * @returns whether anything is
   */
  private *planRemovals(which: "of" | "in", place: string): Generator<undefined, boolean> {
    // A dry run tells what is superfluous, whoever may delete it.
    const obstacle = (entry: EntryBelow) => (this.dryRun ? undefined : this.places.checkDeletable(entry));
    const paths =
      which === "in" ? this.superfluous.in(place, obstacle) : this.superfluous.removalsOf(place, obstacle);
    let isTouched = false;
    for (const path of paths) {
      if (path !== undefined) {
        isTouched = true;
        this.planRemoval(path);
      }
      yield;
    }
    return isTouched;
  }

  /** All that is in a directory goes when something else takes its place. */
  private *planReplaced(path: string, stats: FileStats): Generator<undefined> {
    const obstacle = (entry: EntryBelow) => this.places.checkDeletable(entry);
    for (const one of yield* this.superfluous.replaced(path, stats, obstacle)) {
      this.findings.add(FindingKind.superfluous, one);
      this.staging.noteChange(one);
    }
  }

  private planRemoval(path: string): void {
    if (!this.dryRun) {
      this.places.checkRemovable(path);
      this.staging.opened().journal.add(StepKind.remove, EntryType.file, path);
    }
    for (const one of this.superfluous.pathsOf(path)) {
      this.wantedEntries++;
      this.findings.add(FindingKind.superfluous, one);
      this.staging.noteChange(one);
    }
  }

  /** A directory that is not there must be one that this transfer brings; otherwise its entries would get lost. */
  private checkStaged(path: string): void {
    if (this.dryRun || this.staging.staged?.area.isNewDirectory(path) === true) return;
    throw new StageError(`${path}: it has vanished here during the transfer`);
  }

  /** Whether an entry stays as it is here, be it by what it is going to be or by what it is. */
  private isProtected(path: string, entry: Entry, stats: FileStats | undefined): boolean {
    const { protection } = this;
    if (protection === undefined) return false;
    const becomesDirectory = entry.type === EntryType.directory || entry.type === EntryType.passage;
    if (protection.coversEntry(path, becomesDirectory)) return true;
    if (stats === undefined || stats.isDirectory() === becomesDirectory) return false;
    if (protection.coversEntry(path, stats.isDirectory())) return true;
    const kept = stats.isDirectory() ? protection.findBelow(this.base, path) : undefined;
    if (kept === undefined) return false;
    throw new StageError(`${path}: it is a directory here, and holds ${kept}, which this host excludes`);
  }
}
