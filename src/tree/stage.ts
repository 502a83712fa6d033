import { Bitmap } from "../base/bitmap.ts";
import { SegmentKind, segmentsOf } from "../wire/data-block.ts";
import { Difference, hasContents } from "../wire/differences.ts";
import { type Entry, EntryType, isDevice } from "../wire/entry.ts";
import { type Finding, FindingKind } from "../wire/findings.ts";
import { decodeManifest, type ManifestDirectory } from "../wire/manifest.ts";
import { directoryOf, joinPath, nameOf } from "../wire/path-rules.ts";
import type { AttributeRules } from "./attributes.ts";
import { ChangeList } from "./change-list.ts";
import { Committer } from "./commit.ts";
import { differenceOf, isSameFile } from "./compare.ts";
import { type Directories } from "./directories.ts";
import { explain } from "./explain.ts";
import { FindingList } from "./findings.ts";
import { JournalWriter, StepKind } from "./journal.ts";
import { Places } from "./places.ts";
import type { Protection } from "./protection.ts";
import { RefusalError, StageError } from "./stage-error.ts";
import { StagedEntries } from "./staged-entries.ts";
import { StagingArea } from "./staging-area.ts";
import { DEFAULT_DELETE_LIMIT, type DeleteLimit, Superfluous } from "./superfluous.ts";
import { syncFileSystem } from "../sys/files.ts";
import { type FileStats, statEntry } from "../sys/stat.ts";

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

/** What is wanted of a manifest block. */
export interface StagePlan {
  readonly wants: Bitmap;
  /** How each entry differs, where the sender has to know. */
  readonly differences: Uint8Array | undefined;
}

/** What is staged so far, once anything is. */
interface Staged {
  readonly area: StagingArea;
  readonly journal: JournalWriter;
  readonly entries: StagedEntries;
}

/**
 * One incoming transfer on its disk. Compares manifest blocks with the tree, stages what differs with its final
 * attributes below BASE/.makuosan, and at the commit moves it into place and deletes what is superfluous. Nothing else of
 * the tree is touched before. Where nothing differs, nothing is written.
 */
export class Stage {
  private readonly base: Directories;
  private readonly rules: AttributeRules;
  private readonly name: string;
  private readonly dryRun: boolean;
  private readonly extras: StageExtras;
  private readonly superfluous: Superfluous;
  private readonly findings = new FindingList();
  private readonly places: Places;
  private staged: Staged | undefined;
  private changes: ChangeList | undefined;
  private hasChanges = false;
  private nextEntry = 0;
  private wantedEntries = 0;
  private wantedBytes = 0;

  constructor(
    base: Directories,
    rules: AttributeRules,
    name: string,
    dryRun: boolean,
    extras: StageExtras = NO_EXTRAS,
  ) {
    this.base = base;
    this.rules = rules;
    this.name = name;
    this.dryRun = dryRun;
    this.extras = extras;
    this.superfluous = new Superfluous(base, extras.protection);
    this.places = new Places(base);
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
    const block = decodeManifest(plaintext);
    if (block.firstEntry !== this.nextEntry)
      throw new StageError("the sender skipped a part of its manifest");
    this.superfluous.accept(block.terms, block.excludes);
    const entryCount = block.directories.reduce((sum, directory) => sum + directory.entries.length, 0);
    const differences = new Uint8Array(entryCount);
    const plan = { differences, firstEntry: block.firstEntry, hasCopies: false };
    for (const directory of block.directories) yield* this.planDirectory(directory, plan);
    this.places.checkSpace(this.wantedBytes, this.staged?.entries.writtenBytes ?? 0);
    const wants = new Bitmap(entryCount);
    for (let index = 0; index < entryCount; index++) if (differences[index] !== 0) wants.set(index);
    const isTold = this.superfluous.isCheck || plan.hasCopies;
    return { wants, differences: isTold ? differences : undefined };
  }

  /** What is going to be changed here. */
  get totals(): StageTotals {
    return { entries: this.wantedEntries, bytes: this.wantedBytes };
  }

  /** Whether there is a list of what changes; from prepare() on it is complete. */
  get isListed(): boolean {
    return this.hasChanges;
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
    for (const segment of segmentsOf(plaintext)) {
      if (segment.kind === SegmentKind.withdrawn) this.staged?.entries.withdraw(segment.entry);
      else this.staged?.entries.write(segment);
    }
  }

