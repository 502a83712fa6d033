/** Looks for chunks of a file that comes in files that this member has. */
import { DecodeError } from "../../base/bytes.ts";
import { orElse } from "../../sys/system-error.ts";
import { isSentAnyway, type ToldChunk } from "../../wire/manifest.ts";
import type { FileHandle } from "../disk/disk.ts";
import type { OpenFile } from "../disk/open-file.ts";
import { chunkBytesFor } from "../entries/chunker.ts";
import type { ChunkTags } from "../entries/chunk-tags.ts";
import { FileChunks } from "../entries/file-chunks.ts";
import type { Part } from "../entries/part.ts";
import { ChunkPlaces } from "./chunk-places.ts";
import { ReadAhead } from "./read-ahead.ts";

/**
 * How far ahead a file is read for a chunk that is not where it would be. A change in place needs little, and so does an insertion
 * among chunks that are told. A deletion needs as much as was deleted. So when as many bytes were not found in a row, it is looked as far
 * as a 64th of the file, within bounds: to read two megabytes takes some 4 ms, and sixteen some 30 ms, while the sender waits for the
 * first answer. After that, twice as much further as was not found, which the sender sends meanwhile: so half as much is sent in vain
 * as was deleted. Everything from the place on where it was lost is read once: the sender does not tell all of a long insertion, and
 * what follows it may lie far back.
 */
const NEAR_BYTES = 256 * 1024;
const AHEAD_OF_MISSED = 2;
const FAR_SHARE = 1 / 64;
const FAR_LEAST_BYTES = 2 * 1024 * 1024;
const FAR_MOST_BYTES = 16 * 1024 * 1024;

/**
 * How much is read ahead while contents of the file that comes are written, for each of their bytes. While a part comes that is not
 * looked for, the end of what may be read for the next chunk moves on by three times its length. So little is left to read when
 * that chunk is told: until it is answered, the sender can send no more than a window.
 */
const READ_FOR_WRITTEN = 4;

/** The memory into which all files are read for their chunks: what it has counts until the next step. */
export const ahead = new ReadAhead();

/** How files are opened to be searched. */
export interface ToSearch {
  /** Opens a file of this member; undefined if it cannot be read. */
  readonly open: (path: string) => OpenFile | undefined;
  /** A staged file with the contents of such a file. */
  readonly clone: (handle: FileHandle) => OpenFile;
}

/** Divides a file into chunks, from a place on. */
interface Scan {
  readonly from: number;
  readonly chunks: FileChunks;
  isAtEnd: boolean;
}

/**
 * Chunks in one file of this member. All that is remembered of the file is a guess: whatever it says, a chunk is found only if
 * the bytes that were read have the tag, and they are what is written (PROTOCOL.md 5.2.7). So the file may change at any time.
 */
class SearchedFile {
  /** Open from the first chunk to the last: to open a file takes as long as to read some kilobytes. */
  private file: OpenFile | undefined;
  private readonly tags: ChunkTags;
  private readonly usualBytes: number;
  private readonly farBytes: number;
  private readonly places = new ChunkPlaces();
  /** Divides the file into chunks, from a place on where one began. */
  private scan: Scan | undefined;
  /** Where the chunk after the last one would be, if only bytes in place had changed. */
  private next = 0;
  /** The chunks since the last one that was found, and the parts that were not looked for, in bytes. */
  private missedBytes = 0;
  /** How much may be read ahead, in bytes. */
  private credit = 0;

  constructor(file: OpenFile, sizeBytes: number, tags: ChunkTags) {
    this.file = file;
    this.tags = tags;
    this.usualBytes = chunkBytesFor(sizeBytes);
    this.farBytes = Math.min(FAR_MOST_BYTES, Math.max(FAR_LEAST_BYTES, sizeBytes * FAR_SHARE));
  }

  /** Whether the last chunk was found, or would be, just before a place. */
  isUpTo(place: number): boolean {
    return this.next === place;
  }

