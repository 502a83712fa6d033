/** How the rate of a transfer adapts to congestion. */
import { TokenBucket } from "./token-bucket.ts";

/**
 * How fast one transfer may go (PROTOCOL.md 5.5). The windows of the members keep it from overrunning a receiver;
 * this keeps it below what the network carries, where a switch or a slower link on the way throws datagrams away.
 *
 * Each member counts what arrives, so a report tells which share of what was sent since the one before got lost. When
 * that is far more than usual, the rate becomes what got through. From there it grows again, slowly at first and
 * faster the longer nothing more than usual is lost. Loss that does not depend on the rate is no reason to slow
 * down: how much is usual shows right after the rate was lowered.
 */

/** A share of loss that is congestion for sure, where no rate has been set yet. */
const CONGESTION_LOSS = 0.15;
/** How much more than usual may get lost before it means congestion: without a rate, and with one. */
const EXCESS_LOSS = 0.1;
const EXCESS_LOSS_WITH_RATE = 0.04;
/** The rate becomes this share of what got through. */
const DECREASE = 0.96;
/** Loss that got less by so much when the rate was lowered depends on the rate: it has to be lowered further. */
const BETTER = 0.9;
const NO_LOSS = 0.02;
/** The first growth, and the largest: each one is twice the one before. */
const FIRST_GROWTH = 0.01;
const LARGEST_GROWTH = 0.5;
/** Below so many times what was carried at the last congestion, growth is no more than this: a queue may be filling. */
const NEAR_CEILING = 1.15;
const GROWTH_NEAR_CEILING = 0.04;
/**
 * A rate of which less than this share was used is no bound, and need not grow; unless it has held up this transfer for
 * this share of the time: a busy sender comes too late for what it might send.
 */
const USED_SHARE = 0.7;
const HELD_SHARE = 0.5;

const INTERVAL_MS = 100;
/** When a member has lost this share of so many fragments, there is nothing to wait for. */
const URGENT_LOSS = 0.5;
const URGENT_SPAN = 1000;

/** The rate is not judged before a member has told of so many fragments. */
const LEAST_SPAN = 256;

/** However much is lost, some has to be sent to find out when it is better again. */
const LEAST_PER_MS = 1;

export class FlowControl {
  private readonly bucket = new TokenBucket(Infinity);
  private readonly nodeBucket: TokenBucket;
  private growth = FIRST_GROWTH;
  /** What the network carried when it was congested last, in fragments a millisecond. */
  private ceilingPerMs = 0;
  /** The share that gets lost whatever the rate is; undefined while that has to be found out anew. */
  private usualLoss: number | undefined = 0;
  /** The share that was lost before the rate was lowered. */
  private lossBefore = 0;
  private intervalStartMs: number;
  private sentInInterval = 0;
  private sentInAll = 0;
  /** Reports of what was sent before this say nothing of the present rate. */
  private judgedFrom = 0;
  private isUrgent = false;
  /** Too much seems to be lost; what was only late, on its way or in a busy member, will have arrived an interval later. */
  private isSuspicious = false;
  /** For how long the rate has held up this transfer in the interval, and since when it does. */
  private heldMs = 0;
  private heldSinceMs: number | undefined;
  private readonly reports = new Map<string, { span: number; received: number }>();

  /** @param nodeBucket holds the configured rate, for all transfers of this node together */
  constructor(nodeBucket: TokenBucket, nowMs: number) {
    this.nodeBucket = nodeBucket;
    this.intervalStartMs = nowMs;
  }

  /** How many fragments one send may hold. */
  get largestSend(): number {
    return Math.min(this.bucket.largestSend, this.nodeBucket.largestSend);
  }

  /** The present bound in fragments a second; Infinity where there is none. */
  get fragmentsPerSecond(): number {
    return Math.min(this.bucket.fragmentsPerMs, this.nodeBucket.fragmentsPerMs) * 1000;
  }

  /** Whether the network has turned out to be slower than this sender. */
  get isSlowed(): boolean {
    return this.bucket.fragmentsPerMs !== Infinity;
  }

  /** When so many fragments may be sent, in milliseconds; not later than now means at once. */
  readyMs(fragments: number, nowMs: number): number {
    const intervalMs = this.isSuspicious ? 2 * INTERVAL_MS : INTERVAL_MS;
    if (this.isUrgent || nowMs - this.intervalStartMs >= intervalMs) this.judge(nowMs);
    const readyMs = this.bucket.readyMs(fragments, nowMs);
    this.heldMs += nowMs - (this.heldSinceMs ?? nowMs);
    this.heldSinceMs = readyMs > nowMs ? nowMs : undefined;
    return Math.max(readyMs, this.nodeBucket.readyMs(fragments, nowMs));
  }

