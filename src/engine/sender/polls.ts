/** When members are asked, which of them, and for what. */
import { Deadline } from "../../base/deadline.ts";
import { quietSpreadMs, spreadMs } from "../spread.ts";
import type { Announcements } from "./announcements.ts";
import type { Barrier, MemberProgress } from "./barrier.ts";
import type { Debts } from "./debts.ts";
import type { Ordering } from "./ordering.ts";
import type { SenderLife } from "./states.ts";
import * as times from "./times.ts";

/** What decides about the polls of a transfer. */
export interface PollParts {
  readonly life: SenderLife;
  readonly barrier: Barrier;
  readonly ordering: Ordering;
  readonly debts: Debts;
  readonly announcements: Announcements;
}

/**
 * When members are asked, which of them, and for what (PROTOCOL.md 5.4, 5.6). A poll is the only way on where a
 * report or the last fragments got lost: nothing is on its way then that would bring another report about. Few
 * members are all asked at once. Of many, those that hold up the others are asked by name: their answers need not
 * wait for those of a thousand others.
 */
export class Polls {
  private readonly parts: PollParts;
  private readonly due = new Deadline();
  /** How long to wait before the next poll. */
  private delayMs = times.POLL_FIRST_MS;
  private movedMs: number;
  private askedAllMs: number;
  /** When the last look for reports that are overdue was. */
  private overdueMs = -Infinity;
  /** How many members were asked the last time. */
  private askedSize = 0;

  constructor(parts: PollParts, nowMs: number) {
    this.parts = parts;
    this.movedMs = nowMs;
    this.askedAllMs = nowMs;
  }

  /** When the next poll is due, in milliseconds. */
  get dueMs(): number {
    return this.due.atMs;
  }

  /** Plans the next poll, each time later. */
  plan(nowMs: number): void {
    this.due.set(nowMs + this.delayMs);
    this.delayMs = Math.min(times.POLL_MOST_MS, this.delayMs * 2);
  }

  /** The transfer has made progress, or will at that time: until then nobody need be asked. */
  restart(movedMs: number): void {
    this.movedMs = movedMs;
    this.delayMs = times.POLL_FIRST_MS;
    this.plan(movedMs);
  }

  /** A member has answered for the first time. If few are asked, the answers of the others are on their way. */
  noteFirstAnswer(nowMs: number): void {
    if (spreadMs(this.parts.barrier.size) === 0) this.due.set(nowMs + this.delayMs);
  }

  /** Asks all members for what they still owe: an answer to the offer, a STATUS, a place, or DONE. */
  ask(nowMs: number): void {
    const { life, ordering, announcements, barrier } = this.parts;
    const asked = life.state === "ordering" ? ordering.behind.length : barrier.size;
    // Each place and each DONE brings the transfer on.
    if (life.state !== "sending" && asked < this.askedSize) this.delayMs = times.POLL_FIRST_MS;
    this.askedSize = asked;
    if (life.state === "committing") announcements.commit();
    else if (life.state === "ordering") {
      announcements.order();
      ordering.noteTold();
    } else {
      announcements.offer();
      announcements.poll();
    }
    this.askedAllMs = nowMs;
    // Many members need the time of the spread for their answers.
    const spread = spreadMs(asked);
    this.delayMs = Math.max(this.delayMs, life.state === "sending" ? spread : quietSpreadMs(spread));
    this.plan(nowMs);
  }

  /** Asks again when a poll is due. */
  tick(nowMs: number): void {
    if (!this.due.take(nowMs)) return;
    const { life, announcements } = this.parts;
    const asked = life.state === "sending" ? this.whom(nowMs) : "all";
    if (asked === "all") {
      this.ask(nowMs);
      return;
    }
    if (asked.length > 0) announcements.offer();
    for (const { member } of asked) announcements.pollOne(member);
    this.plan(nowMs);
  }

  /**
   * Blocks have been sent. Very many members report once for each window, so a report that gets lost would close it, and of a
   * thousand there are always some whose report got lost. They are asked before that.
   */
  askOverdue(nowMs: number): void {
    const { barrier, debts, announcements } = this.parts;
    if (spreadMs(barrier.size) === 0 || nowMs - this.overdueMs < times.POLL_FIRST_MS) return;
    this.overdueMs = nowMs;
    for (const progress of debts.overdue(nowMs).slice(0, times.ASKED_BY_NAME)) {
      progress.askedEnd = progress.window.end;
      progress.askedMs = nowMs;
      announcements.pollOne(progress.member);
    }
  }

  private whom(nowMs: number): readonly MemberProgress[] | "all" {
    const { barrier, debts } = this.parts;
    const spread = spreadMs(barrier.size);
    const hasLongNotAsked = nowMs - Math.max(this.askedAllMs, this.movedMs) >= times.ASK_ALL_MS + spread;
    if (spread === 0 || hasLongNotAsked) return "all";
    const holdingUp = debts.holdingUp();
    const isCommon = holdingUp.length > Math.max(times.ASKED_BY_NAME, barrier.size * times.COMMON_SHARE);
    // Most of their answers are on their way.
    if (isCommon) return nowMs - this.movedMs > spread ? "all" : [];
    const hindmost = holdingUp.sort((a, b) => a.window.end - b.window.end || a.window.seen - b.window.seen);
    return hindmost.slice(0, times.ASKED_BY_NAME);
  }
}
