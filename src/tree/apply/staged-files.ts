/** Files while they are written, or copied from the member's own files. */
import { type ContentSegment, type HoleSegment, SegmentKind } from "../../wire/data-block.ts";
import { EntryType } from "../../wire/entry.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import type { Reason } from "../../base/reason.ts";
import type { FileStats } from "../../sys/stat.ts";
import { StepKind } from "../decide/decision.ts";
import type { Disk, FileHandle } from "../disk/disk.ts";
import type { OpenFile } from "../disk/open-file.ts";
import { type AttributeRules, hasOwnerToSet, modeToSet } from "../entries/attributes.ts";
import type { Part } from "../entries/part.ts";
import { isSameState } from "../entries/same-file.ts";
import { nextPiece } from "../entries/holes.ts";
import { errorAt } from "../reasons/explain.ts";
import { FoundChunks } from "./found-chunks.ts";
import type { JournalWriter } from "./journal.ts";
import { keepAttributes, keptAttributes } from "./kept-attributes.ts";
import { type ExpectedFile, type PartialFile, partialOf } from "./partial-file.ts";
import { readRecognized } from "./recognized-contents.ts";
import { setAttributes, setFileRights, setFileTime } from "./set-attributes.ts";
import type { StagingArea } from "./staging-area.ts";
import { writeAll, writeZeros } from "./write-all.ts";
import { WrittenParts } from "./written-parts.ts";

/** Up to this many files are made durable one by one; for more, one sync of the whole file system is cheaper. */
const SYNCED_ONE_BY_ONE = 8;

/** Open files of which only a part has arrived. Few are enough: large files mostly come one after another. */
const OPEN_FILES = 64;

/** Permission bits; the other bits of a mode make a program run as another user. */
const PERMISSIONS = 0o777;

/** How much of a local file is copied before other work gets its turn; chosen without measurement. */
const COPIED_BYTES = 4 * 1024 * 1024;

/**
 * Most places of one segment at which something is written. A segment has at most 64 KiB, and chunks have 32 KiB or more, so only a
 * sender that lies leaves more gaps; each of them costs a call of the kernel.
 */
const MOST_GAPS = 8;

/** Records why an entry could not get everything. */
export type Note = (path: string, text: Reason) => void;

/** The files of one transfer while they are written. Memory holds only files that are not complete. */
export class StagedFiles {
  private readonly disk: Disk;
  private readonly area: StagingArea;
  private readonly journal: JournalWriter;
  private readonly rules: AttributeRules;
  private readonly note: Note;
  private readonly partial = new Map<number, PartialFile>();
  private readonly open = new Set<PartialFile>();
  /** The stats of a new file for each mode that was asked for: they are the same for all new files of one directory. */
  private readonly made = new Map<number, FileStats>();
  private madeIn: string | undefined;
  private completed = 0;
  /** Paths that the sender has withdrawn. */
  private readonly withdrawn = new Set<string>();
  /** Bytes of contents that came from the sender, or from a look-alike; files of which only attributes change do not count. */
  writtenBytes = 0;
  /** Chunks of files that are found on this member. */
  readonly found: FoundChunks;

  constructor(disk: Disk, area: StagingArea, journal: JournalWriter, rules: AttributeRules, note: Note) {
    this.disk = disk;
    this.area = area;
    this.journal = journal;
    this.rules = rules;
    this.note = note;
    this.found = new FoundChunks({
      disk,
      expected: (number) => this.partial.get(number),
      handleOf: (file) => this.handleOf(file),
      put: (file, segment, length) => this.put(file, segment, length),
      keep: (file, part) => this.keep(file, part),
    });
  }

  get hasWithdrawn(): boolean {
    return this.withdrawn.size > 0;
  }

  isWithdrawn(path: string): boolean {
    return this.withdrawn.has(path);
  }

  /** How many files have not all of their contents. */
  get incomplete(): number {
    return this.partial.size;
  }

  /** Whether some contents are not durable yet. */
  get needsSync(): boolean {
    return this.completed > SYNCED_ONE_BY_ONE;
  }

  expect(file: ExpectedFile): void {
    const partial = partialOf(file);
    if (file.size === 0) this.complete(partial);
    else this.partial.set(file.number, partial);
  }