  get handle(): FileHandle | undefined {
    return this.file?.handle;
  }

  /** Whether a clone of the file has a chunk where the file would have it. */
  isIn(clone: OpenFile, chunk: ToldChunk): boolean {
    const isFound = this.readAt(this.next, chunk, clone) !== undefined;
    // Parts of the clone are written over.
    ahead.forget();
    return isFound;
  }

  close(): void {
    ahead.forget();
    this.file?.close();
    this.file = undefined;
  }

  /**
   * Looks where the chunk would be if only bytes in place had changed, and where the same bytes have been before.
   *
   * @returns its bytes, in the memory of `ahead`; undefined if they are not there
   */
  findNear(chunk: ToldChunk): Uint8Array | undefined {
    return this.readAt(this.next, chunk) ?? this.readAgain(chunk);
  }

  /** Looks in what follows, after it was not found near; step by step. */
  *findFar(chunk: ToldChunk): Generator<undefined, Uint8Array | undefined> {
    const guess = this.next;
    const scan = this.scanFrom(guess - this.missedBytes);
    const end = guess + chunk.length + this.far;
    while (!scan.isAtEnd && scan.chunks.offset < end && this.step(scan)) yield;
    const later = this.readAgain(chunk);
    if (later !== undefined) return later;
    this.missedBytes += chunk.length;
    this.next = guess + chunk.length;
    return undefined;
  }

  /** Goes on after a part that is not looked for. */
  skip(length: number): void {
    this.next += length;
    this.missedBytes += length;
    this.credit = 0;
  }

  /** Contents of the file that comes were written: what the next chunk will be looked for in is read meanwhile. */
  noteWritten(length: number): void {
    if (this.missedBytes < this.farBytes) return;
    const scan = this.scanFrom(this.next - this.missedBytes);
    this.credit += READ_FOR_WRITTEN * length;
    const end = this.next + this.far;
    while (this.credit >= scan.chunks.pieceBytes && !scan.isAtEnd && scan.chunks.offset < end) {
      this.credit -= scan.chunks.pieceBytes;
      if (!this.step(scan)) return;
    }
  }

  /** How far ahead it is looked for the next chunk, in bytes. */
  private get far(): number {
    const { missedBytes } = this;
    return missedBytes < NEAR_BYTES ? NEAR_BYTES : this.farBytes + AHEAD_OF_MISSED * missedBytes;
  }

  /** Reads a chunk where the same bytes have been before. */
  private readAgain(chunk: ToldChunk): Uint8Array | undefined {
    const offset = this.places.find(chunk.tag, chunk.length);
    return offset === undefined ? undefined : this.readAt(offset, chunk);
  }

  private readAt(offset: number, chunk: ToldChunk, file = this.file): Uint8Array | undefined {
    const bytes = file === undefined ? undefined : ahead.read(file, offset, chunk.length);
    if (bytes === undefined || !this.tags.matches(bytes, chunk.tag)) return undefined;
    this.places.note(chunk.tag, offset, chunk.length);
    this.next = offset + chunk.length;
    this.missedBytes = 0;
    return bytes;
  }

  private scanFrom(from: number): Scan {
    if (this.scan === undefined || this.scan.from > from || this.scan.chunks.offset < from)
      this.scan = { from, chunks: new FileChunks(from, this.usualBytes, this.tags), isAtEnd: false };
    return this.scan;
  }

  /** @returns false if the file has been closed */
  private step(scan: Scan): boolean {
    const { file } = this;
    if (file === undefined) return false;
    const found = orElse(undefined, () => scan.chunks.step(file));
    scan.isAtEnd = found === undefined;
    for (const { offset, length, tag } of found ?? []) this.places.note(tag, offset, length);
    return true;
  }
}

