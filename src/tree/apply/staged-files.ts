/** Files while they are written, or copied from the member's own. */
import { type ContentSegment, type HoleSegment, SegmentKind } from "../../wire/data-block.ts";
import { type Attribute, EntryType } from "../../wire/entry.ts";
import type { Metadata } from "../../wire/metadata.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import type { Reason } from "../../base/reason.ts";
import type { FileStats } from "../../sys/stat.ts";
import { StepKind } from "../decide/decision.ts";
import type { Disk, FileHandle } from "../disk/disk.ts";
import type { OpenFile } from "../disk/open-file.ts";
import { type AttributeRules, hasOwnerToSet, modeToSet } from "../entries/attributes.ts";
import { nextPiece } from "../entries/holes.ts";
import type { JournalWriter } from "./journal.ts";
import { setAttributes, setFileRights } from "./set-attributes.ts";
import type { StagingArea } from "./staging-area.ts";
import { writeAll } from "./write-all.ts";

/** Up to this many files are made durable one by one; beyond, the whole file system at once is cheaper. */
const SYNCED_ONE_BY_ONE = 8;

/** Files that are open because only a part of them has arrived: large ones come one after the other, mostly. */
const OPEN_FILES = 64;

/** Mode bits that say who may do what; the others make a program run as somebody else. */
const PERMISSIONS = 0o777;

/** How much of a local file is copied between two looks at what else there is to do. */
const COPIED_BYTES = 4 * 1024 * 1024;

/** Takes down what an entry could not be given. */
export type Note = (path: string, text: Reason) => void;

/** A wanted file whose content is on its way. */
interface ExpectedFile {
  readonly number: number;
  readonly path: string;
  readonly size: number;
  readonly metadata: Metadata;
  /** Extended attributes; undefined where none are set. */
  readonly attributes: readonly Attribute[] | undefined;
  /** Its directory is not staged, so the file itself has to be moved at the commit. */
  readonly isPlaced: boolean;
}

interface PartialFile extends ExpectedFile {
  receivedBytes: number;
  isCreated: boolean;
  /** The mode that it was made with, where that is to be its last one. */
  madeMode: number | undefined;
  handle: FileHandle | undefined;
}

/** The files of one transfer while they are written. Memory holds those that are not complete. */
export class StagedFiles {
  private readonly disk: Disk;
  private readonly area: StagingArea;
  private readonly journal: JournalWriter;
  private readonly rules: AttributeRules;
  private readonly note: Note;
  private readonly partial = new Map<number, PartialFile>();
  private readonly open = new Set<PartialFile>();
  /** What the file system makes of a new file, by the mode that it was asked for: the same for all of one transfer. */
  private readonly made = new Map<number, FileStats>();
  private completed = 0;
  /** Paths that the sender has taken back. */
  private readonly withdrawn = new Set<string>();
  writtenBytes = 0;

  constructor(disk: Disk, area: StagingArea, journal: JournalWriter, rules: AttributeRules, note: Note) {
    this.disk = disk;
    this.area = area;
    this.journal = journal;
    this.rules = rules;
    this.note = note;
  }

  get hasWithdrawn(): boolean {
    return this.withdrawn.size > 0;
  }

  isWithdrawn(path: string): boolean {
    return this.withdrawn.has(path);
  }

  /** Files whose content has not all arrived. */
  get incomplete(): number {
    return this.partial.size;
  }

  /** Whether there is content that has not been made durable. */
  get needsSync(): boolean {
    return this.completed > SYNCED_ONE_BY_ONE;
  }

  expect(file: ExpectedFile): void {
    const partial = partialOf(file);
    if (file.size === 0) this.complete(partial);
    else this.partial.set(file.number, partial);
  }

  /** Writes a piece; one of an entry that is not wanted here is passed over. */
  write(segment: ContentSegment | HoleSegment): void {
    const file = this.partial.get(segment.entry);
    const isHole = segment.kind === SegmentKind.hole;
    const length = isHole ? segment.length : segment.bytes.length;
    if (file === undefined || segment.offset + length > file.size) return;
    const isWhole = length === file.size;
    const handle = isWhole ? this.makeWhole(file) : this.handleOf(file);
    // What is not written is a hole by itself, but for one at the end.
    if (isHole) this.disk.truncate(handle, file.size);
    else writeAll(this.disk, handle, segment.bytes, segment.offset);
    file.receivedBytes += length;
    if (!isHole) this.writtenBytes += length;
    if (file.receivedBytes < file.size) return;
    this.partial.delete(file.number);
    this.complete(file);
  }