  /** Writes what of a piece is not written yet; pieces of entries that are not wanted are skipped. */
  write(segment: ContentSegment | HoleSegment): void {
    const file = this.partial.get(segment.entry);
    const length = segment.kind === SegmentKind.hole ? segment.length : segment.bytes.length;
    if (file === undefined || file.isTaken || segment.offset + length > file.size) return;
    this.put(file, segment, length);
    file.search?.noteWritten(length);
  }

  private put(file: PartialFile, segment: ContentSegment | HoleSegment, length: number): void {
    try {
      if (length === file.size && file.written === undefined)
        this.writeAt(file, segment, this.makeWhole(file));
      else if (!this.writeMissing(file, segment, length)) return;
      this.forget(file);
      this.complete(file);
    } catch (error) {
      throw errorAt(file.path, error);
    }
  }

  /**
   * Parts may come that were found on this member, because another member needs them: they are left out. But where little
   * pieces are missing in many places, all is written again: what the sender sends is as good as what was found.
   *
   * @returns whether all of the file is written
   */
  private writeMissing(file: PartialFile, segment: ContentSegment | HoleSegment, length: number): boolean {
    const written = (file.written ??= new WrittenParts());
    const whole = { start: segment.offset, end: segment.offset + length };
    const missing = written.missingOf(whole);
    // The sender sends parts in their order, or nearly so, and never makes so many.
    if (written.isFull && missing.some((part) => written.isApart(part))) return false;
    for (const part of missing.length > MOST_GAPS ? [whole] : missing) {
      written.add(part);
      this.writeAt(file, partOf(segment, part), this.handleOf(file));
    }
    return written.bytes === file.size;
  }

  private writeAt(file: PartialFile, segment: ContentSegment | HoleSegment, handle: FileHandle): void {
    if (segment.kind === SegmentKind.hole) {
      // Bytes that are never written are a hole already, except for a hole at the end of the file.
      if (file.isClone) writeZeros(this.disk, handle, segment.offset, segment.length);
      this.disk.truncate(handle, file.size);
      return;
    }
    writeAll(this.disk, handle, segment.bytes, segment.offset);
    this.writtenBytes += segment.bytes.length;
  }

  /**
   * Copies the contents from a file of this host instead of the sender's.
   *
   * @returns false, step by step, if that file changed while it was copied
   */
  *copy(file: ExpectedFile, from: OpenFile): Generator<undefined, boolean> {
    const partial = partialOf(file);
    const before = from.stat();
    const space = Buffer.allocUnsafe(Math.min(COPIED_BYTES, file.size));
    for (let offset = 0; offset < file.size;) {
      const { start, end } = nextPiece(from, offset, file.size);
      const bytes = from.read(space.subarray(0, Math.min(space.length, end - start)), start);
      if (bytes === 0 && start < file.size) break;
      // Opened again each time: between two steps, other files may have closed it to be open themselves.
      writeAll(this.disk, this.handleOf(partial), space.subarray(0, bytes), start);
      offset = start + bytes;
      yield;
    }
    // Before the last look at the file: if they change in between, the look shows it.
    partial.kept = keptAttributes(from, hasOwnerToSet(before, file.metadata, this.rules));
    const after = from.stat();
    if (!isSameState(before, after) || before.size !== file.size) {
      this.closeFile(partial);
      this.unlink(partial);
      return false;
    }
    this.disk.truncate(this.handleOf(partial), file.size);
    this.complete(partial);
    return true;
  }

  /**
   * Takes the contents of a file from one of its look-alikes instead of the sender.
   *
   * @param digest the first bytes of their SHA-256
   * @param open opens a file of this host; undefined if it cannot be read, or has another size
   * @returns false, step by step, if the sender has to send them; true also if the file is not expected
   */
  *recognize(
    number: number,
    digest: Uint8Array,
    open: (path: string, size: number) => OpenFile | undefined,
  ): Generator<undefined, boolean> {
    const file = this.partial.get(number);
    if (file === undefined) return true;
    for (const path of file.lookAlikes) {
      // The sender begins only after this member has answered; if it has begun before, nothing is mixed with that.
      if (this.partial.get(number) !== file || file.written !== undefined) break;
      const from = open(path, file.size);
      if (from === undefined) continue;
      try {
        file.isTaken = true;
        if (yield* this.takeFrom(from, file, digest)) return true;
      } catch (error) {
        throw errorAt(file.path, error);
      } finally {
        file.isTaken = false;
        from.close();
      }
    }
    return this.partial.get(number) !== file;
  }

