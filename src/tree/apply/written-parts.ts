/** The parts of a file that are written: each byte once, whether it was sent or found on this member. */
import type { Part } from "../entries/part.ts";

/** Most parts with something missing between them: a bound on memory, some 8 MB. Further ones are ignored. */
const MOST_PARTS = 256 * 1024;

/** Parts of a file. They never overlap, so their bytes are as many as those of the file only if all of it is written. */
export class WrittenParts {
  /** Begins and ends in turns, each higher than the one before. */
  private readonly edges: number[] = [];
  /** Of all parts together. */
  bytes = 0;

  /** Whether there is no room for a part that touches no other one. */
  get isFull(): boolean {
    return this.edges.length >= 2 * MOST_PARTS;
  }

  /** Whether a part, of which nothing is written, touches no other one. */
  isApart({ start, end }: Part): boolean {
    const index = this.firstEndingAfter(start);
    return this.edges[index - 1] !== start && this.edges[index] !== end;
  }

  /** Adds a part of which nothing is written. */
  add({ start, end }: Part): void {
    const { edges } = this;
    this.bytes += end - start;
    const index = this.firstEndingAfter(start);
    const joinsBefore = index > 0 && edges[index - 1] === start;
    const joinsAfter = edges[index] === end;
    if (joinsBefore && joinsAfter) edges.splice(index - 1, 2);
    else if (joinsBefore) edges[index - 1] = end;
    else if (joinsAfter) edges[index] = start;
    else edges.splice(index, 0, start, end);
  }

  /** What of a part is not written, in its order. */
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
