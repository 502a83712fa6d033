/** The parts of a file that are written, whether they were sent or found on this member. */
import type { Part } from "../entries/part.ts";

/** Most parts with something missing between them: a bound on memory, some 8 MB. Further ones are ignored. */
const MOST_PARTS = 256 * 1024;

/** Most edges in one list: to put one in moves those after it, 8 KB at most. */
const LIST_EDGES = 1024;

/** Parts of a file. They never overlap, so their bytes are as many as those of the file only if all of it is written. */
export class WrittenParts {
  /** Begins and ends in turns, each higher than the one before, in lists that follow each other. Only the first may be empty. */
  private readonly lists: number[][] = [[]];
  private count = 0;
  /** Of all parts together. */
  bytes = 0;

  /** Whether there is no room for a part that touches no other one. */
  get isFull(): boolean {
    return this.count >= MOST_PARTS;
  }

  /** Whether a part touches no other one. */
  isApart({ start, end }: Part): boolean {
    const { list, index } = this.firstEndingFrom(start);
    const begin = this.lists[list]?.[index];
    return begin === undefined || begin > end;
  }

  /** Adds a part. Some of it, or all, may be written already. */
  add({ start, end }: Part): void {
    const { lists } = this;
    const { list, index } = this.firstEndingFrom(start);
    let [from, to] = [start, end];
    const take = (edges: number[], first: number): boolean => {
      let next = first;
      for (; (edges[next] ?? Infinity) <= end; next += 2) {
        const [begin, stop] = [edges[next] as number, edges[next + 1] as number];
        from = Math.min(from, begin);
        to = Math.max(to, stop);
        this.bytes -= stop - begin;
        this.count--;
      }
      const isToEnd = next === edges.length;
      edges.splice(first, next - first);
      return isToEnd;
    };
    const edges = lists[list] as number[];
    let following = list + 1;
    // Parts that it touches become one with it.
    for (let isToEnd = take(edges, index); isToEnd && following < lists.length;) {
      isToEnd = take(lists[following] as number[], 0);
      if (isToEnd) following++;
    }
    lists.splice(list + 1, following - list - 1);
    edges.splice(index, 0, from, to);
    this.bytes += to - from;
    this.count++;
    if (edges.length > LIST_EDGES) lists.splice(list + 1, 0, edges.splice(LIST_EDGES / 2));
  }

  /** What of a part is not written, in its order. */
  missingOf({ start, end }: Part): Part[] {
    const missing: Part[] = [];
    let from = start;
    let { list, index } = this.firstEndingFrom(start);
    for (let edges = this.lists[list]; edges !== undefined && from < end; edges = this.lists[++list]) {
      for (; index < edges.length && from < end; index += 2) {
        const [begin, stop] = [edges[index] as number, edges[index + 1] as number];
        if (begin > from) missing.push({ start: from, end: Math.min(begin, end) });
        from = stop;
      }
      index = 0;
    }
    if (from < end) missing.push({ start: from, end });
    return missing;
  }

  /** The first part that ends at a place or after it; the end of the last list if there is none. */
  private firstEndingFrom(place: number): { list: number; index: number } {
    const last = this.lists.length - 1;
    const list = lowest(last, (one) => ((this.lists[one] as number[]).at(-1) ?? -1) >= place);
    const edges = this.lists[list] as number[];
    const part = lowest(edges.length / 2, (one) => (edges[2 * one + 1] as number) >= place);
    return { list, index: 2 * part };
  }
}

/** The lowest number from 0 on for which something is true; `most` if it is for none below. */
function lowest(most: number, isTrue: (number: number) => boolean): number {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isTrue(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
