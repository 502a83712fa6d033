/** Chunks of large files that members have in another version: they are told before contents are sent. */
import type { Bitmap } from "../../base/bitmap.ts";
import { orElse } from "../../sys/system-error.ts";
import { CHUNKED_FILE_BYTES } from "../../wire/limits.ts";
import { type ManifestWriter, SENT_ANYWAY } from "../../wire/manifest.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import type { Directories } from "../disk/directories.ts";
import type { OpenFile } from "../disk/open-file.ts";
import { chunkBytesFor } from "../entries/chunker.ts";
import type { ChunkTags } from "../entries/chunk-tags.ts";
import { CHUNKED_BYTES, type FileChunk, FileChunks } from "../entries/file-chunks.ts";
import { ChunkedFile } from "./chunked-file.ts";
import { isSameState } from "../entries/same-file.ts";
import type { FilePart } from "./file-reader.ts";
import type { HeldEntry } from "./held-entry.ts";
import type { HeldFile } from "./told-digests.ts";

/**
 * Chunks of the first blocks of a file: usually 3 MiB. The first data follow as soon as members have looked for them. Each block costs
 * messages between threads and hosts, so later blocks have up to a quarter of the chunks before them, within a bound.
 */
const FIRST_BLOCK_CHUNKS = 64;
const BLOCK_SHARE = 1 / 4;
const MOST_BLOCK_CHUNKS = 256;

/** So many chunks that wait for answers are enough: usually 48 MiB of files. A bound on memory, and on what is read in vain. */
const CHUNKS_AHEAD = 1024;

/** how much is read before other work gets its turn: some 4 ms; with contents to be sent, as little as possible before each block. */
const TURN_BYTES = 16 * CHUNKED_BYTES;

/** Something that is to be read and sent: a file, or a part of one. */
export interface WantedFile extends HeldFile {
  readonly part?: FilePart;
  readonly chunked?: ChunkedFile;
}

interface ToldPart {
  readonly file: ChunkedFile;
  readonly chunk: FileChunk;
  /** When it was told; undefined for a part that is sent anyway. */
  readonly look: number | undefined;
}

/**
 * Reads files for their chunks, one after another (PROTOCOL.md 5.2.7). The last chunk of a file is never told: the rest is always
 * sent, after all parts before it, and only if the file is still the same. All parts that are sent must still have the bytes that
 * were read with the chunks. So members with different old versions get the same file, and none completes a file that has changed.
 */
export class ToldChunks {
  private readonly directories: Directories;
  private readonly tags: ChunkTags | undefined;
  private readonly waiting: ChunkedFile[] = [];
  private opened: { readonly file: OpenFile; chunks: FileChunks } | undefined;
  private pending: ToldPart[] = [];
  /** The chunks of each block until it is settled, by the number of the block. */
  private readonly told = new Map<number, readonly ToldPart[]>();
  /** How many chunks these are. */
  private unsettled = 0;
  /** Chunks in blocks up to now, of the files that follow each other without a pause. */
  private inBlocks = 0;
  /** A file is being read, and there are too few chunks for a block. */
  isBusy = false;
  /** Bytes of chunks that all members had that needed the files. */
  foundBytes = 0;

  /** @param tags those of the transfer; undefined if members do not all understand chunks */
  constructor(directories: Directories, tags: ChunkTags | undefined) {
    this.directories = directories;
    this.tags = tags;
  }

  /** Whether it is worth it to tell the chunks of a file. Holes are not sent anyway. */
  suits({ size, isSparse }: HeldEntry): boolean {
    return this.tags !== undefined && size >= CHUNKED_FILE_BYTES && !isSparse;
  }

  add(held: HeldFile): void {
    this.waiting.push(new ChunkedFile(held));
  }

