/** Chunks of large files that members have in another version: they are told before contents are sent. */
import type { Bitmap } from "../../base/bitmap.ts";
import { errorCode } from "../../sys/system-error.ts";
import { CHUNKED_FILE_BYTES } from "../../wire/limits.ts";
import type { ManifestWriter } from "../../wire/manifest.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import type { Directories } from "../disk/directories.ts";
import type { OpenFile } from "../disk/open-file.ts";
import { chunkBytesFor } from "../entries/chunker.ts";
import { CHUNKED_BYTES, type FileChunk, FileChunks } from "../entries/file-chunks.ts";
import { isSameState } from "../entries/same-file.ts";
import type { FilePart } from "./file-reader.ts";
import type { HeldEntry } from "./held-entry.ts";
import type { HeldFile } from "./told-digests.ts";

/** Chunks of a block: usually 3 MiB of a file. The first data follow as soon as members have looked for them. */
const BLOCK_CHUNKS = 64;

/** Most blocks that wait for answers: usually 48 MiB of files. A bound on memory, and on what is read in vain. */
const BLOCKS_AHEAD = 16;

/** How much is read before other work gets its turn: some 7 ms; with contents to be sent, as little as possible before each block. */
const TURN_BYTES = 16 * CHUNKED_BYTES;

/**
 * Of a file of more than a block, some chunks are told first, and no others before members have answered them: if nothing is in common, less
 * than a hundredth of the file was read in vain.
 */
const FIRST_SHARE = 1 / 128;
/** As many as a member has to miss before it looks further (chunk-search.ts). */
const FIRST_LEAST = 16;

/** A file of which members had less than this share of the chunks so far is sent as it is: to look on costs more than it saves. */
const LEAST_FOUND = 1 / 16;

/** A file that is sent by chunks. */
export class ChunkedFile {
  readonly held: HeldFile;
  /** Its chunks up to this place are told, or are going to be; in bytes. */
  toldBytes = 0;
  isTold = false;
  /** Chunks that are told, or are going to be. */
  told = 0;
  /** So many of them are told before others. */
  readonly first: number;
  /** Of what follows them, if it was read with them. */
  restDigest: Uint8Array | undefined;
  /** Chunks that not all members have answered. */
  unsettled = 0;
  sought = 0;
  found = 0;
  /** Something of it was read to be sent. */
  isBegun = false;
  isWithdrawn = false;

  constructor(held: HeldFile) {
    this.held = held;
    const { size } = held.entry;
    const chunks = size / chunkBytesFor(size);
    this.first = chunks > BLOCK_CHUNKS ? Math.max(FIRST_LEAST, Math.round(chunks * FIRST_SHARE)) : 0;
  }

  /** Whether the first chunks are told, and members have not answered them. */
  get isAwaited(): boolean {
    return this.told >= this.first && this.sought < this.first;
  }

  /** Whether members have so little of it that the rest is sent. */
  get isUnlike(): boolean {
    return this.sought >= this.first && this.found < this.sought * LEAST_FOUND;
  }
}

/** Something that is to be read and sent: a file, or a part of one. */
export interface WantedFile extends HeldFile {
  readonly part?: FilePart;
  readonly chunked?: ChunkedFile;
}

interface ToldPart {
  readonly file: ChunkedFile;
  readonly chunk: FileChunk;
}

/**
 * Reads files for their chunks, one after another (PROTOCOL.md 5.2.7). The last chunk of a file is never told: the rest is always
 * sent, after all parts before it, and only if the file is still the same. All parts that are sent must still have the bytes that
 * were read with the chunks. So members with different old versions get the same file, and none completes a file that has changed.
 */
export class ToldChunks {
  private readonly directories: Directories;
  private readonly isUsed: boolean;
  private readonly waiting: ChunkedFile[] = [];
  private opened: { file: OpenFile; chunks: FileChunks } | undefined;
  private pending: ToldPart[] = [];
  /** The chunks of each block until it is settled, by the number of the block. */
  private readonly told = new Map<number, readonly ToldPart[]>();
  /** A file is being read, and there are too few chunks for a block. */
  isBusy = false;
  /** Bytes of chunks that all members had that needed the files. */
  foundBytes = 0;

