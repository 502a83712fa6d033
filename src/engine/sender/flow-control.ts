import { BLOCK_FRAGMENTS } from "../../wire/limits.ts";

/**
 * How fast a sender may go (PROTOCOL.md 5.5): a token bucket in fragments. The windows of the members keep it
 * from overrunning a receiver; this keeps it below the configured rate, and below what the network carries where
 * a switch or a slower link on the way throws datagrams away.
 */

/** Loss above this share within an interval means congestion; scattered loss below it is simply repaired. */
const CONGESTION_LOSS = 0.15;
const DECREASE = 0.8;
const INCREASE = 1.1;
const INTERVAL_MS = 100;

/** However much is lost, some has to be sent to find out when it is better again. */
const LEAST_PER_MS = 1;

/** The bucket holds what may be sent at once after a pause of this length. */
const BURST_MS = 4;

export class FlowControl {
  private readonly mostPerMs: number;
  private ratePerMs: number;
  private tokens: number;
  private filledMs = 0;
  private intervalStartMs = 0;
  private sentInInterval = 0;
  /** By member: what one loses, another may have; only the worst of them tells how full the network is. */
  private readonly lostInInterval = new Map<string, number>();

  /** @param fragmentsPerSecond the hard bound; Infinity for none */
  constructor(fragmentsPerSecond: number) {
    this.mostPerMs = fragmentsPerSecond / 1000;
    this.ratePerMs = this.mostPerMs;
    this.tokens = this.largestSend();
  }

  /** How many fragments one send may hold: a whole block, less at a low rate. */
  largestSend(): number {
    return Math.max(1, Math.min(BLOCK_FRAGMENTS, Math.floor(this.ratePerMs * BURST_MS)));
  }

  /** When the bucket allows to send, in milliseconds; not later than now means at once. */
  readyMs(nowMs: number): number {
    this.fill(nowMs);
    if (this.tokens >= 1 || this.ratePerMs === Infinity) return nowMs;
    return nowMs + Math.max(1, (1 - this.tokens) / this.ratePerMs);
  }

  noteSent(fragments: number, nowMs: number): void {
    this.fill(nowMs);
    this.tokens -= fragments;
    this.sentInInterval += fragments;
  }

  /** Fragments that a member reports as lost, each counted once. */
  noteLost(member: string, fragments: number): void {
    if (fragments > 0) this.lostInInterval.set(member, (this.lostInInterval.get(member) ?? 0) + fragments);
  }

  /** The present bound in fragments a second; Infinity where there is none. */
  get fragmentsPerSecond(): number {
    return this.ratePerMs * 1000;
  }

  private fill(nowMs: number): void {
    if (nowMs - this.intervalStartMs >= INTERVAL_MS) this.adapt(nowMs);
    const elapsedMs = Math.max(0, nowMs - this.filledMs);
    this.filledMs = nowMs;
    if (this.ratePerMs === Infinity) this.tokens = BLOCK_FRAGMENTS;
    else this.tokens = Math.min(this.largestSend(), this.tokens + elapsedMs * this.ratePerMs);
  }

  private adapt(nowMs: number): void {
    const lengthMs = nowMs - this.intervalStartMs;
    const achievedPerMs = this.sentInInterval / lengthMs;
    const isBusy = this.sentInInterval > BLOCK_FRAGMENTS;
    const lost = Math.max(0, ...this.lostInInterval.values());
    if (isBusy && lost > this.sentInInterval * CONGESTION_LOSS) {
      this.ratePerMs = Math.min(this.mostPerMs, Math.max(LEAST_PER_MS, achievedPerMs * DECREASE));
    } else if (this.ratePerMs < this.mostPerMs) {
      this.ratePerMs = Math.min(this.mostPerMs, this.ratePerMs * INCREASE);
      // A bound that is never reached is none.
      if (this.ratePerMs > achievedPerMs * 8) this.ratePerMs = this.mostPerMs;
    }
    this.intervalStartMs = nowMs;
    this.sentInInterval = 0;
    this.lostInInterval.clear();
  }
}