  /**
   * Fills a block, if there are enough chunks.
   *
   * @param contentBytes that wait to be sent
   * @param want takes what is to be sent
   */
  fill(block: number, writer: ManifestWriter, contentBytes: number, want: (part: WantedFile) => void): void {
    let leftBytes = contentBytes > 0 ? CHUNKED_BYTES : TURN_BYTES;
    while (leftBytes > 0 && this.mayRead(contentBytes)) leftBytes -= this.advance(want);
    const [file] = this.waiting;
    const isPausing = file === undefined || file.isAwaited || file.isLookLater(contentBytes);
    const isDue = this.pending.length >= this.blockChunks || isPausing;
    this.isBusy = !isDue && this.mayRead(contentBytes);
    if (!isDue || this.pending.length === 0) return;
    let count = 0;
    for (const { file: one, chunk } of this.pending) {
      if (!writer.addChunk({ entry: one.held.entry.number, ...chunk })) break;
      count++;
    }
    this.told.set(block, this.pending.splice(0, count));
    this.unsettled += count;
    this.inBlocks = file === undefined ? 0 : this.inBlocks + count;
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
    this.unsettled -= parts.length;
    for (const [index, { file, chunk, look }] of parts.entries()) {
      const { offset: start, length } = chunk;
      const isFound = !union.get(index);
      const tag = look === undefined ? undefined : chunk.tag;
      file.noteAnswer(look, isFound);
      // Of a file that is withdrawn, members need nothing, so they have not found it.
      if (isFound) this.foundBytes += file.isWithdrawn ? 0 : length;
      else want({ ...file.held, part: { start, end: start + length, tag }, chunked: file });
      wantRest(file, want);
    }
    return true;
  }

  close(): void {
    this.opened?.file.close();
    this.opened = undefined;
  }

  private get blockChunks(): number {
    return Math.min(MOST_BLOCK_CHUNKS, Math.max(FIRST_BLOCK_CHUNKS, this.inBlocks * BLOCK_SHARE));
  }

  private mayRead(contentBytes: number): boolean {
    const [file] = this.waiting;
    if (file === undefined || file.isAwaited || file.isLookLater(contentBytes)) return false;
    return this.pending.length < this.blockChunks && this.unsettled < CHUNKS_AHEAD;
  }

  /**
   * Reads a piece of the first file, or decides what of it is sent without being read.
   *
   * @returns how many bytes it has read, at most
   */
  private advance(want: (part: WantedFile) => void): number {
    const [file] = this.waiting;
    const { tags } = this;
    if (file === undefined || tags === undefined) return CHUNKED_BYTES;
    const skipped = file.takeSkip();
    for (const { start, end } of skipped) {
      const chunk = { offset: start, length: end - start, tag: SENT_ANYWAY };
      if (!this.tell({ file, chunk, look: undefined }, want)) return CHUNKED_BYTES;
    }
    if (skipped.length > 0) {
      if (this.opened !== undefined)
        this.opened.chunks = new FileChunks(file.toldBytes, chunkBytesFor(file.held.entry.size), tags);
      return 0;
    }
    const found = this.read(file, tags) ?? [undefined];
    const { pieceBytes = CHUNKED_BYTES } = this.opened?.chunks ?? {};
    for (const chunk of found) if (!this.tell({ file, chunk, look: file.look }, want)) break;
    return pieceBytes;
  }

  /** @returns false if nothing more of the file is told: what is left is the rest, which is sent */
  private tell(
    { file, chunk, look }: Omit<ToldPart, "chunk"> & { readonly chunk: FileChunk | undefined },
    want: (part: WantedFile) => void,
  ): boolean {
    const end = chunk === undefined ? Infinity : chunk.offset + chunk.length;
    if (chunk !== undefined && end < file.held.entry.size) {
      this.pending.push({ file, chunk, look });
      file.noteTold(end, look);
      return true;
    }
    this.close();
    this.waiting.shift();
    file.isTold = true;
    file.restTag = look === undefined ? undefined : chunk?.tag;
    wantRest(file, want);
    return false;
  }

  /** @returns undefined if no more of its chunks are to be told; if it has changed, it is withdrawn when the rest is read */
  private read(file: ChunkedFile, tags: ChunkTags): FileChunk[] | undefined {
    const { path, size, stats } = file.held.entry;
    return orElse(undefined, () => {
      if (this.opened === undefined) {
        const opened = this.directories.openToRead(directoryOf(path), nameOf(path));
        this.opened = { file: opened, chunks: new FileChunks(0, chunkBytesFor(size), tags) };
      }
      const { file: opened, chunks } = this.opened;
      const found = chunks.step(opened) ?? chunks.rest(opened);
      return stats !== undefined && isSameState(stats, opened.stat()) ? found : undefined;
    });
  }
}

/** When all chunks of a file are answered, the rest is sent. */
function wantRest(file: ChunkedFile, want: (part: WantedFile) => void): void {
  if (!file.isTold || file.unsettled > 0) return;
  const { size } = file.held.entry;
  want({ ...file.held, part: { start: file.toldBytes, end: size, tag: file.restTag }, chunked: file });
}
