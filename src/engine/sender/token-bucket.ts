/** A token bucket: holds a rate. */
import { BLOCK_FRAGMENTS } from "../../wire/limits.ts";

/**
 * The bucket holds what the rate gives in this time, and one send no more than half of that. Timers come about a
 * millisecond late, so less would lose some of the rate. At 100 Mbit/s it is a burst of 36 KB, which the queue of any
 * switch takes.
 */
const BURST_MS = 3;

/**
 * Over any time as long as this, no more than the rate gives is let through, a full bucket at its start included.
 * For that the bucket fills by BURST_MS in HELD_OVER_MS slower than the rate. Over 100 ms that costs 3 % of it.
 */
const HELD_OVER_MS = 100;

/**
 * Holds a rate in fragments (PROTOCOL.md 5.5). It keeps unused tokens for a short while only, so that a timer that
 * comes late costs nothing, and no burst fills the queue of a switch.
 */
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

  /** Changes the rate; what the bucket holds beyond its new depth is gone. */
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

  /** Takes out what was sent. It may be more than there is: then the bucket stays closed until that has flowed in. */
  take(fragments: number): void {
    if (this.ratePerMs !== Infinity) this.tokens -= fragments;
  }

  private get depth(): number {
    return Math.max(1, this.ratePerMs * BURST_MS);
  }

  /** A little slower than the rate, so that a full bucket and what flows in meanwhile keep to it together. */
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