  /** @param isUsed whether all members understand chunks */
  constructor(directories: Directories, isUsed: boolean) {
    this.directories = directories;
    this.isUsed = isUsed;
  }

  /** Whether it is worth it to tell the chunks of a file. Holes are not sent anyway. */
  suits({ size, isSparse }: HeldEntry): boolean {
    return this.isUsed && size >= CHUNKED_FILE_BYTES && !isSparse;
  }

  add(held: HeldFile): void {
    this.waiting.push(new ChunkedFile(held));
  }

  /**
   * Fills a block, if there are enough chunks.
   *
   * @param hasContents whether contents wait to be sent
   * @param want takes what is to be sent
   */
  fill(block: number, writer: ManifestWriter, hasContents: boolean, want: (part: WantedFile) => void): void {
    let leftBytes = hasContents ? CHUNKED_BYTES : TURN_BYTES;
    for (; leftBytes > 0 && this.mayRead(); leftBytes -= CHUNKED_BYTES) this.advance(want);
    const [file] = this.waiting;
    const isDue = this.pending.length >= BLOCK_CHUNKS || file === undefined || file.isAwaited;
    this.isBusy = !isDue && this.mayRead();
    if (!isDue || this.pending.length === 0) return;
    let count = 0;
    for (const { file, chunk } of this.pending) {
      if (!writer.addChunk({ entry: file.held.entry.number, ...chunk })) break;
      count++;
    }
    this.told.set(block, this.pending.splice(0, count));
  }

  /**
   * Takes the parts of files that some member needs, when all have answered a block of chunks.
   *
   * @param union the chunks that some member needs
   * @param want takes what is to be sent
   * @returns false for any other block
   */
  settle(block: number, union: Bitmap, want: (part: WantedFile) => void): boolean {
    const parts = this.told.get(block);
    if (parts === undefined) return false;
    this.told.delete(block);
    for (const [index, { file, chunk }] of parts.entries()) {
      file.unsettled--;
      file.sought++;
      if (union.get(index)) {
        const { offset: start, length, digest } = chunk;
        want({ ...file.held, part: { start, end: start + length, digest }, chunked: file });
      } else {
        file.found++;
        this.foundBytes += chunk.length;
      }
      wantRest(file, want);
    }
    return true;
  }

  close(): void {
    this.opened?.file.close();
    this.opened = undefined;
  }

  private mayRead(): boolean {
    const [file] = this.waiting;
    if (file === undefined || file.isAwaited) return false;
    return this.pending.length < BLOCK_CHUNKS && this.told.size < BLOCKS_AHEAD;
  }

  /** Reads a piece of the first file. */
  private advance(want: (part: WantedFile) => void): void {
    const [file] = this.waiting;
    if (file === undefined) return;
    for (const chunk of this.read(file) ?? [undefined]) {
      const end = chunk === undefined ? 0 : chunk.offset + chunk.length;
      if (chunk !== undefined && end < file.held.entry.size) {
        this.pending.push({ file, chunk });
        file.unsettled++;
        file.told++;
        file.toldBytes = end;
        continue;
      }
      this.close();
      this.waiting.shift();
      file.isTold = true;
      file.restDigest = chunk?.digest;
      wantRest(file, want);
      return;
    }
  }

  /** @returns undefined if no more of its chunks are to be told; if it has changed, it is withdrawn when the rest is read */
  private read(file: ChunkedFile): FileChunk[] | undefined {
    const { path, size, stats } = file.held.entry;
    if (file.isUnlike) return undefined;
    try {
      if (this.opened === undefined) {
        const opened = this.directories.openToRead(directoryOf(path), nameOf(path));
        this.opened = { file: opened, chunks: new FileChunks(0, chunkBytesFor(size)) };
      }
      const { file: opened, chunks } = this.opened;
      const found = chunks.step(opened) ?? chunks.rest();
      return stats !== undefined && isSameState(stats, opened.stat()) ? found : undefined;
    } catch (error) {
      errorCode(error);
      return undefined;
    }
  }
}

/** When all chunks of a file are answered, the rest is sent. */
function wantRest(file: ChunkedFile, want: (part: WantedFile) => void): void {
  if (!file.isTold || file.unsettled > 0) return;
  const { size } = file.held.entry;
  want({ ...file.held, part: { start: file.toldBytes, end: size, digest: file.restDigest }, chunked: file });
}
