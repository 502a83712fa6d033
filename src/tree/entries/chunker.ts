/** Finds the ends of chunks in contents: they depend on the bytes around them alone, so an insertion moves few of them. */
import crypto from "node:crypto";
import { ChunkKernel } from "./chunk-kernel.ts";
import { CHUNK_BYTES, CHUNK_BYTES_MOST, CHUNKS_OF_A_FILE } from "../../wire/limits.ts";

/** So many of the last bytes count: each moves the sum of 32 bits to the left by one. */
const SUMMED_BYTES = 32;

/**
 * A chunk has at least half of the usual length, and at most twice as much; on average, it has three quarters. Bytes before the
 * least length are not even looked at. After a change, chunks end at the old places again after one or two.
 */
const SPREAD = 2;

/** The largest usual length, in bytes: some terabytes have as many chunks as a member remembers places of. */
const MOST_USUAL_BYTES = CHUNK_BYTES_MOST / 4;

/** A number for each value of a byte: the beginning of the SHA-256 of that one byte (PROTOCOL.md 5.2.7). */
const GEAR = Uint32Array.from({ length: 256 }, (_, byte) =>
  crypto.createHash("sha256").update(Uint8Array.of(byte)).digest().readUInt32LE(0),
);

/**
 * The usual length of the chunks of a file, in bytes: a power of two, so that the file has at most some CHUNKS_OF_A_FILE of them
 * (PROTOCOL.md 5.2.7).
 */
export function chunkBytesFor(sizeBytes: number): number {
  let bytes = CHUNK_BYTES;
  while (bytes * CHUNKS_OF_A_FILE < sizeBytes && bytes < MOST_USUAL_BYTES) bytes *= 2;
  return bytes;
}

let kernel: ChunkKernel | undefined;
let hasKernel = false;

/**
 * Memory in which ends of chunks are found fastest. Memory from an earlier call is worthless then.
 *
 * @param length in bytes
 */
export function chunkMemory(length: number): Uint8Array {
  if (!hasKernel) kernel = ChunkKernel.make(GEAR, CHUNK_BYTES_MOST);
  hasKernel = true;
  return kernel?.space(length) ?? Buffer.allocUnsafe(length);
}

/** Finds the ends of chunks, in contents that come in pieces of any length. */
export class Chunker {
  private readonly leastBytes: number;
  /** No chunk is longer. */
  readonly mostBytes: number;
  /** An end is where these bits of the sum are all 0. */
  private readonly mask: number;
  private sum = 0;
  private length = 0;

  /** @param usualBytes the usual length of a chunk, in bytes: a power of two */
  constructor(usualBytes: number) {
    this.leastBytes = usualBytes / SPREAD;
    this.mostBytes = usualBytes * SPREAD;
    // The highest bits depend on the most bytes.
    const bits = Math.log2(usualBytes / 4);
    this.mask = -1 << (32 - bits);
  }

  /**
   * Goes on with the contents.
   *
   * @param from where in `bytes`
   * @returns the index after the last byte of the present chunk; undefined if the chunk goes on after `bytes`
   */
  findEnd(bytes: Uint8Array, from: number): number | undefined {
    const { mask } = this;
    const begin = from - this.length;
    const counted = Math.min(bytes.length, Math.max(from, begin + this.leastBytes - SUMMED_BYTES));
    const least = Math.min(bytes.length, Math.max(counted, begin + this.leastBytes - 1));
    const most = Math.min(bytes.length, begin + this.mostBytes);
    let { sum } = this;
    let index = counted;
    for (; index < least; index++) sum = ((sum << 1) + (GEAR[bytes[index] as number] as number)) | 0;
    if (kernel?.holds(bytes) === true) {
      index = kernel.seek(bytes, index, most, sum, -mask);
      ({ sum } = kernel);
    }
    // A return within the loop would make V8 compile it worse for contents in which no end is found.
    let isEnd = false;
    while (index < most && !isEnd) {
      sum = ((sum << 1) + (GEAR[bytes[index++] as number] as number)) | 0;
      isEnd = (sum & mask) === 0;
    }
    if (isEnd) return this.end(index);
    if (most - begin === this.mostBytes) return this.end(most);
    this.sum = sum;
    this.length = bytes.length - begin;
    return undefined;
  }

  private end(index: number): number {
    this.sum = 0;
    this.length = 0;
    return index;
  }
}