  /** A part of a file is there already. */
  private keep(file: PartialFile, part: Part): void {
    file.written ??= new WrittenParts();
    file.written.add(part);
    this.writtenBytes += part.end - part.start;
    if (file.written.bytes < file.size) return;
    this.forget(file);
    this.complete(file);
  }

  private *takeFrom(from: OpenFile, file: PartialFile, digest: Uint8Array): Generator<undefined, boolean> {
    const isExpected = () => this.partial.get(file.number) === file;
    const write = (bytes: Uint8Array, offset: number) => {
      // It may have been withdrawn.
      if (!isExpected()) return false;
      const handle = bytes.length === file.size ? this.makeWhole(file) : this.handleOf(file);
      writeAll(this.disk, handle, bytes, offset);
      return true;
    };
    if (yield* readRecognized(from, file.size, digest, write)) {
      this.writtenBytes += file.size;
      this.partial.delete(file.number);
      this.complete(file);
      return true;
    }
    // Holes are never written, so nothing may be left of other contents.
    if (isExpected() && file.isCreated) this.disk.truncate(this.handleOf(file), 0);
    return false;
  }

  /** The sender withdraws a file: the member's own stays as it was. */
  withdraw(number: number): void {
    const file = this.partial.get(number);
    if (file === undefined) return;
    this.forget(file);
    this.withdrawn.add(file.path);
    this.closeFile(file);
    this.unlink(file);
  }

  close(): void {
    this.found.end();
    for (const file of this.open) this.closeFile(file);
  }

  /** Nothing more of a file is expected. */
  private forget(file: PartialFile): void {
    this.partial.delete(file.number);
    file.search?.end();
  }

  private complete(file: PartialFile): void {
    const { disk } = this;
    const handle = this.makeWhole(file);
    // A copy is never made right: it was opened before its last piece.
    if (!this.isMadeRight(file, handle))
      setFileRights(disk, handle, file.metadata, this.rules, () => this.keepAttributes(file));
    if (file.attributes !== undefined) {
      const parent = this.area.directoryFor(directoryOf(file.path));
      const failure = setAttributes(disk, parent, nameOf(file.path), file.attributes);
      if (failure !== undefined) this.note(file.path, failure);
    }
    if (++this.completed <= SYNCED_ONE_BY_ONE) disk.syncContents(handle);
    setFileTime(disk, handle, file.metadata);
    this.closeFile(file);
    if (file.isPlaced) this.journal.add(StepKind.place, EntryType.file, file.path);
  }

  /**
   * Gives a copy the extended attributes of the member's own file. Its access control list comes before the mode, as if the
   * mode of that file had been changed in place.
   */
  private keepAttributes(file: PartialFile): void {
    if (file.kept === undefined) return;
    const parent = this.area.directoryFor(directoryOf(file.path));
    const failure = keepAttributes(this.disk, parent, nameOf(file.path), file.kept);
    // If the sender's attributes follow, they count.
    if (failure !== undefined && file.attributes === undefined) this.note(file.path, failure);
  }

  /** Opens a file for the last of its contents. If it does not exist yet, it is created with its final mode. */
  private makeWhole(file: PartialFile): FileHandle {
    if (!file.isCreated) {
      const mode = modeToSet(file.metadata, this.rules);
      if ((mode & ~PERMISSIONS) === 0) file.madeMode = mode;
    }
    return this.handleOf(file);
  }

  /** Whether a file got its owner and its mode when it was created. The first file of a mode answers it for its directory. */
  private isMadeRight(file: PartialFile, handle: FileHandle): boolean {
    const { madeMode, metadata } = file;
    if (madeMode === undefined) return false;
    const directory = directoryOf(file.path);
    if (directory !== this.madeIn) this.made.clear();
    this.madeIn = directory;
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
    file.search?.dropClone();
    if (file.handle !== undefined) this.disk.closeFile(file.handle);
    file.handle = undefined;
  }

  private unlink(file: PartialFile): void {
    if (file.isCreated) this.disk.unlink(this.area.directoryFor(directoryOf(file.path)), nameOf(file.path));
  }
}

/** The bytes of a segment that belong to a part of its file. */
function partOf(segment: ContentSegment | HoleSegment, { start, end }: Part): ContentSegment | HoleSegment {
  if (segment.kind === SegmentKind.hole) return { ...segment, offset: start, length: end - start };
  const { offset, bytes } = segment;
  return { ...segment, offset: start, bytes: bytes.subarray(start - offset, end - offset) };
}
