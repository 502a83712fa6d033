/** Where its members are, and the verdicts on those that have left it. */
import { serialDistance } from "../../base/serial.ts";
import { MemberPhase, type Status } from "../../wire/status-message.ts";
import type { Member, Verdict } from "../types.ts";
import { Least } from "./least.ts";
import { FIRST_WINDOW_BLOCKS } from "./times.ts";
import { BLOCK_FRAGMENTS } from "../../wire/limits.ts";

/** Where one member is, as its newest STATUS says. */
export interface MemberProgress {
  readonly member: Member;
  /** Its number in this transfer. */
  readonly index: number;
  phase: MemberPhase;
  stagedBelow: number;
  windowEnd: number;
  /** How many fragments had been sent when the newest that it has seen was. */
  seen: number;
  /** How many it has received, and how long it has worked, as serial numbers. */
  received: number;
  worked: number;
  /** The place that it has proposed for the transfer; 0 before it has. */
  order: number;
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
  private readonly stagedBelows: Least;
  private readonly windowEnds: Least;
  private readonly inFlights: Least;
  /** Up to which number of fragments each member lets the sender go. */
  private readonly sendLimits: Least;

  constructor(targets: readonly Member[], nowMs: number) {
    const inFlight = FIRST_WINDOW_BLOCKS * BLOCK_FRAGMENTS;
    for (const [index, member] of targets.entries()) {
      this.active.set(member.epoch, {
        member,
        index,
        phase: MemberPhase.receiving,
        stagedBelow: 0,
        windowEnd: FIRST_WINDOW_BLOCKS,
        seen: 0,
        received: 0,
        worked: 0,
        order: 0,
        inFlight,
        hasAnswered: false,
        heardMs: nowMs,
        movedMs: nowMs,
      });
    }
    this.stagedBelows = new Least(targets.length, 0);
    this.windowEnds = new Least(targets.length, FIRST_WINDOW_BLOCKS);
    this.inFlights = new Least(targets.length, inFlight);
    this.sendLimits = new Least(targets.length, inFlight);
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

  /**
   * Takes over what a STATUS says. Nothing goes back: an older STATUS that arrives late changes nothing.
   *
   * @param seen the stamp of the STATUS as a number of fragments sent
   */
  update(progress: MemberProgress, status: Status, seen: number, nowMs: number): void {
    const hasMoved =
      !progress.hasAnswered ||
      status.phase > progress.phase ||
      status.stagedBelow > progress.stagedBelow ||
      status.wants.length > 0 ||
      status.order > progress.order ||
      status.worked !== progress.worked;
    if (hasMoved) progress.movedMs = nowMs;
    progress.hasAnswered = true;
    progress.heardMs = nowMs;
    if (status.phase > progress.phase) progress.phase = status.phase;
    if (status.stagedBelow > progress.stagedBelow) progress.stagedBelow = status.stagedBelow;
    if (status.order > progress.order) progress.order = status.order;
    if (status.windowEnd > progress.windowEnd) progress.windowEnd = status.windowEnd;
    if (seen > progress.seen) progress.seen = seen;
    if (serialDistance(status.received, progress.received) > 0) progress.received = status.received;
    progress.worked = status.worked;
    progress.inFlight = status.inFlight;
    const { index } = progress;
    this.stagedBelows.set(index, progress.stagedBelow);
    this.windowEnds.set(index, progress.windowEnd);
    this.inFlights.set(index, progress.inFlight);
    this.sendLimits.set(index, progress.seen + progress.inFlight);
  }

  /** Every block below this is staged everywhere. */
  get stagedBelow(): number {
    return this.stagedBelows.value;
  }

  /** Blocks from this on have no place at some member. */
  get windowEnd(): number {
    return this.windowEnds.value;
  }

  /** Up to which number of fragments may be sent before some member's socket could overrun. */
  get sendLimit(): number {
    return this.sendLimits.value;
  }

  /** How many fragments fit into the smallest socket buffer. */
  get leastInFlight(): number {
    return Math.max(1, this.inFlights.value);
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
    for (const least of [this.stagedBelows, this.windowEnds, this.inFlights, this.sendLimits])
      least.set(progress.index, Infinity);
    this.settled.push({ epoch, hostName: info.hostName, address, outcome, reason });
  }
}

/** Whether a member cannot be sent one block more, after so many blocks and fragments. */
export function isWindowFull(progress: MemberProgress, sentBlocks: number, sentFragments: number): boolean {
  const limit = progress.seen + progress.inFlight;
  return progress.windowEnd <= sentBlocks || limit < sentFragments + BLOCK_FRAGMENTS;
}