  /**
   * Takes the content from a file of this host, and not from the sender.
   *
   * @returns false, step by step, where that file changed meanwhile
   */
  *copy(file: ExpectedFile, from: OpenFile): Generator<undefined, boolean> {
    const partial = partialOf(file);
    const before = from.stat();
    const space = Buffer.allocUnsafe(Math.min(COPIED_BYTES, file.size));
    for (let offset = 0; offset < file.size;) {
      const { start, end } = nextPiece(from, offset, file.size);
      const bytes = from.read(space.subarray(0, Math.min(space.length, end - start)), start);
      // Opened anew each time: between two steps, other files may have needed its place among the open ones.
      writeAll(this.disk, this.handleOf(partial), space.subarray(0, bytes), start);
      this.writtenBytes += bytes;
      offset = start + bytes;
      yield;
    }
    const after = from.stat();
    if (after.mtimeNs !== before.mtimeNs || after.size !== file.size || before.size !== file.size) {
      this.closeFile(partial);
      this.unlink(partial);
      return false;
    }
    this.disk.truncate(this.handleOf(partial), file.size);
    this.complete(partial);
    return true;
  }

  /** The sender takes a file back: it stays here as it was. */
  withdraw(number: number): void {
    const file = this.partial.get(number);
    if (file === undefined) return;
    this.partial.delete(number);
    this.withdrawn.add(file.path);
    this.closeFile(file);
    this.unlink(file);
  }

  close(): void {
    for (const file of this.open) this.closeFile(file);
  }

  private complete(file: PartialFile): void {
    const { disk } = this;
    const handle = this.makeWhole(file);
    if (!this.isMadeRight(file, handle)) setFileRights(disk, handle, file.metadata, this.rules);
    if (file.attributes !== undefined) {
      const parent = this.area.directoryFor(directoryOf(file.path));
      const failure = setAttributes(disk, parent, nameOf(file.path), file.attributes);
      if (failure !== undefined) this.note(file.path, failure);
    }
    if (++this.completed <= SYNCED_ONE_BY_ONE) disk.syncContents(handle);
    disk.setFileTime(handle, file.metadata.mtimeNs);
    this.closeFile(file);
    if (file.isPlaced) this.journal.add(StepKind.place, EntryType.file, file.path);
  }

  /** Opens a file that gets the last of its content now: where it is not made yet, it can have its own mode at once. */
  private makeWhole(file: PartialFile): FileHandle {
    if (!file.isCreated) {
      const mode = modeToSet(file.metadata, this.rules);
      if ((mode & ~PERMISSIONS) === 0) file.madeMode = mode;
    }
    return this.handleOf(file);
  }

  /** Whether a file has got its owner and its mode when it was made. The first one of a mode tells it for all. */
  private isMadeRight(file: PartialFile, handle: FileHandle): boolean {
    const { madeMode, metadata } = file;
    if (madeMode === undefined) return false;
    let stats = this.made.get(madeMode);
    if (stats === undefined) {
      stats = this.disk.statFile(handle);
      this.made.set(madeMode, stats);
    }
    return (stats.mode & 0o7777) === madeMode && hasOwnerToSet(stats, metadata, this.rules);
  }

  private handleOf(file: PartialFile): FileHandle {
    if (file.handle !== undefined) return file.handle;
    for (const oldest of this.open) {
      if (this.open.size < OPEN_FILES) break;
      this.closeFile(oldest);
    }
    const parent = this.area.directoryFor(directoryOf(file.path));
    const name = nameOf(file.path);
    file.handle = file.isCreated
      ? this.disk.openFile(parent, name, "write")
      : this.disk.makeFile(parent, name, file.madeMode ?? 0o600);
    file.isCreated = true;
    this.open.add(file);
    return file.handle;
  }

  private closeFile(file: PartialFile): void {
    this.open.delete(file);
    if (file.handle !== undefined) this.disk.closeFile(file.handle);
    file.handle = undefined;
  }

  private unlink(file: PartialFile): void {
    if (file.isCreated) this.disk.unlink(this.area.directoryFor(directoryOf(file.path)), nameOf(file.path));
  }
}

function partialOf(file: ExpectedFile): PartialFile {
  return { ...file, receivedBytes: 0, isCreated: false, madeMode: undefined, handle: undefined };
}