  noteSent(fragments: number): void {
    this.bucket.take(fragments);
    this.nodeBucket.take(fragments);
    this.sentInInterval += fragments;
    this.sentInAll += fragments;
  }

  /** Control messages are not held up, but what they take is not there for fragments. */
  noteAnnounced(): void {
    this.nodeBucket.take(1);
  }

  /**
   * Notes a member's report.
   *
   * @param seenBefore how many fragments had been sent at its last report, and `seen` at this one
   * @param received how many of those between arrived
   */
  noteReport(member: string, seenBefore: number, seen: number, received: number): void {
    if (seenBefore < this.judgedFrom || seen <= seenBefore) return;
    const noted = this.reports.get(member) ?? { span: 0, received: 0 };
    noted.span += seen - seenBefore;
    noted.received += received;
    this.reports.set(member, noted);
    if (noted.span >= URGENT_SPAN && noted.received < noted.span * (1 - URGENT_LOSS)) this.isUrgent = true;
  }

  /** Looks at the member that lost most: what one loses, another may have. */
  private judge(nowMs: number): void {
    const worst = this.worstReport();
    if (worst === undefined) {
      this.restartInterval(nowMs);
      return;
    }
    if (worst.span < LEAST_SPAN) return;
    const intervalMs = nowMs - this.intervalStartMs;
    const achievedPerMs = this.sentInInterval / intervalMs;
    const loss = Math.max(0, 1 - worst.received / worst.span);
    if (!this.isTooMuch(loss)) {
      const isHeld = this.heldMs >= intervalMs * HELD_SHARE;
      this.speedUp(isHeld ? this.bucket.fragmentsPerMs : achievedPerMs, loss, nowMs);
    } else if (this.isSlowed || this.isUrgent || this.isSuspicious) {
      this.slowDown(achievedPerMs, loss, nowMs);
    } else {
      this.isSuspicious = true;
      return;
    }
    this.restartInterval(nowMs);
  }

  private worstReport(): { span: number; received: number } | undefined {
    let most = 0;
    for (const { span } of this.reports.values()) most = Math.max(most, span);
    let worst: { span: number; received: number } | undefined;
    for (const one of this.reports.values()) {
      // Who has told of little so far may have been unlucky.
      if (one.span < most / 2) continue;
      if (worst === undefined || one.received / one.span < worst.received / worst.span) worst = one;
    }
    return worst;
  }

  /** Whether so much loss means that the rate is too high. */
  private isTooMuch(loss: number): boolean {
    if (this.usualLoss === undefined) return loss > NO_LOSS && loss < this.lossBefore * BETTER;
    if (this.isSlowed) return loss > this.usualLoss + EXCESS_LOSS_WITH_RATE;
    return loss > Math.max(CONGESTION_LOSS, this.usualLoss + EXCESS_LOSS);
  }

  private slowDown(achievedPerMs: number, loss: number, nowMs: number): void {
    const carriedPerMs = (achievedPerMs * (1 - loss)) / (1 - (this.usualLoss ?? 0));
    this.bucket.setRate(Math.max(LEAST_PER_MS, carriedPerMs * DECREASE), nowMs);
    this.growth = FIRST_GROWTH;
    this.ceilingPerMs = carriedPerMs;
    this.usualLoss = undefined;
    this.lossBefore = loss;
    this.judgedFrom = this.sentInAll;
  }

  private speedUp(achievedPerMs: number, loss: number, nowMs: number): void {
    this.usualLoss = this.usualLoss === undefined ? loss : this.usualLoss + (loss - this.usualLoss) / 4;
    const { fragmentsPerMs } = this.bucket;
    if (fragmentsPerMs === Infinity || achievedPerMs < fragmentsPerMs * USED_SHARE) return;
    this.bucket.setRate(fragmentsPerMs * (1 + this.growth), nowMs);
    const isNear = fragmentsPerMs < this.ceilingPerMs * NEAR_CEILING;
    this.growth = Math.min(isNear ? GROWTH_NEAR_CEILING : LARGEST_GROWTH, this.growth * 2);
  }

  private restartInterval(nowMs: number): void {
    this.intervalStartMs = nowMs;
    this.sentInInterval = 0;
    this.isUrgent = false;
    this.isSuspicious = false;
    this.heldMs = 0;
    this.reports.clear();
  }
}
