/** When the socket for fragments is read: more often the more arrives. */

/** The shortest and the longest time between two looks. Timers have no shorter time; 8 ms more are not felt in a transfer. */
const SHORTEST_MS = 1;
const LONGEST_MS = 8;

/** With fewer trains a look is not worth its cost. With more, which are over 1.2 MB, the socket buffer may overrun. */
const FEW_TRAINS = 6;
const MANY_TRAINS = 20;

/**
 * What the socket buffer has to hold for each millisecond between two looks: 125,000 bytes at 1 Gbit/s, twice that in the
 * kernel's count, and twice again as a reserve.
 */
const BUFFER_BYTES_PER_MS = 2 * 2 * 125_000;

/**
 * Looks again and again whether trains have arrived. After a look that finds many, the next one comes sooner. After a look
 * that finds few, because few arrive or the processor is busy, it comes later, and is worth more.
 */
export class TrainPoll {
  private readonly read: () => number;
  private readonly longestMs: number;
  private intervalMs = SHORTEST_MS;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param read reads the trains that are there, and returns how many they were
   * @param bufferBytes what the socket buffer holds; a small one needs looks more often
   */
  constructor(read: () => number, bufferBytes: number) {
    this.read = read;
    this.longestMs = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, bufferBytes / BUFFER_BYTES_PER_MS));
    this.look();
  }

  /** Ends the looks. */
  stop(): void {
    clearTimeout(this.timer);
  }

  private look(): void {
    const trains = this.read();
    if (trains < FEW_TRAINS) this.intervalMs = Math.min(this.longestMs, this.intervalMs * 2);
    else if (trains > MANY_TRAINS) this.intervalMs = Math.max(SHORTEST_MS, this.intervalMs / 2);
    this.timer = setTimeout(() => this.look(), this.intervalMs);
  }
}
