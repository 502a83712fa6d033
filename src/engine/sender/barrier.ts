/** Where the members of a transfer are, and the verdicts on those that have left it. */
import { serialDistance } from "../../base/serial.ts";
import { MemberPhase, type Status } from "../../wire/status-message.ts";
import { Least } from "../least.ts";
import type { Member, Verdict } from "../types.ts";
import { GroupWindow, MemberWindow } from "../window.ts";

/** Where one member is, as its newest STATUS says. */
export interface MemberProgress {
  readonly member: Member;
  /** Its number in this transfer. */
  readonly index: number;
  phase: MemberPhase;
  /** It has staged every block below this one. */
  stagedBelow: number;
  /** How much it can take. */
  readonly window: MemberWindow;
  /** How many fragments it has received, and how often it has reported work, as serial numbers. */
  received: number;
  worked: number;
  /** The place that it has proposed for the transfer; 0 before it has. */
  order: number;
  hasAnswered: boolean;
  /** Which of the member's admissions this transfer has, or has given back. */
  admission: number | undefined;
  /** How many other transfers come first, at a member that lets this one wait; 0 at any other. */
  ahead: number;
  /** It was asked by name for a report that was overdue, when its window ended here, and at this time. */
  askedEnd: number;
  askedMs: number;
  heardMs: number;
  /** When it last made progress, or owed nothing. */
  movedMs: number;
  /** When it last received fragments, or missed none, and how many had been sent by then, as far as it has told. */
  receivedMs: number;
  receivedSeen: number;
}

/**
 * The members of one transfer, and the point where they all meet (PROTOCOL.md 5.6). A member leaves it with a
 * verdict. Until then the barrier waits for it.
 */
export class Barrier {
  private readonly active = new Map<string, MemberProgress>();
  private readonly settled: Verdict[] = [];
  private readonly stagedBelows: Least;
  /** What all members can take. */
  readonly window: GroupWindow;

  constructor(targets: readonly Member[], nowMs: number) {
    for (const [index, member] of targets.entries()) {
      this.active.set(member.epoch, {
        member,
        index,
        phase: MemberPhase.receiving,
        stagedBelow: 0,
        window: new MemberWindow(),
        received: 0,
        worked: 0,
        order: 0,
        hasAnswered: false,
        admission: undefined,
        ahead: 0,
        askedEnd: 0,
        askedMs: -Infinity,
        heardMs: nowMs,
        movedMs: nowMs,
        receivedMs: nowMs,
        receivedSeen: 0,
      });
    }
    this.stagedBelows = new Least(targets.length, 0);
    this.window = new GroupWindow(targets.length);
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
    if (!progress.hasAnswered) this.noteReceived(progress, seen, nowMs);
    progress.hasAnswered = true;
    progress.admission = status.admission;
    progress.ahead = 0;
    progress.heardMs = nowMs;
    if (status.phase > progress.phase) progress.phase = status.phase;
    if (status.stagedBelow > progress.stagedBelow) progress.stagedBelow = status.stagedBelow;
    if (status.order > progress.order) progress.order = status.order;
    if (serialDistance(status.received, progress.received) > 0) {
      progress.received = status.received;
      this.noteReceived(progress, seen, nowMs);
    }
    progress.worked = status.worked;
    progress.window.update(status.windowEnd, seen, status.inFlight);
    this.stagedBelows.set(progress.index, progress.stagedBelow);
    this.window.note(progress.index, progress.window);
  }

  /** A member has received fragments, or misses none: what it hears is judged from here on. */
  noteReceived(progress: MemberProgress, seen: number, nowMs: number): void {
    progress.receivedMs = nowMs;
    progress.receivedSeen = Math.max(progress.receivedSeen, seen);
  }

  /** A member lets the transfer wait. */
  noteWaiting(progress: MemberProgress, status: Status, nowMs: number): void {
    progress.heardMs = nowMs;
    if (progress.hasAnswered) return;
    if (status.worked !== progress.worked) progress.movedMs = nowMs;
    progress.worked = status.worked;
    progress.ahead = status.ahead;
  }

  /**
   * Whether a STATUS is about an admission that this transfer has given back, or one that was replaced since. The last
   * word on a transfer counts in any case.
   */
  isOutdated({ hasAnswered, admission }: MemberProgress, status: Status): boolean {
    if (status.phase >= MemberPhase.done || admission === undefined) return false;
    return hasAnswered ? status.admission !== admission : serialDistance(status.admission, admission) <= 0;
  }

  /** Whether every member in the transfer has admitted it. From then on it gives no place back. */
  get isAdmitted(): boolean {
    for (const { hasAnswered } of this.active.values()) if (!hasAnswered) return false;
    return true;
  }

  /** A member gives back its place, and is where it was before the transfer was offered. */
  restart(progress: MemberProgress): void {
    progress.hasAnswered = false;
    progress.phase = MemberPhase.receiving;
    progress.stagedBelow = 0;
    progress.received = 0;
    progress.worked = 0;
    progress.window.reset();
    this.stagedBelows.set(progress.index, 0);
    this.window.note(progress.index, progress.window);
  }

  /** Every block below this is staged everywhere. */
  get stagedBelow(): number {
    return this.stagedBelows.value;
  }

  /** Whether every member has reached a phase. */
  everyone(phase: MemberPhase): boolean {
    for (const progress of this.active.values()) if (progress.phase < phase) return false;
    return true;
  }

  /** Epochs of the members that have not reached a phase. */
  below(phase: MemberPhase): string[] {
    return [...this.active.values()].filter((one) => one.phase < phase).map((one) => one.member.epoch);
  }

  /** Epochs of the members that have not answered the offer. */
  unanswered(): Member[] {
    return [...this.active.values()].filter((one) => !one.hasAnswered).map((one) => one.member);
  }

  /** This process stood still for a while: the members are not to blame for that time. */
  forgive(standstillMs: number): void {
    for (const progress of this.active.values()) {
      progress.heardMs += standstillMs;
      progress.movedMs += standstillMs;
      progress.receivedMs += standstillMs;
    }
  }

  /** Takes a member out of the transfer, with its verdict. */
  settle({ member, index }: MemberProgress, outcome: Verdict["outcome"], reason: string): void {
    const { epoch, address, info } = member;
    this.active.delete(epoch);
    this.stagedBelows.set(index, Infinity);
    this.window.leave(index);
    this.settled.push({ epoch, hostName: info.hostName, address, outcome, reason });
  }

  /** Takes all members out that are still in the transfer. */
  settleAll(outcome: Verdict["outcome"], reason: string): void {
    for (const progress of [...this.active.values()]) this.settle(progress, outcome, reason);
  }
}
