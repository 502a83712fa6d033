/** For which members a transfer waits, and which of them have had enough time. */
import { sentence } from "../../base/reason.ts";
import { Deadline } from "../../base/deadline.ts";
import { MemberPhase } from "../../wire/status-message.ts";
import type { Delay } from "../types.ts";
import type { Barrier, MemberProgress } from "./barrier.ts";
import type { FindingsReader } from "./findings-reader.ts";
import type { Ordering } from "./ordering.ts";
import type { OutgoingBlocks } from "./outgoing-blocks.ts";
import type { OwnStage } from "./own-stage.ts";
import type { Production } from "./production.ts";
import type { SilentMembers } from "./silent-members.ts";
import type { SenderLife } from "./states.ts";
import * as times from "./times.ts";
import type { WantCollector } from "./wants.ts";

/** Everything that a member can owe a transfer. */
export interface DebtParts {
  readonly life: SenderLife;
  readonly barrier: Barrier;
  readonly blocks: OutgoingBlocks;
  readonly production: Production;
  readonly wants: WantCollector;
  readonly findings: FindingsReader;
  readonly ordering: Ordering;
  readonly own: OwnStage | undefined;
  /** Members that an earlier transfer has not heard. */
  readonly silent: SilentMembers;
}

/** A member that has had enough time, and why the transfer goes on without it. */
export interface LostMember {
  readonly progress: MemberProgress;
  readonly reason: string;
}

/**
 * For which members a transfer waits, and which of them have had enough time (PROTOCOL.md 5.7). It looks at all
 * members now and then. Time in which this process itself stood still does not count against them.
 */
export class Debts {
  private readonly parts: DebtParts;
  private readonly look = new Deadline();
  private lastTickMs: number;

  constructor(parts: DebtParts, nowMs: number) {
    this.parts = parts;
    this.lastTickMs = nowMs;
    this.look.set(nowMs + times.FIRST_LOOK_MS);
  }

  /** When it looks at all members again, in milliseconds. */
  get nextLookMs(): number {
    return this.look.atMs;
  }

  /** To be called whenever time has passed; true when it is time to look at all members. */
  tick(nowMs: number): boolean {
    const standstillMs = nowMs - this.lastTickMs;
    this.lastTickMs = nowMs;
    if (standstillMs >= times.STANDSTILL_MS) {
      this.parts.barrier.forgive(standstillMs);
      this.parts.production.forgive(standstillMs);
      this.parts.own?.forgive(standstillMs);
    }
    if (!this.look.take(nowMs)) return false;
    this.look.set(nowMs + times.LOOK_MS);
    return true;
  }

  /** Members that have fallen silent, and members that answer and make no progress: a disk may hang for ever. */
  lost(nowMs: number): LostMember[] {
    const lost: LostMember[] = [];
    for (const progress of this.parts.barrier.progress) {
      if (!this.isOwing(progress)) progress.movedMs = nowMs;
      const reason = this.whyLost(progress, nowMs);
      if (reason !== undefined) lost.push({ progress, reason });
    }
    return lost;
  }

  private whyLost(progress: MemberProgress, nowMs: number): string | undefined {
    const { silent } = this.parts;
    const { epoch } = progress.member;
    const silenceMs = nowMs - progress.heardMs;
    if (silent.has(epoch) && silenceMs >= times.STILL_SILENT_MS) return sentence("still-silent");
    if (silenceMs >= times.MEMBER_SILENCE_MS) {
      silent.add(epoch);
      return sentence("no-answer", times.MEMBER_SILENCE_MS / 1000);
    }
    if (this.isDeaf(progress, nowMs)) return sentence("deaf", times.MEMBER_DEAF_MS / 1000);
    const idleMs = nowMs - progress.movedMs;
    if (progress.ahead > 0)
      return idleMs >= times.MEMBER_FULL_MS ? sentence("full", times.MEMBER_FULL_MS / 1000) : undefined;
    // A place is drawn without the disk, and until it is drawn, other transfers may have to wait.
    const isOrdering = this.parts.life.state === "ordering";
    const patienceMs = isOrdering ? times.MEMBER_SILENCE_MS : times.MEMBER_STUCK_MS;
    return idleMs >= patienceMs ? sentence("stuck", patienceMs / 1000) : undefined;
  }

