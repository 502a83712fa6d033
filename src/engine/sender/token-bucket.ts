/** Holds a rate. */
import { BLOCK_FRAGMENTS } from "../../wire/limits.ts";

/**
 * Holds a rate in fragments (PROTOCOL.md 5.5). What was not used is kept for a short while only, so that a clock
 * that is looked at late costs nothing, and no burst fills the queue of a switch.
 */

/** The bucket holds what the rate gives in this time, and one send no more than half of that. */
const BURST_MS = 3;

/** Over any time as long as this, no more than the rate gives is let through, a full bucket at its start included. */
const HELD_OVER_MS = 100;

export class TokenBucket {
  private ratePerMs: number;
  private tokens: number;
  private filledMs = -Infinity;

  /** @param fragmentsPerMs the rate; Infinity for no bound */
  constructor(fragmentsPerMs: number) {
    this.ratePerMs = fragmentsPerMs;
    this.tokens = this.depth;
  }

  get fragmentsPerMs(): number {
    return this.ratePerMs;
  }

  /** How many fragments one send may hold: a whole block, less at a low rate. */
  get largestSend(): number {
    return Math.min(BLOCK_FRAGMENTS, Math.max(1, Math.floor(this.depth / 2)));
  }

  setRate(fragmentsPerMs: number, nowMs: number): void {
    this.fill(nowMs);
    this.ratePerMs = fragmentsPerMs;
    this.tokens = Math.min(this.tokens, this.depth);
  }

  /** When so many fragments may be sent, in milliseconds; not later than now means at once. */
  readyMs(fragments: number, nowMs: number): number {
    if (this.ratePerMs === Infinity) return nowMs;
    this.fill(nowMs);
    return this.tokens >= fragments ? nowMs : nowMs + (fragments - this.tokens) / this.fillPerMs;
  }

  /** Takes out what was sent. It may be more than there is; then the bucket stays closed until that is made up for. */
  take(fragments: number): void {
    if (this.ratePerMs !== Infinity) this.tokens -= fragments;
  }

  private get depth(): number {
    return Math.max(1, this.ratePerMs * BURST_MS);
  }

  /** A little slower than the rate, so that a full bucket and what flows in meanwhile are together within it. */
  private get fillPerMs(): number {
    return Math.max(this.ratePerMs / 2, this.ratePerMs - this.depth / HELD_OVER_MS);
  }

  private fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.filledMs);
    if (this.ratePerMs !== Infinity)
      this.tokens = Math.min(this.depth, this.tokens + elapsedMs * this.fillPerMs);
    this.filledMs = nowMs;
  }
}
