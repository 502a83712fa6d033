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

/** Chunks of a block: usually 4 MiB of a file, of which a member tells after some 40 ms what it needs. Data follow at once. */
const BLOCK_CHUNKS = 64;

/** Most blocks that wait for answers: usually 64 MiB of files. A bound on memory, and on what is read in vain. */
const BLOCKS_AHEAD = 16;

/** How much is read before other work gets its turn: some 7 ms; with contents to be sent, as little as possible before each block. */
const TURN_BYTES = 16 * CHUNKED_BYTES;

/** After so many chunks, a file of which members had less than a sixteenth is sent as it is: to look on costs more than it saves. */
const TRIED_CHUNKS = 512;
const LEAST_FOUND = 1 / 16;

/** A file that is sent by chunks. */
export class ChunkedFile {
  readonly held: HeldFile;
  /** Its chunks up to this place are told, or are going to be; in bytes. */
  toldBytes = 0;
  isTold = false;
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
    const isDue = this.pending.length >= BLOCK_CHUNKS || this.waiting.length === 0;
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
    return this.waiting.length > 0 && this.pending.length < BLOCK_CHUNKS && this.told.size < BLOCKS_AHEAD;
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
    if (file.sought >= TRIED_CHUNKS && file.found < file.sought * LEAST_FOUND) return undefined;
    try {
      if (this.opened === undefined) {
        const opened = this.directories.openToRead(directoryOf(path), nameOf(path));
        this.opened = { file: opened, chunks: new FileChunks(opened, 0, chunkBytesFor(size)) };
      }
      const { file: opened, chunks } = this.opened;
      const found = chunks.step() ?? chunks.rest();
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