  /** Whether nothing that was sent to the group reaches a member. One that has all blocks is not to receive any. */
  private isDeaf(progress: MemberProgress, nowMs: number): boolean {
    const { barrier, blocks } = this.parts;
    const { seen } = progress.window;
    const isBehind = progress.hasAnswered && progress.stagedBelow < blocks.sent;
    if (!isBehind) barrier.noteReceived(progress, seen, nowMs);
    const lost = seen - progress.receivedSeen;
    return lost >= times.DEAF_FRAGMENTS && nowMs - progress.receivedMs >= times.MEMBER_DEAF_MS;
  }

  /** Whether the disk of this node has had enough time for the blocks that it was asked for, or for its own part before COMMIT. */
  isSourceLost(nowMs: number): boolean {
    const { life, own, production } = this.parts;
    const isLost = (sinceMs = Infinity) => nowMs - sinceMs >= times.SOURCE_STUCK_MS;
    return isLost(production.owingSinceMs) || (life.state !== "committing" && isLost(own?.owing?.sinceMs));
  }

  /**
   * For whom the transfer waits, and for what. Members that have not answered the offer are not among them, nor those
   * that have been silent for a moment: what they do is not known, and their silence has a reason of its own. While one of
   * these holds up the transfer, a member that does not is not waited for, though its last report may be old.
   */
  delays(): Delay[] {
    const delays: Delay[] = [];
    const isSilent = ({ heardMs }: MemberProgress) => this.lastTickMs - heardMs >= times.STILL_SILENT_MS;
    const { barrier, production } = this.parts;
    const { owingSinceMs } = production;
    if (owingSinceMs !== undefined)
      delays.push({ epoch: undefined, doing: "reading", sinceMs: owingSinceMs });
    if (this.parts.own?.owing !== undefined) delays.push(this.parts.own.owing);
    const holdingUp = this.holdingUp();
    const waited = holdingUp.some(isSilent) ? holdingUp : barrier.progress;
    for (const progress of waited) {
      const { hasAnswered, member, movedMs } = progress;
      if (hasAnswered && !isSilent(progress) && this.isOwing(progress))
        delays.push({ epoch: member.epoch, doing: this.doing(progress), sinceMs: movedMs });
    }
    return delays;
  }

  /** Members because of which nothing can be sent now, before the barrier. */
  holdingUp(): MemberProgress[] {
    return [...this.parts.barrier.progress].filter((progress) => this.isHoldingUp(progress));
  }

  /** Members whose report is overdue, and who have not been asked for it just now: an answer can get lost, too. */
  overdue(nowMs: number): MemberProgress[] {
    const { barrier, blocks } = this.parts;
    const { sent, sentFragments, windowBlocks } = blocks;
    return [...barrier.progress].filter(
      ({ hasAnswered, window, askedEnd, askedMs }) =>
        hasAnswered &&
        (askedEnd !== window.end || nowMs - askedMs >= times.POLL_FIRST_MS) &&
        window.isOverdue(sent, sentFragments, windowBlocks),
    );
  }

  private isHoldingUp(progress: MemberProgress): boolean {
    const { blocks, production, wants } = this.parts;
    if (production.isFinal) return progress.phase < MemberPhase.ready;
    const isFull = progress.window.isFull(blocks.sent, blocks.sentFragments);
    return isFull || wants.isOwedBy(progress.member.epoch);
  }

  private doing(progress: MemberProgress): Delay["doing"] {
    const { life, blocks, wants, findings } = this.parts;
    const { epoch } = progress.member;
    if (life.state === "ordering" || life.state === "committing") return "switching";
    if (wants.isOwedBy(epoch)) return "comparing";
    if (findings.isReading(epoch)) return "listing deletes";
    return progress.stagedBelow < blocks.sent ? "writing" : "making durable";
  }

  /** Whether the transfer waits for this member. */
  private isOwing(progress: MemberProgress): boolean {
    const { life, blocks, production, wants, findings, ordering } = this.parts;
    if (life.state === "committing") return progress.phase < MemberPhase.done;
    if (life.state === "ordering") return ordering.isBehind(progress);
    const owesStatus = progress.stagedBelow < blocks.sent || wants.isOwedBy(progress.member.epoch);
    const owesFindings = findings.isReading(progress.member.epoch);
    return owesStatus || owesFindings || (production.isFinal && progress.phase < MemberPhase.ready);
  }
}
