/** Where a file has data. */
import type { FileStats } from "../../sys/stat.ts";

/** What stats count in, whatever the file system has. */
const BLOCK_BYTES = 512;

/** Whether a file takes less room than it has bytes. */
export function isSparse(stats: FileStats): boolean {
  return stats.isFile() && allocatedBytes(stats) < stats.size;
}

/** Bytes that a file takes on its disk. */
export function allocatedBytes(stats: FileStats): number {
  return stats.blocks * BLOCK_BYTES;
}

/** A piece of a file: data from `start` on, up to `end`; what is before it and behind the piece before is a hole. */
export interface DataPiece {
  readonly start: number;
  readonly end: number;
}

/** What can say where an open file has data and where holes. */
export interface HoleFinder {
  nextData(offset: number): number | undefined;
  nextHole(offset: number): number;
}

/**
 * The next data of an open file.
 *
 * @param offset where to look from, in bytes
 * @param size the end of the file
 * @returns an empty piece at the end where nothing but a hole follows
 */
export function nextPiece(file: HoleFinder, offset: number, size: number): DataPiece {
  const start = Math.min(size, file.nextData(offset) ?? size);
  return { start, end: start === size ? size : Math.min(size, file.nextHole(start)) };
}
