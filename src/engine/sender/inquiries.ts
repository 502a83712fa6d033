/** When members are asked where they are, and which of them. */
import { spreadMs } from "../spread.ts";
import type { MemberProgress } from "./barrier.ts";
import * as times from "./times.ts";

/**
 * When members are asked where they are, and which of them (PROTOCOL.md 5.4). Few members are all asked at once. Of
 * many, those that hold up the others are asked by name: their answers need not wait for those of a thousand others.
 */
export class Inquiries {
  private delayMs = times.POLL_FIRST_MS;
  private movedMs: number;
  private askedAllMs: number;

  constructor(nowMs: number) {
    this.movedMs = nowMs;
    this.askedAllMs = nowMs;
  }

  /** The transfer has got on, or will at that time: until then nobody need be asked. Returns when to ask. */
  restart(movedMs: number): number {
    this.movedMs = movedMs;
    this.delayMs = times.POLL_FIRST_MS;
    return this.nextMs(movedMs);
  }

  /** Everybody has been asked, or told something that all answer: many members need some time for that. */
  noteAskedAll(nowMs: number, members: number): number {
    this.askedAllMs = nowMs;
    this.delayMs = Math.max(this.delayMs, spreadMs(members));
    return this.nextMs(nowMs);
  }

  /** An answer has come, and others may be on their way: what was planned is put off. */
  putOffMs(nowMs: number): number {
    return nowMs + this.delayMs;
  }

  /** When to ask after now: each time later. */
  nextMs(nowMs: number): number {
    const atMs = nowMs + this.delayMs;
    this.delayMs = Math.min(times.POLL_MOST_MS, this.delayMs * 2);
    return atMs;
  }

  /**
   * Whom to ask now.
   *
   * @param owing the members that hold up the others
   * @param members how many there are in all
   */
  whom(owing: readonly MemberProgress[], members: number, nowMs: number): readonly MemberProgress[] | "all" {
    const spread = spreadMs(members);
    if (spread === 0 || nowMs - Math.max(this.askedAllMs, this.movedMs) >= times.ASK_ALL_MS + spread)
      return "all";
    const isCommon = owing.length > Math.max(times.ASKED_BY_NAME, members / 4);
    // Most of their answers are on their way.
    if (isCommon) return nowMs - this.movedMs > spread ? "all" : [];
    const hindmost = [...owing].sort((a, b) => a.windowEnd - b.windowEnd || a.seen - b.seen);
    return hindmost.slice(0, times.ASKED_BY_NAME);
  }
}
