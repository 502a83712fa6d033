/** The chunks of an open file, piece by piece. */
import crypto from "node:crypto";
import { TOLD_DIGEST_BYTES } from "../../wire/entry.ts";
import type { ReadableFile } from "../disk/tree-view.ts";
import { Chunker } from "./chunker.ts";

/** How much is read at a time: some 0.4 ms of chunking and SHA-256. */
export const CHUNKED_BYTES = 256 * 1024;
const memory = Buffer.allocUnsafe(CHUNKED_BYTES);

/** A part of a file. */
export interface FileChunk {
  /** Its place in the file, in bytes. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
  /** The first TOLD_DIGEST_BYTES of the SHA-256 of its bytes. */
  readonly digest: Uint8Array;
}

/** Reads a file and divides it into chunks, from any place on. The file stays the caller's, who closes it. */
export class FileChunks {
  private readonly chunker: Chunker;
  private hash = crypto.createHash("sha256");
  private begin: number;
  /** Where it goes on to read, in bytes. */
  offset: number;

  /**
   * @param from where the first chunk begins, in bytes
   * @param usualBytes the usual length of a chunk, in bytes
   */
  constructor(from: number, usualBytes: number) {
    this.begin = from;
    this.offset = from;
    this.chunker = new Chunker(usualBytes);
  }

  /**
   * Reads the next piece.
   *
   * @param file the same one in each call; it may have been opened again
   * @returns the chunks that end in it; undefined at the end of the file, where what is left is no chunk
   * @throws an error with a code if the file cannot be read
   */
  step(file: ReadableFile): FileChunk[] | undefined {
    const count = file.read(memory, this.offset);
    if (count === 0) return undefined;
    const bytes = memory.subarray(0, count);
    const found: FileChunk[] = [];
    for (let from = 0; from < count;) {
      const end = this.chunker.findEnd(bytes, from);
      this.hash.update(bytes.subarray(from, end ?? count));
      if (end === undefined) break;
      found.push(this.endAt(this.offset + end));
      from = end;
    }
    this.offset += count;
    return found;
  }

  /** What is left at the end of the file, once; undefined if nothing is. */
  rest(): FileChunk[] | undefined {
    return this.offset === this.begin ? undefined : [this.endAt(this.offset)];
  }

  private endAt(end: number): FileChunk {
    const digest = this.hash.digest().subarray(0, TOLD_DIGEST_BYTES);
    const chunk = { offset: this.begin, length: end - this.begin, digest };
    this.hash = crypto.createHash("sha256");
    this.begin = end;
    return chunk;
  }
}

/** Whether these are the bytes of a digest. */
export function hasDigest(bytes: Uint8Array, digest: Uint8Array): boolean {
  return crypto.hash("sha256", bytes, "buffer").subarray(0, digest.length).equals(digest);
}
