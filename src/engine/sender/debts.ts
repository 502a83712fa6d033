/** For which members it waits, and which of them have had enough time. */
import { MemberPhase } from "../../wire/status-message.ts";
import { type Barrier, isWindowFull, type MemberProgress } from "./barrier.ts";
import type { FindingsReader } from "./findings-reader.ts";
import type { Ordering } from "./ordering.ts";
import type { OutgoingBlocks } from "./outgoing-blocks.ts";
import type { State } from "./states.ts";
import * as times from "./times.ts";
import type { WantCollector } from "./wants.ts";

/** What members can owe a transfer. */
export interface DebtParts {
  readonly barrier: Barrier;
  readonly blocks: OutgoingBlocks;
  readonly wants: WantCollector;
  readonly findings: FindingsReader;
  readonly ordering: Ordering;
}

/** For whom a transfer waits, and who has had enough time (PROTOCOL.md 5.7). */
export class Debts {
  private readonly parts: DebtParts;

  constructor(parts: DebtParts) {
    this.parts = parts;
  }

  /** Members that have fallen silent, and such as answer and do not get on: a disk may hang for ever. */
  lost(state: State, isFinal: boolean, nowMs: number): { progress: MemberProgress; reason: string }[] {
    const lost: { progress: MemberProgress; reason: string }[] = [];
    // A place is drawn without the disk, and until it is, other transfers may have to wait.
    const patienceMs = state === "ordering" ? times.MEMBER_SILENCE_MS : times.MEMBER_STUCK_MS;
    for (const progress of this.parts.barrier.progress) {
      if (!this.isOwing(progress, state, isFinal)) progress.movedMs = nowMs;
      if (nowMs - progress.heardMs >= times.MEMBER_SILENCE_MS)
        lost.push({ progress, reason: `no answer for ${times.MEMBER_SILENCE_MS / 1000} seconds` });
      else if (nowMs - progress.movedMs >= patienceMs) {
        const reason = `it answers, but has not got on for ${patienceMs / 1000} seconds`;
        lost.push({ progress, reason });
      }
    }
    return lost;
  }

  /** Whether it is because of this member that nothing can be sent or said. */
  isHoldingUp(progress: MemberProgress, state: State, isFinal: boolean): boolean {
    const { blocks, wants, ordering } = this.parts;
    if (state === "ordering") return ordering.isBehind(progress);
    if (isFinal) return progress.phase < MemberPhase.ready;
    const isFull = isWindowFull(progress, blocks.sent, blocks.sentFragments);
    return isFull || wants.isOwedBy(progress.member.epoch);
  }

  /** Whether it is this member that the transfer waits for. */
  private isOwing(progress: MemberProgress, state: State, isFinal: boolean): boolean {
    const { blocks, wants, findings, ordering } = this.parts;
    if (state === "committing") return progress.phase < MemberPhase.done;
    if (state === "ordering") return ordering.isBehind(progress);
    const owesStatus = progress.stagedBelow < blocks.sent || wants.isOwedBy(progress.member.epoch);
    const owesFindings = findings.isReading(progress.member.epoch);
    return owesStatus || owesFindings || (isFinal && progress.phase < MemberPhase.ready);
  }
}
