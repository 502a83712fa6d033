/** The chunks of an open file, piece by piece. */
import type { ReadableFile } from "../disk/tree-view.ts";
import { Chunker, chunkMemory } from "./chunker.ts";
import type { ChunkTags } from "./chunk-tags.ts";

/** How much is read at a time, if chunks are not long: some 0.2 ms of chunking and tags. */
export const CHUNKED_BYTES = 256 * 1024;
let memory: Uint8Array | undefined;

/** A part of a file. */
export interface FileChunk {
  /** Its place in the file, in bytes. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
  readonly tag: Uint8Array;
}

/** Reads a file and divides it into chunks, from any place on. The file stays the caller's, who closes it. */
export class FileChunks {
  private readonly chunker: Chunker;
  private readonly tags: ChunkTags;
  private begin: number;
  /** It has looked for the end of a chunk up to here, in bytes. */
  offset: number;
  /** How much is read at a time, in bytes: more than the longest chunk, so that each lies in one piece. */
  readonly pieceBytes: number;

  /**
   * @param from where the first chunk begins, in bytes
   * @param usualBytes the usual length of a chunk, in bytes
   */
  constructor(from: number, usualBytes: number, tags: ChunkTags) {
    this.begin = from;
    this.offset = from;
    this.chunker = new Chunker(usualBytes);
    this.tags = tags;
    this.pieceBytes = Math.max(CHUNKED_BYTES, 2 * this.chunker.mostBytes);
  }

  /**
   * Reads the next piece. It begins with the present chunk, of which a part may have been in the piece before.
   *
   * @param file the same one in each call; it may have been opened again
   * @returns the chunks that end in it; undefined at the end of the file, where what is left is no chunk
   * @throws an error with a code if the file cannot be read
   */
  step(file: ReadableFile): FileChunk[] | undefined {
    const bytes = this.read(file, this.pieceBytes);
    const base = this.begin;
    if (base + bytes.length <= this.offset) return undefined;
    const found: FileChunk[] = [];
    for (let [start, from] = [0, this.offset - base]; from < bytes.length;) {
      const end = this.chunker.findEnd(bytes, from);
      if (end === undefined) break;
      found.push(this.endAt(base + end, bytes.subarray(start, end)));
      start = from = end;
    }
    this.offset = base + bytes.length;
    return found;
  }

  /** What is left at the end of the file, once; undefined if nothing is. */
  rest(file: ReadableFile): FileChunk[] | undefined {
    if (this.offset === this.begin) return undefined;
    return [this.endAt(this.offset, this.read(file, this.offset - this.begin))];
  }

  private read(file: ReadableFile, mostBytes: number): Uint8Array {
    if (memory === undefined || mostBytes > memory.length) memory = chunkMemory(mostBytes);
    return memory.subarray(0, file.read(memory.subarray(0, mostBytes), this.begin));
  }

  private endAt(end: number, bytes: Uint8Array): FileChunk {
    const chunk = { offset: this.begin, length: end - this.begin, tag: this.tags.tagOf(bytes) };
    this.begin = end;
    return chunk;
  }
}
