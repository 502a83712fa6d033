/** How often and how soon a member speaks, by the number of members. */
import { fraction, type Random } from "../../base/random.ts";
import { quietSpreadMs, spreadMs as spreadOf } from "../spread.ts";
import * as times from "./times.ts";

/**
 * How often a member speaks (PROTOCOL.md 5.3). All of it follows from the spread, which grows with the number of
 * members. Few members report often, so that the window never closes. Many report rarely, and not all at once.
 */
export class Pace {
  private readonly random: Random;
  /** The time over which all members spread their answers; 0 where they are few. */
  spreadMs: number;
  /** This member reports when it has used up this share of a window. */
  private reportShare = 0;

  constructor(random: Random, spreadMs: number) {
    this.random = random;
    this.spreadMs = spreadMs;
    // At the start all members have used up nothing: each draws another share for its first report.
    this.drawShare();
    if (spreadMs > 0) this.reportShare *= fraction(random);
  }

  /** Whether PROGRESS asks this member alone: that is sent without a spread, though the members are many. */
  isAskedByName(spreadMs: number): boolean {
    return spreadMs === 0 && this.spreadMs > 0;
  }

  /** Takes over the spread that the sender says. */
  learn(spreadMs: number): void {
    if (spreadMs > 0) this.spreadMs = spreadMs;
  }

  /** How long to wait with an answer that all members are asked for. */
  answerDelayMs(): number {
    return this.spreadMs === 0 ? 0 : fraction(this.random) * this.spreadMs;
  }

  /** How long to wait with what all members say before the first block or after the last one. */
  quietDelayMs(): number {
    return this.spreadMs === 0 ? 0 : fraction(this.random) * quietSpreadMs(this.spreadMs);
  }

  /**
   * How long to wait with the answer to an ORDER, and with the word that the commit is over: a few members flood nobody.
   *
   * @param asked how many members are asked, which may be the last few of them
   */
  orderDelayMs(asked: number): number {
    const spread = asked <= times.ORDERED_AT_ONCE ? 0 : Math.min(this.spreadMs, spreadOf(asked));
    return spread === 0 ? 0 : fraction(this.random) * quietSpreadMs(spread);
  }

  /** How long a gap has to last before it is worth a report. */
  gapDelayMs(): number {
    return times.GAP_DELAY_MS + (this.gapSpreadMs * (1 + fraction(this.random))) / 2;
  }

  /** After which time to say again what stays missing. */
  get gapRepeatMs(): number {
    return times.GAP_REPEAT_MS + this.gapSpreadMs;
  }

  /** Grows slower than the number of members: the first few reports ask for most of what is missing anywhere. */
  private get gapSpreadMs(): number {
    return times.GAP_SPREAD_MS * Math.cbrt(this.spreadMs);
  }

  /** After which time to say again what is wanted: all members may have to wait for the answer of the slowest. */
  get wantRepeatMs(): number {
    return times.WANT_REPEAT_MS + 2 * this.spreadMs;
  }

  /** Whether so much of a window has been used up since the last report that the next one is due. */
  isDue(used: number, window: number): boolean {
    return used >= window * this.reportShare;
  }

  /** Draws the share for the next report. To be called with each report. */
  drawShare(): void {
    const crowd = Math.min(1, Math.sqrt(this.spreadMs / times.MANY_SPREAD_MS));
    const most = times.FEW_REPORT_SHARE + crowd * (times.MANY_REPORT_SHARE - times.FEW_REPORT_SHARE);
    this.reportShare = most * (1 - (crowd / 4) * fraction(this.random));
  }
}
