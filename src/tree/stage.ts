import fs from "node:fs";
import { Bitmap } from "../base/bitmap.ts";
import { SegmentKind, segmentsOf } from "../wire/data-block.ts";
import { type Entry, EntryType } from "../wire/entry.ts";
import { decodeManifest, type DirectoryHeader } from "../wire/manifest.ts";
import { directoryOf, joinPath, nameOf } from "../wire/path-rules.ts";
import { type AttributeRules, isSame, setLinkAttributes } from "./attributes.ts";
import { ChangeList } from "./change-list.ts";
import { Committer } from "./commit.ts";
import { bytesOfPath, entryPath } from "../sys/entry-path.ts";
import { type Directories, errorCode } from "./directories.ts";
import { JournalWriter, StepKind } from "./journal.ts";
import type { Protection } from "./protection.ts";
import { explain, readTarget } from "./scan.ts";
import { StagedFiles } from "./staged-files.ts";
import { StagingArea } from "./staging-area.ts";
import { checkAccess, syncFileSystem } from "../sys/files.ts";
import { statDescriptor, statEntry } from "../sys/stat.ts";

/** A transfer cannot go on at this member; the message is the reason that its sender will show. */
export class StageError extends Error {
  override name = "StageError";
}

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
}

/**
 * One incoming transfer on its disk. Compares manifest blocks with the tree, stages what differs with its final
 * attributes below BASE/.makuosan, and at the commit moves it into place. Nothing else of the tree is touched
 * before. Where nothing differs, nothing is written.
 */
