/** Takes chunks of files that come from the files that this member has: they are read and written many at a time. */
import { type ContentSegment, SegmentKind } from "../../wire/data-block.ts";
import { CHUNK_BYTES } from "../../wire/limits.ts";
import { isSentAnyway, type ToldChunk } from "../../wire/manifest.ts";
import type { Disk, FileHandle } from "../disk/disk.ts";
import type { ChunkTags } from "../entries/chunk-tags.ts";
import type { Part } from "../entries/part.ts";
import { errorAt } from "../reasons/explain.ts";
import { beginAsClone } from "./begin-as-clone.ts";
import { ahead, ChunkSearch, type ToSearch } from "./chunk-search.ts";
import type { PartialFile } from "./partial-file.ts";
import { WrittenParts } from "./written-parts.ts";

/** How much is looked for before other work gets its turn: some 4 ms. */
const TURN_BYTES = 4 * 1024 * 1024;

/** The files that come, as far as chunks of them are concerned. */
export interface ComingFiles {
  readonly disk: Disk;
  /** Undefined if nothing of it is needed. */
  readonly expected: (number: number) => PartialFile | undefined;
  readonly handleOf: (file: PartialFile) => FileHandle;
  /** Writes a part, as far as it is not written. */
  readonly put: (file: PartialFile, segment: ContentSegment, length: number) => void;
  /** A part is there already. */
  readonly keep: (file: PartialFile, part: Part) => void;
}

/** Chunks that follow each other in memory and in the file that comes. */
interface Run {
  readonly file: PartialFile;
  /** Its place in the file, in bytes. */
  readonly offset: number;
  /** The bytes of the first chunk. */
  readonly first: Uint8Array;
  /** Of all chunks together, in bytes. */
  length: number;
}

/** How chunks are looked for. */
export interface Looking extends ToSearch {
  /** Those of the transfer. */
  readonly tags: ChunkTags;
  /** Called with the index of each chunk that the sender has to send. */
  readonly need: (index: number) => void;
}

/** Finds the chunks of the files of one transfer. */
export class FoundChunks {
  private readonly files: ComingFiles;
  /** Looks for chunks of the file of the last chunk: of one at a time, because it takes memory. */
  private searching: ChunkSearch | undefined;
  /** Bytes of chunks that were looked for since other work got its turn. */
  private soughtBytes = 0;
  /** What was found and is not written yet; never over a step, because other transfers use the same memory. */
  private run: Run | undefined;

  constructor(files: ComingFiles) {
    this.files = files;
  }

  /**
   * Takes chunks, in their order. One of a file that is not expected is not needed.
   *
   * @returns step by step
   * @throws DecodeError if one reaches the end of its file
   */
  *find(chunks: readonly ToldChunk[], how: Looking): Generator<undefined, void> {
    try {
      for (const [index, chunk] of chunks.entries()) {
        const file = this.files.expected(chunk.entry);
        if (file === undefined) continue;
        const search = this.searchFor(file, how);
        const { start } = search.place(chunk);
        if (this.isDue(chunk)) {
          this.write();
          yield;
        }
        // It may have been withdrawn, here or below.
        if (this.files.expected(chunk.entry) !== file) continue;
        let isFound = this.findAtOnce(file, search, chunk, start);
        if (isFound === undefined) {
          this.write();
          const bytes = yield* search.findFar(chunk);
          if (this.files.expected(chunk.entry) !== file) continue;
          isFound = bytes !== undefined && this.take(file, search, start, bytes);
        }
        if (!isFound) how.need(index);
      }
      this.write();
    } finally {
      this.drop();
    }
  }

  /** Nothing more is found. */
  end(): void {
    this.searching?.end();
  }

  /** To compare costs as much as to read some bytes, however short a chunk is. */
  private isDue(chunk: ToldChunk): boolean {
    if (isSentAnyway(chunk)) return false;
    this.soughtBytes += Math.max(chunk.length, CHUNK_BYTES);
    if (this.soughtBytes < TURN_BYTES) return false;
    this.soughtBytes = 0;
    return true;
  }

  /** @returns undefined if it may be found elsewhere in the files of this member */
  private findAtOnce(
    file: PartialFile,
    search: ChunkSearch,
    chunk: ToldChunk,
    start: number,
  ): boolean | undefined {
    if (isSentAnyway(chunk) || file.written?.isFull === true) return false;
    if (search.isInClone(chunk)) {
      this.files.keep(file, { start, end: start + chunk.length });
      return true;
    }
    const bytes = search.findNear(chunk);
    return bytes === undefined ? undefined : this.take(file, search, start, bytes);
  }

  /** @returns false if there is no room to remember one more part of the file */
  private take(file: PartialFile, search: ChunkSearch, offset: number, bytes: Uint8Array): boolean {
    if (file.written === undefined) {
      this.clone(file, search);
      file.written = new WrittenParts();
    }
    const { run } = this;
    if (run?.file === file && run.offset + run.length === offset && isNext(bytes, run)) {
      run.length += bytes.length;
      return true;
    }
    this.write();
    if (file.written.isFull) return false;
    this.run = { file, offset, first: bytes, length: bytes.length };
    ahead.hold(() => this.write());
    return true;
  }

  private write(): void {
    const { run } = this;
    if (run === undefined) return;
    this.drop();
    const { file, offset, first, length } = run;
    const bytes = new Uint8Array(first.buffer, first.byteOffset, length);
    this.files.put(file, { kind: SegmentKind.content, entry: file.number, offset, bytes }, length);
  }

  private drop(): void {
    if (this.run !== undefined) ahead.letGo();
    this.run = undefined;
  }

  private clone(file: PartialFile, search: ChunkSearch): void {
    const { disk, handleOf } = this.files;
    try {
      file.isClone = beginAsClone(disk, search, file.size, () => handleOf(file));
    } catch (error) {
      throw errorAt(file.path, error);
    }
  }

  private searchFor(file: PartialFile, { tags, open, clone }: Looking): ChunkSearch {
    file.search ??= new ChunkSearch([file.path, ...file.lookAlikes], file.size, tags, { open, clone });
    // Chunks of two files in turns would make it read both again and again.
    if (this.searching !== file.search) this.searching?.end();
    return (this.searching = file.search);
  }
}

/** Whether bytes follow those of a run in memory. */
function isNext(bytes: Uint8Array, { first, length }: Run): boolean {
  return bytes.buffer === first.buffer && bytes.byteOffset === first.byteOffset + length;
}