  /**
   * Makes everything durable, so that nothing but renames is left to do.
   *
   * @throws RefusalError where more would be deleted than this member allows
   */
  prepare(): void {
    const excess = this.superfluous.excess(this.extras.deleteLimit);
    if (excess !== undefined) throw new RefusalError(excess);
    if (this.staged === undefined) return;
    const { area, journal, entries } = this.staged;
    entries.finish();
    this.finishChanges(this.staged);
    journal.flush();
    for (const note of this.committer(area).finishStaged()) this.note(note.path, note.text);
    if (entries.needsSync) syncFileSystem(this.base.root);
    journal.finish();
    area.rename("journal", "ready");
    area.sync();
  }

  /**
   * Switches to what is staged.
   *
   * @returns what could not be done of it, as a sentence
   */
  commit(): string | undefined {
    if (this.staged === undefined) return undefined;
    const committer = this.committer(this.staged.area);
    committer.begin();
    return committer.apply();
  }

  /** Removes what is left of the staging. */
  clean(): void {
    this.staged?.entries.close();
    this.staged?.journal.close();
    this.changes?.close();
    this.changes = undefined;
    this.staged?.area.remove();
    this.staged = undefined;
    // Descriptors that stay open would keep file systems below the base directory from being unmounted.
    this.base.forgetAll();
  }

  /** Tells the sender something of a path. */
  private note(path: string, text: string): void {
    this.findings.add(FindingKind.note, path, text);
  }

  /** What the sender has withdrawn does not change, though it was announced. */
  private finishChanges({ area, entries }: Staged): void {
    const isChanged = (path: string) => {
      const parent = area.tree.find(directoryOf(path));
      if (parent !== undefined && statEntry(parent, nameOf(path)) !== undefined) return true;
      return this.base.find(path) !== undefined;
    };
    this.changes?.finish(entries.hasWithdrawn ? isChanged : undefined);
    this.hasChanges = this.changes !== undefined;
    this.changes = undefined;
  }

  private committer(area: StagingArea): Committer {
    return new Committer(this.base, area, this.rules);
  }

  private *planDirectory(
    directory: ManifestDirectory,
    plan: { differences: Uint8Array; firstEntry: number; hasCopies: boolean },
  ): Generator<undefined> {
    const { header, entries } = directory;
    if (this.extras.protection?.coversDirectory(header.path) === true) {
      this.nextEntry += entries.length;
      return;
    }
    // It may have been moved away since it was opened for its own entry.
    this.base.forget(header.path);
    const isThere = this.base.find(header.path) !== undefined;
    let isTouched = false;
    for (const entry of entries) {
      const number = this.nextEntry++;
      this.superfluous.note(header.path, entry.name);
      if (entry.type === EntryType.kept) continue;
      // Asked for anew each time: other directories are opened in between, and few descriptors are kept.
      const real = isThere ? this.base.find(header.path) : undefined;
      if (entry.type === EntryType.gone) {
        if (real !== undefined) isTouched = this.planRemovals(header.path, entry.name) || isTouched;
        continue;
      }
      if (!isThere) this.checkStaged(header.path);
      const difference = yield* this.planEntry(number, joinPath(header.path, entry.name), entry, real);
      plan.differences[number - plan.firstEntry] = difference;
      isTouched ||= difference !== 0;
      plan.hasCopies ||= entry.type === EntryType.file && difference !== 0 && hasContents(difference);
    }
    if (!isThere) return;
    if (directory.isComplete) isTouched = this.planRemovals(header.path) || isTouched;
    if (isTouched && !this.dryRun) this.touch(directory);
  }

  /** The directory itself changes with what is in it. */
  private touch({ header }: ManifestDirectory): void {
    this.places.checkWritable(this.base.descriptor(header.path), header.path);
    if (header.metadata !== undefined) {
      this.opened().journal.add(StepKind.adjust, EntryType.directory, header.path, header);
    }
  }

