/** The parts of a file that a member has written already, because it had them. */

/** A part of a file, in bytes from its beginning. */
export interface Part {
  readonly start: number;
  readonly end: number;
}

/** Most parts with something missing between them: a bound on memory. Further ones are sent. */
const MOST_PARTS = 256 * 1024;

/** Parts of a file, in their order. */
export class FoundParts {
  /** Begins and ends in turns, each higher than the one before. */
  private readonly edges: number[] = [];

  get isFull(): boolean {
    return this.edges.length >= 2 * MOST_PARTS;
  }

  /** Adds a part that begins where the last one ends, or after it. */
  add({ start, end }: Part): void {
    if (this.edges.at(-1) === start) this.edges[this.edges.length - 1] = end;
    else this.edges.push(start, end);
  }

  /** What of a part was not found, in its order. */
  missingOf({ start, end }: Part): Part[] {
    const missing: Part[] = [];
    let from = start;
    for (let index = this.firstEndingAfter(start); index < this.edges.length; index += 2) {
      const [begin, stop] = [this.edges[index] as number, this.edges[index + 1] as number];
      if (begin >= end) break;
      if (begin > from) missing.push({ start: from, end: begin });
      from = stop;
    }
    if (from < end) missing.push({ start: from, end });
    return missing;
  }

  /** The index of the first part that ends after a place. */
  private firstEndingAfter(place: number): number {
    let [low, high] = [0, this.edges.length / 2];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.edges[2 * middle + 1] as number) > place) high = middle;
      else low = middle + 1;
    }
    return 2 * low;
  }
}