export class Stage {
  private readonly base: Directories;
  private readonly rules: AttributeRules;
  private readonly name: string;
  private readonly dryRun: boolean;
  private readonly protection: Protection | undefined;
  private readonly listsChanges: boolean;
  private readonly device: number;
  private area: StagingArea | undefined;
  private journal: JournalWriter | undefined;
  private files: StagedFiles | undefined;
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
    extras: StageExtras = { protection: undefined, listsChanges: false },
  ) {
    this.base = base;
    this.rules = rules;
    this.name = name;
    this.dryRun = dryRun;
    this.protection = extras.protection;
    this.listsChanges = extras.listsChanges;
    this.device = statDescriptor(base.root).device;
    rules.owners.refresh();
    base.forgetAll();
  }

  /**
   * Takes in a manifest block; blocks come in their order.
   *
   * @returns which of its entries are wanted
   * @throws StageError, DecodeError
   */
  plan(plaintext: Uint8Array): Bitmap {
    const block = decodeManifest(plaintext);
    if (block.firstEntry !== this.nextEntry)
      throw new StageError("the sender skipped a part of its manifest");
    const entryCount = block.directories.reduce((sum, directory) => sum + directory.entries.length, 0);
    const wants = new Bitmap(entryCount);
    for (const { header, entries } of block.directories)
      this.planDirectory(header, entries, block.firstEntry, wants);
    this.checkSpace();
    return wants;
  }

  /** What is going to be changed here. */
  get totals(): StageTotals {
    return { entries: this.wantedEntries, bytes: this.wantedBytes };
  }

  /** Whether there is a list of what changes; from prepare() on it is complete. */
  get isListed(): boolean {
    return this.hasChanges;
  }

  /** Writes the segments of a data block that are wanted. */
  write(plaintext: Uint8Array): void {
    for (const segment of segmentsOf(plaintext)) {
      if (segment.kind === SegmentKind.content) this.files?.write(segment);
      else this.files?.withdraw(segment.entry);
    }
  }

  /** Makes everything durable, so that nothing but renames is left to do. */
  prepare(): void {
    if (this.area === undefined || this.journal === undefined) return;
    const incomplete = this.files?.incomplete ?? 0;
    if (incomplete > 0) throw new StageError(`the contents of ${incomplete} entries are incomplete`);
    this.finishChanges(this.area);
    this.journal.flush();
    this.committer(this.area).finishStaged();
    if (this.files?.needsSync === true) syncFileSystem(this.base.root);
    this.journal.finish();
    this.journal = undefined;
    this.area.rename("journal", "ready");
    this.area.sync();
  }

  /**
   * Switches to what is staged.
   *
   * @returns what could not be done of it, as a sentence
   */
  commit(): string | undefined {
    if (this.area === undefined) return undefined;
    const committer = this.committer(this.area);
    committer.begin();
    return committer.apply();
  }

  /** Removes what is left of the staging. */
  clean(): void {
    this.files?.close();
    this.journal?.abandon();
    this.journal = undefined;
    this.changes?.close();
    this.changes = undefined;
    this.area?.remove();
    this.area = undefined;
    // Descriptors that stay open would keep file systems below the base directory from being unmounted.
    this.base.forgetAll();
  }

  /** What the sender has withdrawn does not change, though it was announced. */
  private finishChanges(area: StagingArea): void {
    const isChanged = (path: string) => {
      const parent = area.tree.find(directoryOf(path));
      if (parent !== undefined && statEntry(parent, nameOf(path)) !== undefined) return true;
      return this.base.find(path) !== undefined;
    };
    this.changes?.finish(this.files?.hasWithdrawn === true ? isChanged : undefined);
    this.hasChanges = this.changes !== undefined;
    this.changes = undefined;
  }

  private committer(area: StagingArea): Committer {
    return new Committer(this.base, area, this.rules);
  }

  private planDirectory(
    header: DirectoryHeader,
    entries: readonly Entry[],
    firstEntry: number,
    wants: Bitmap,
  ): void {
    if (this.protection?.coversDirectory(header.path) === true) {
      this.nextEntry += entries.length;
      return;
    }
    // It may have been moved away since it was opened for its own entry.
    this.base.forget(header.path);
    const isThere = this.base.find(header.path) !== undefined;
    if (!isThere) this.checkStaged(header.path);
    let isTouched = false;
    for (const entry of entries) {
      const number = this.nextEntry++;
      const path = joinPath(header.path, entry.name);
      // Asked for anew each time: other directories are opened in between, and few descriptors are kept.
      const real = isThere ? this.base.find(header.path) : undefined;
      if (this.isProtected(real, path, entry)) continue;
      if (real !== undefined && !this.differs(real, path, entry)) continue;
      wants.set(number - firstEntry);
      this.wantedEntries++;
      isTouched = true;
      if (entry.type === EntryType.file) this.wantedBytes += entry.size;
      if (!this.dryRun) this.stageEntry(number, path, entry, real !== undefined);
    }
    if (!isTouched || !isThere || this.dryRun) return;
    const real = this.base.descriptor(header.path);
    this.checkPlaceable(real, header.path);
    if (header.metadata !== undefined) {
      this.opened().journal.add(StepKind.adjust, EntryType.directory, header.path, header.metadata);
    }
  }

  /** A directory that is not there must be one that this transfer brings; otherwise its entries would get lost. */
  private checkStaged(path: string): void {
    if (this.dryRun || this.area?.isNewDirectory(path) === true) return;
    throw new StageError(`${path}: it has vanished here during the transfer`);
  }

  /** What the renames of the commit will need is looked at before the barrier, not after. */
  private checkPlaceable(directory: number, path: string): void {
    if (statDescriptor(directory).device !== this.device) {
      throw new StageError(`${path}: it is on another file system than the base directory`);
    }
    try {
      checkAccess(`/proc/self/fd/${directory}/.`, fs.constants.W_OK | fs.constants.X_OK);
    } catch (error) {
      throw new StageError(`${path === "" ? "the base directory" : path}: ${explain(error)}`);
    }
  }

  /** Whether an entry stays as it is here, be it by what it is going to be or by what it is. */
  private isProtected(directory: number | undefined, path: string, entry: Entry): boolean {
    const { protection } = this;
    if (protection === undefined) return false;
    const becomesDirectory = entry.type === EntryType.directory || entry.type === EntryType.passage;
    if (protection.coversEntry(path, becomesDirectory)) return true;
    const stats = directory === undefined ? undefined : statEntry(directory, entry.name);
    if (stats === undefined || stats.isDirectory() === becomesDirectory) return false;
    if (protection.coversEntry(path, stats.isDirectory())) return true;
    const kept = stats.isDirectory() ? protection.findBelow(this.base, path) : undefined;
    if (kept === undefined) return false;
    throw new StageError(`${path}: it is a directory here, and holds ${kept}, which this host excludes`);
  }

  private differs(directory: number, path: string, entry: Entry): boolean {
    const stats = statEntry(directory, entry.name);
    if (stats === undefined) return true;
    if (entry.type === EntryType.passage) {
      if (stats.isDirectory()) return false;
      throw new StageError(`${path}: it is not a directory here, and a path leads through it`);
    }
    // Only directories are looked at: on an overlay, files may bear the number of a layer below.
    if (stats.isDirectory() && stats.device !== this.device && entry.type !== EntryType.directory) {
      throw new StageError(`${path}: it is on another file system than the base directory`);
    }
    if (!isSame(stats, entry, this.rules)) return true;
    return entry.type === EntryType.symlink && readTarget(directory, entry.name) !== entry.target;
  }

  /** Stages an entry; its content follows, unless it has none. */
  private stageEntry(number: number, path: string, entry: Entry, hasRealParent: boolean): void {
    const { area, journal, files } = this.opened();
    this.changes?.add(path);
    const isDirectory = entry.type === EntryType.directory || entry.type === EntryType.passage;
    if (isDirectory && hasRealParent && this.base.find(path) !== undefined) {
      journal.add(StepKind.adjust, EntryType.directory, path, entry.metadata);
      return;
    }
    const parent = area.directoryFor(directoryOf(path));
    const staged = entryPath(parent, nameOf(path));
    if (isDirectory) {
      makeStagedDirectory(staged);
      journal.add(StepKind.finish, EntryType.directory, path, entry.metadata);
    } else if (entry.type === EntryType.symlink) {
      fs.symlinkSync(bytesOfPath(entry.target), staged);
      setLinkAttributes(staged, entry.metadata, this.rules);
    } else {
      files.expect({ number, path, size: entry.size, metadata: entry.metadata, isPlaced: hasRealParent });
      return;
    }
    if (hasRealParent) journal.add(StepKind.place, isDirectory ? EntryType.directory : entry.type, path);
  }

  private opened(): { area: StagingArea; journal: JournalWriter; files: StagedFiles } {
    this.area ??= StagingArea.create(this.base, this.name);
    this.journal ??= new JournalWriter(this.area.file("journal"));
    if (this.listsChanges) this.changes ??= new ChangeList(this.area.file("changes"));
    this.files ??= new StagedFiles(this.area, this.journal, this.rules);
    return { area: this.area, journal: this.journal, files: this.files };
  }

  /** Better to say at once that it will not fit than to fill the disk. */
  private checkSpace(): void {
    if (this.wantedBytes === 0) return;
    const { bavail, bsize } = fs.statfsSync(`/proc/self/fd/${this.base.root}/.`);
    const freeBytes = bavail * bsize + (this.files?.writtenBytes ?? 0);
    if (this.wantedBytes <= freeBytes) return;
    throw new StageError(`no space: ${this.wantedBytes} bytes are needed and ${freeBytes} are free`);
  }
}

/** A directory may be announced twice: as one on the way to an entry, and for itself. */
function makeStagedDirectory(staged: Buffer): void {
  try {
    fs.mkdirSync(staged, 0o700);
  } catch (error) {
    if (errorCode(error) !== "EEXIST" || !fs.lstatSync(staged).isDirectory()) throw error;
  }
}

/** The reason for whatever went wrong while staging. */
export function stageFailure(error: unknown): string {
  if (error instanceof StageError) return error.message;
  const { path } = error as NodeJS.ErrnoException & { path?: Buffer | string };
  const place = path === undefined ? "" : `${nameOf(String(path))}: `;
  return `${place}${explain(error)}`;
}
