/** Sets of fragments of one block. */

/** Some fragments of one block, a bit for each; one object is used again and again. */
export interface FragmentMask {
  /** Fragments 0 to 31. */
  low: number;
  /** Fragments 32 to 43, and above them the parity fragments. */
  high: number;
}

/** Makes a mask of `count` fragments from `first` on. */
export function setMask(mask: FragmentMask, first: number, count: number): void {
  mask.low = lowBits(first + count) & ~lowBits(first);
  mask.high = lowBits(first + count - 32) & ~lowBits(first - 32);
}

/** Whether the two halves of a mask have a fragment. */
export function hasFragment(low: number, high: number, index: number): boolean {
  return ((index < 32 ? low : high) & (1 << (index & 31))) !== 0;
}

/** The lowest `count` of 32 bits. */
export function lowBits(count: number): number {
  return count >= 32 ? -1 : (1 << Math.max(0, count)) - 1;
}