  /** @returns how the entry differs; what differs is staged, or its contents are awaited */
  private *planEntry(
    number: number,
    path: string,
    entry: Entry,
    real: number | undefined,
  ): Generator<undefined, number> {
    const stats = real === undefined ? undefined : statEntry(real, entry.name);
    if (this.isProtected(path, entry, stats)) return 0;
    let difference: number = Difference.missing;
    if (real !== undefined && stats !== undefined) {
      this.places.checkReplaceable(path, entry, stats);
      difference = yield* this.compare(real, stats, entry);
    }
    if (difference === 0) return 0;
    if (isDevice(entry.type) && !this.rules.keepOwner) return this.leaveOut(path);
    this.wantedEntries++;
    const needsContents = entry.type === EntryType.file && !hasContents(difference);
    if (needsContents) this.wantedBytes += entry.extras?.allocated ?? entry.size;
    if (this.dryRun) return difference;
    const { entries } = this.opened();
    const place = { number, path, hasRealParent: real !== undefined };
    if (entry.type === EntryType.file && !needsContents) yield* entries.copy(place, entry);
    else if (!entries.stage(place, entry)) return this.leaveOut(path);
    this.changes?.add(path);
    return difference;
  }

  private leaveOut(path: string): number {
    this.note(path, "a device node cannot be made there, so it is left out");
    return 0;
  }

  private *compare(real: number, stats: FileStats, entry: Entry): Generator<undefined, number> {
    if (entry.type === EntryType.passage) return 0;
    const difference = yield* differenceOf(real, stats, entry, this.rules);
    if (entry.type !== EntryType.hardLink || (difference & Difference.type) !== 0) return difference;
    const isLinked =
      this.staged?.entries.hasLinkTarget(entry.target) !== true &&
      isSameFile(stats, this.base.find(directoryOf(entry.target)), nameOf(entry.target));
    return isLinked ? 0 : Difference.contents;
  }

  /**
   * What is deleted of a directory: one of its entries, or all that is superfluous in it.
   *
   * @returns whether anything is
   */
  private planRemovals(directory: string, name?: string): boolean {
    const obstacle = (path: string) => this.places.checkDevice(path);
    const paths =
      name === undefined
        ? this.superfluous.in(directory, obstacle)
        : this.superfluous.removalsOf(joinPath(directory, name), obstacle);
    let isTouched = false;
    for (const path of paths) {
      const parent = this.base.find(directoryOf(path));
      if (parent === undefined || statEntry(parent, nameOf(path)) === undefined) continue;
      isTouched = true;
      this.planRemoval(path);
    }
    return isTouched;
  }

  private planRemoval(path: string): void {
    if (!this.dryRun) {
      this.places.checkRemovable(path);
      this.opened().journal.add(StepKind.remove, EntryType.file, path);
    }
    for (const one of this.superfluous.pathsOf(path)) {
      this.wantedEntries++;
      this.findings.add(FindingKind.superfluous, one);
      this.changes?.add(one);
    }
  }

  /** A directory that is not there must be one that this transfer brings; otherwise its entries would get lost. */
  private checkStaged(path: string): void {
    if (this.dryRun || this.staged?.area.isNewDirectory(path) === true) return;
    throw new StageError(`${path}: it has vanished here during the transfer`);
  }

  /** Whether an entry stays as it is here, be it by what it is going to be or by what it is. */
  private isProtected(path: string, entry: Entry, stats: FileStats | undefined): boolean {
    const { protection } = this.extras;
    if (protection === undefined) return false;
    const becomesDirectory = entry.type === EntryType.directory || entry.type === EntryType.passage;
    if (protection.coversEntry(path, becomesDirectory)) return true;
    if (stats === undefined || stats.isDirectory() === becomesDirectory) return false;
    if (protection.coversEntry(path, stats.isDirectory())) return true;
    const kept = stats.isDirectory() ? protection.findBelow(this.base, path) : undefined;
    if (kept === undefined) return false;
    throw new StageError(`${path}: it is a directory here, and holds ${kept}, which this host excludes`);
  }

  private opened(): Staged {
    if (this.staged !== undefined) return this.staged;
    const area = StagingArea.create(this.base, this.name);
    const journal = new JournalWriter(area.file("journal"));
    if (this.extras.listsChanges) this.changes = new ChangeList(area.file("changes"));
    const note = (path: string, text: string) => this.note(path, text);
    const entries = new StagedEntries(this.base, area, journal, this.rules, note);
    this.staged = { area, journal, entries };
    return this.staged;
  }
}

/** The reason for whatever went wrong while staging. */
export function stageFailure(error: unknown): string {
  if (error instanceof StageError) return error.message;
  const { path } = error as NodeJS.ErrnoException & { path?: Buffer | string };
  const place = path === undefined ? "" : `${nameOf(String(path))}: `;
  return `${place}${explain(error)}`;
}
