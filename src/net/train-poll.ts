/** Between two looks, in milliseconds. */
const SHORTEST_MS = 1;
const LONGEST_MS = 8;

/** So many trains of a look are neither too few to be worth it nor so many that the socket's buffer may overrun. */
const FEW_TRAINS = 6;
const MANY_TRAINS = 20;

/** What the socket's buffer has to hold for each millisecond between two looks: a gigabit link, twice over. */
const BUFFER_BYTES_PER_MS = 250_000 * 2;

/**
 * Looks again and again whether trains have arrived. The more of them a look finds, the sooner is the next; where few come,
 * or the processor is so busy that they come slowly, the looks get rarer, and each is worth more.
 */
export class TrainPoll {
  private readonly read: () => number;
  private readonly longestMs: number;
  private intervalMs = SHORTEST_MS;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param read reads what is there, and says how much that was
   * @param bufferBytes what the socket's buffer holds; a small one has to be looked at more often
   */
  constructor(read: () => number, bufferBytes: number) {
    this.read = read;
    this.longestMs = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, bufferBytes / BUFFER_BYTES_PER_MS));
    this.look();
  }

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
