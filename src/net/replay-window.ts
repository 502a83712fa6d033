/** Accepts each counter of a sender once. */

/** Counters that are remembered (PROTOCOL.md 7.2). */
const WINDOW = 1024n;

/** The window is kept in words of this size. */
const WORD_BITS = 32n;

/** Accepts each counter once, and none that lies further back than the window (PROTOCOL.md 7.2). */
export class ReplayWindow {
  private highest = 0n;
  private readonly seen = new Uint32Array(Number(WINDOW / WORD_BITS));

  /** Whether the counter is new; from then on it is not. */
  accept(counter: bigint): boolean {
    if (counter === 0n || counter + WINDOW <= this.highest) return false;
    if (counter > this.highest) this.advance(counter);
    const word = Number((counter / WORD_BITS) % (WINDOW / WORD_BITS));
    const bit = (1 << Number(counter % WORD_BITS)) >>> 0;
    const known = this.seen[word] as number;
    if ((known & bit) !== 0) return false;
    this.seen[word] = known | bit;
    return true;
  }

  /** Forgets the counters that leave the window, so that their bits are free for the new ones. */
  private advance(counter: bigint): void {
    const first = this.highest + 1n > counter - WINDOW + 1n ? this.highest + 1n : counter - WINDOW + 1n;
    for (let fresh = first; fresh <= counter; fresh++) {
      const word = Number((fresh / WORD_BITS) % (WINDOW / WORD_BITS));
      const bit = (1 << Number(fresh % WORD_BITS)) >>> 0;
      this.seen[word] = (this.seen[word] as number) & ~bit;
    }
    this.highest = counter;
  }
}
