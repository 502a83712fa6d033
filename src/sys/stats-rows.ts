/** Stats of many files one after another, in memory that the collector of garbage need not copy. */
import { type FileStats, KernelStats, readRow, ROW_NUMBERS } from "./stat.ts";

/** Rows in a piece of memory: 18 KiB. */
const ROWS = 128;

/** Stats of many files one after another. */
export class StatsRows {
  private readonly pieces: Float64Array[] = [];
  /** Stats that stat.ts has not made, as they are. */
  private readonly others = new Map<number, FileStats>();
  private count = 0;

  /** @param stats undefined where there are none */
  add(stats: FileStats | undefined): void {
    const index = this.count++;
    if (index % ROWS === 0) this.pieces.push(new Float64Array(ROWS * ROW_NUMBERS));
    const piece = this.pieces[this.pieces.length - 1];
    if (piece !== undefined && stats instanceof KernelStats)
      stats.writeTo(piece, (index % ROWS) * ROW_NUMBERS);
    else if (stats !== undefined) this.others.set(index, stats);
  }

  /** What was added as the index-th stats. */
  at(index: number): FileStats {
    const piece = this.pieces[Math.floor(index / ROWS)] ?? NO_PIECE;
    return this.others.get(index) ?? readRow(piece, (index % ROWS) * ROW_NUMBERS);
  }
}

const NO_PIECE = new Float64Array(0);
