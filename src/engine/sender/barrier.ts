import { serialDistance } from "../../base/serial.ts";
import { MemberPhase, type Status } from "../../wire/status-message.ts";
import type { Member, Verdict } from "../types.ts";
import { FIRST_WINDOW_BLOCKS, MEMBER_SILENCE_MS } from "./times.ts";
import { BLOCK_FRAGMENTS } from "../../wire/limits.ts";

/** Where one member is, as its newest STATUS says. */
export interface MemberProgress {
  readonly member: Member;
  phase: MemberPhase;
  stagedBelow: number;
  windowEnd: number;
  stamp: number;
  inFlight: number;
  hasAnswered: boolean;
  heardMs: number;
  /** When it last got on with anything, or owed nothing. */
  movedMs: number;
}

/**
 * The members of one transfer, and the point where they all meet (PROTOCOL.md 5.6). A member leaves either with
 * a failure or with DONE; those in between hold up the barrier.
 */
export class Barrier {
  private readonly active = new Map<string, MemberProgress>();
  private readonly settled: Verdict[] = [];

  constructor(targets: readonly Member[], nowMs: number) {
    for (const member of targets) {
      this.active.set(member.epoch, {
        member,
        phase: MemberPhase.receiving,
        stagedBelow: 0,
        windowEnd: FIRST_WINDOW_BLOCKS,
        stamp: 0,
        inFlight: FIRST_WINDOW_BLOCKS * BLOCK_FRAGMENTS,
        hasAnswered: false,
        heardMs: nowMs,
        movedMs: nowMs,
      });
    }
  }

  get size(): number {
    return this.active.size;
  }

  get verdicts(): readonly Verdict[] {
    return this.settled;
  }

  get progress(): Iterable<MemberProgress> {
    return this.active.values();
  }

  get epochs(): string[] {
    return [...this.active.keys()];
  }

  of(epoch: string): MemberProgress | undefined {
    return this.active.get(epoch);
  }

  /** Takes over what a STATUS says. Nothing goes back: an older STATUS that arrives late changes nothing. */
  update(progress: MemberProgress, status: Status, nowMs: number): void {
    const hasMoved =
      !progress.hasAnswered ||
      status.phase > progress.phase ||
      status.stagedBelow > progress.stagedBelow ||
      status.wants.length > 0;
    if (hasMoved) progress.movedMs = nowMs;
    progress.hasAnswered = true;
    progress.heardMs = nowMs;
    if (status.phase > progress.phase) progress.phase = status.phase;
    if (status.stagedBelow > progress.stagedBelow) progress.stagedBelow = status.stagedBelow;
    if (status.windowEnd > progress.windowEnd) progress.windowEnd = status.windowEnd;
    if (serialDistance(status.stamp, progress.stamp) > 0) progress.stamp = status.stamp;
    progress.inFlight = status.inFlight;
  }

  /** Every block below this is staged everywhere. */
  stagedBelow(): number {
    return this.least((progress) => progress.stagedBelow);
  }

  /** Blocks from this on have no place at some member. */
  windowEnd(): number {
    return this.least((progress) => progress.windowEnd);
  }

  /** How many fragments may be put on the wire before some member's socket could overrun. */
  inFlightRoom(stamp: number): number {
    return this.least((progress) => progress.inFlight - serialDistance(stamp, progress.stamp));
  }

  /** How many fragments fit into the smallest socket buffer. */
  leastInFlight(): number {
    return Math.max(
      1,
      this.least((progress) => progress.inFlight),
    );
  }

  everyone(phase: MemberPhase): boolean {
    for (const progress of this.active.values()) if (progress.phase < phase) return false;
    return true;
  }

  /** Members that have not reached a phase. */
  below(phase: MemberPhase): string[] {
    return [...this.active.values()].filter((one) => one.phase < phase).map((one) => one.member.epoch);
  }

  unanswered(): string[] {
    return [...this.active.values()].filter((one) => !one.hasAnswered).map((one) => one.member.epoch);
  }

  silentSince(nowMs: number): MemberProgress[] {
    return [...this.active.values()].filter((one) => nowMs - one.heardMs >= MEMBER_SILENCE_MS);
  }

  /** This process stood still for a while; that says nothing about the members. */
  forgive(standstillMs: number): void {
    for (const progress of this.active.values()) {
      progress.heardMs += standstillMs;
      progress.movedMs += standstillMs;
    }
  }

  /** Takes a member out with its verdict. */
  settle(progress: MemberProgress, outcome: Verdict["outcome"], reason: string): void {
    const { epoch, address, info } = progress.member;
    this.active.delete(epoch);
    this.settled.push({ epoch, hostName: info.hostName, address, outcome, reason });
  }

  private least(value: (progress: MemberProgress) => number): number {
    let least = Infinity;
    for (const progress of this.active.values()) least = Math.min(least, value(progress));
    return least;
  }
}