/** Looks for the chunks of one file, in all files that may have some of them. */
export class ChunkSearch {
  private files: SearchedFile[] | undefined;
  private readonly paths: readonly string[];
  private readonly how: ToSearch;
  private readonly tags: ChunkTags;
  private readonly sizeBytes: number;
  /** The sender has told chunks up to here. */
  private toldBytes = 0;
  /** Bytes of parts before the first chunk that is looked for. */
  private skippedBytes = 0;
  private foundIn: SearchedFile | undefined;
  /** The file that comes, if it began as a clone of one that is searched. */
  private cloned: { readonly clone: OpenFile; readonly of: SearchedFile } | undefined;

  /**
   * @param paths of the files of this member
   * @param sizeBytes of the file that comes
   * @param tags of the transfer
   */
  constructor(paths: readonly string[], sizeBytes: number, tags: ChunkTags, how: ToSearch) {
    this.paths = paths;
    this.sizeBytes = sizeBytes;
    this.tags = tags;
    this.how = how;
  }

  /**
   * The place of the next chunk in the file that comes: it follows the last one.
   *
   * @throws DecodeError if it reaches the end: the last bytes come from the sender, which has looked by then whether the file is
   *   the same (PROTOCOL.md 5.2.7)
   */
  place(chunk: ToldChunk): Part {
    const part = { start: this.toldBytes, end: this.toldBytes + chunk.length };
    if (part.end >= this.sizeBytes) throw new DecodeError("a chunk reaches the end of its file");
    this.toldBytes = part.end;
    if (!isSentAnyway(chunk)) return part;
    if (this.files === undefined) this.skippedBytes += chunk.length;
    for (const file of this.files ?? []) file.skip(chunk.length);
    return part;
  }

  /** Contents that the sender sends were written: what follows in the files of this member is read meanwhile. */
  noteWritten(length: number): void {
    for (const file of this.files ?? []) file.noteWritten(length);
  }

  /** Nothing more is found from now on, and nothing remembered. */
  end(): void {
    this.dropClone();
    for (const file of this.files ?? []) file.close();
    this.files = [];
    this.foundIn = undefined;
  }

  /** The file in which the last chunk was found, if it was found at its place in the file that comes. */
  get alike(): SearchedFile | undefined {
    return this.foundIn?.isUpTo(this.toldBytes) === true ? this.foundIn : undefined;
  }

  /** The file that comes is a clone of one that is searched from now on. */
  takeClone(handle: FileHandle, of: SearchedFile): void {
    this.cloned = { clone: this.how.clone(handle), of };
  }

  /** The clone is not read any more. */
  dropClone(): void {
    this.cloned = undefined;
  }

  /** Whether the file that comes has a chunk already, at its place: the bytes are read there, and compared. */
  isInClone(chunk: ToldChunk): boolean {
    const { cloned } = this;
    if (cloned?.of.isUpTo(this.toldBytes - chunk.length) !== true) return false;
    return cloned.of.isIn(cloned.clone, chunk);
  }

  /** @returns its bytes, in the memory of `ahead`; undefined if they are not where they are likely to be */
  findNear(chunk: ToldChunk): Uint8Array | undefined {
    this.files ??= this.openAll();
    const [first] = this.files;
    const found = first?.findNear(chunk);
    if (found !== undefined) this.foundIn = first;
    return found;
  }

  /** Looks further after findNear(). @returns its bytes, step by step; undefined if they are not found */
  *findFar(chunk: ToldChunk): Generator<undefined, Uint8Array | undefined> {
    for (const [index, searched] of (this.files ?? []).entries()) {
      const near = index === 0 ? undefined : searched.findNear(chunk);
      const found = near ?? (yield* searched.findFar(chunk));
      if (found === undefined) continue;
      this.foundIn = searched;
      return found;
    }
    return undefined;
  }

  private openAll(): SearchedFile[] {
    const files: SearchedFile[] = [];
    for (const path of this.paths) {
      const file = this.how.open(path);
      if (file === undefined) continue;
      const searched = new SearchedFile(file, this.sizeBytes, this.tags);
      if (this.skippedBytes > 0) searched.skip(this.skippedBytes);
      files.push(searched);
    }
    return files;
  }
}
