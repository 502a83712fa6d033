/** Finds the data of a file that has holes. */
import type { FileStats } from "../../sys/stat.ts";

/** The unit of `blocks` in stats, on every file system. */
const BLOCK_BYTES = 512;

/** Whether a file takes less room than it has bytes. */
export function isSparse(stats: FileStats): boolean {
  return stats.isFile() && allocatedBytes(stats) < stats.size;
}

/** Bytes that a file takes on its disk. */
export function allocatedBytes(stats: FileStats): number {
  return stats.blocks * BLOCK_BYTES;
}

/** A piece of a file: data from `start` up to `end`. Between it and the piece before is a hole. */
export interface DataPiece {
  readonly start: number;
  readonly end: number;
}

/** The calls that find data and holes of an open file. */
export interface HoleFinder {
  nextData(offset: number): number | undefined;
  nextHole(offset: number): number;
}

/**
 * The next data of an open file.
 *
 * @param offset where to look from, in bytes
 * @param size the end of the file
 * @returns an empty piece at the end if only a hole follows
 */
export function nextPiece(file: HoleFinder, offset: number, size: number): DataPiece {
  const start = Math.min(size, file.nextData(offset) ?? size);
  return { start, end: start === size ? size : Math.min(size, file.nextHole(start)) };
}
