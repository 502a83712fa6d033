/**
 * Numbers that count up for ever in 32 bits and wrap. Two of them are compared by their distance, which is correct
 * as long as they lie within 2^31 of each other.
 */

/** How far `a` is ahead of `b`; negative when it is behind. */
export function serialDistance(a: number, b: number): number {
  return (a - b) | 0;
}

/** The number `count` steps after `a`. */
export function serialAdd(a: number, count: number): number {
  return (a + count) >>> 0;
}
