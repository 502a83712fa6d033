/** How often a member speaks. */
import { fraction, type Random } from "../../base/random.ts";
import { spreadMs as spreadOf } from "../spread.ts";
import * as times from "./times.ts";

/**
 * How often a member speaks (PROTOCOL.md 5.3). All of it follows from the spread, which grows with the number of
 * members: few of them report often, so that the window never closes; many report rarely and not all at once.
 */
export class Pace {
  private readonly random: Random;
  spreadMs: number;
  private reportShare = 0;

  constructor(random: Random, spreadMs: number) {
    this.random = random;
    this.spreadMs = spreadMs;
    // At the start all are at the same place: each draws another point from which it counts.
    this.drawShare();
    if (spreadMs > 0) this.reportShare *= fraction(random);
  }

  /** A message without a spread, among so many members, was sent to this one alone. */
  isAskedByName(spreadMs: number): boolean {
    return spreadMs === 0 && this.spreadMs > 0;
  }

  /** Takes over the spread that the sender says. */
  learn(spreadMs: number): void {
    if (spreadMs > 0) this.spreadMs = spreadMs;
  }

  /** When to give an answer that all members are asked for. */
  answerDelayMs(): number {
    return this.spreadMs === 0 ? 0 : fraction(this.random) * this.spreadMs;
  }

  /** When to say that it is done: a few members flood nobody. */
  doneDelayMs(asked: number): number {
    return asked <= times.ORDERED_AT_ONCE ? 0 : this.answerDelayMs();
  }

  /**
   * When to answer an ORDER: sooner, for nothing else is on the way then, and everybody waits for it.
   *
   * @param asked how many members are asked, which may be the last few of them
   */
  orderDelayMs(asked: number): number {
    const spread = asked <= times.ORDERED_AT_ONCE ? 0 : Math.min(this.spreadMs, spreadOf(asked));
    return spread === 0 ? 0 : fraction(this.random) * spread * times.ORDER_SPREAD_SHARE;
  }

  /** How old a gap has to be before it is worth a report. */
  gapDelayMs(): number {
    return times.GAP_DELAY_MS + (this.gapSpreadMs * (1 + fraction(this.random))) / 2;
  }

  /** When to say again what stays missing. */
  get gapRepeatMs(): number {
    return times.GAP_REPEAT_MS + this.gapSpreadMs;
  }

  /** Grows slower than the number of members: what is missing at nearly all of them is asked for by the first few. */
  private get gapSpreadMs(): number {
    return times.GAP_SPREAD_MS * Math.cbrt(this.spreadMs);
  }

  /** When to say again what is wanted. All members may have to wait for the slowest to answer. */
  get wantRepeatMs(): number {
    return times.WANT_REPEAT_MS + 2 * this.spreadMs;
  }

  /** Whether so much of a window has been used up since the last report that the next one is due. */
  isDue(used: number, window: number): boolean {
    return used >= window * this.reportShare;
  }

  /** To be called with each report. */
  drawShare(): void {
    const crowd = Math.min(1, Math.sqrt(this.spreadMs / times.MANY_SPREAD_MS));
    const most = times.FEW_REPORT_SHARE + crowd * (times.MANY_REPORT_SHARE - times.FEW_REPORT_SHARE);
    this.reportShare = most * (1 - (crowd / 4) * fraction(this.random));
  }
}
