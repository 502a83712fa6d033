/** The memory of all blocks that arrive. */
import { releaseMemory } from "../sys/memory.ts";

/** A page holds a sealed block of up to 44 fragments, and the longest UDP message that the kernel may read into it. */
export const PAGE_BYTES = 65_536;

/** In a pause, the memory of so many used pages (4 MiB) is not worth the calls that give it back to the kernel. */
const KEPT_PAGES = 64;

/**
 * The memory of all blocks that arrive, in pages of one block each, shared with the thread that stages them. A train that
 * is a whole block stays in the page that it was read into; nothing is copied. The page that was given back last is taken
 * first, so that a receiver that keeps up works in the caches of the processor.
 */
export class PagePool {
  readonly memory: SharedArrayBuffer;
  readonly bytes: Buffer;
  private readonly free: number[] = [];
  /** The lowest number of free pages since the memory was last given back. */
  private leastFree: number;

  /** @param pages how many there are; those that are never used cost nothing */
  constructor(pages: number) {
    this.memory = new SharedArrayBuffer(pages * PAGE_BYTES);
    this.bytes = Buffer.from(this.memory);
    for (let page = pages - 1; page >= 0; page--) this.free.push(page);
    this.leastFree = pages;
  }

  /** Whether all pages are in use. */
  get isEmpty(): boolean {
    return this.free.length === 0;
  }

  /** Takes a page; undefined if all are in use. */
  take(): number | undefined {
    const page = this.free.pop();
    this.leastFree = Math.min(this.leastFree, this.free.length);
    return page;
  }

  /** Gives a page back. */
  give(page: number): void {
    this.free.push(page);
  }

  /** In a pause: gives the memory of free pages back to the kernel, if many of them were used. */
  trim(): void {
    if (this.free.length - this.leastFree <= KEPT_PAGES) return;
    this.leastFree = this.free.length;
    // The lowest is taken next, and free pages stand in few runs: one call for each run, not for each page.
    this.free.sort((a, b) => b - a);
    for (let index = 0; index < this.free.length;) {
      const highest = this.free[index] as number;
      let lowest = highest;
      while (this.free[++index] === lowest - 1) lowest--;
      releaseMemory(this.bytes.subarray(lowest * PAGE_BYTES, (highest + 1) * PAGE_BYTES));
    }
  }
}
