/** Reads what members have found, piece by piece. */
import type { Finding, Findings } from "../../wire/findings.ts";
import { FINDING_BYTES } from "../../wire/limits.ts";
import type { Member } from "../types.ts";
import { FINDINGS_REPEAT_MS, MEMBERS_READ_AT_A_TIME } from "./times.ts";

/** More than this no member keeps: a finding has five bytes at the least. */
const FINDINGS = FINDING_BYTES / 5 + 1;

interface Reading {
  readonly member: Member;
  readonly total: number;
  got: number;
  askedMs: number;
}

/**
 * Reads what members have found, such as what is superfluous there (PROTOCOL.md 5.8). Each member is asked for its findings
 * one piece after the other, a few members at a time, so that their answers never flood this node.
 */
export class FindingsReader {
  private readonly readings = new Map<string, Reading>();
  private readonly begun = new Set<string>();

  /** Whether everything has been read that there is. */
  get isEmpty(): boolean {
    return this.readings.size === 0;
  }

  /** Whether something of a member is still to be read. */
  isReading(epoch: string): boolean {
    return this.readings.has(epoch);
  }

  /** A member has come to an end with so many findings. */
  begin(member: Member, total: number): void {
    if (this.begun.has(member.epoch)) return;
    this.begun.add(member.epoch);
    if (total > 0 && total <= FINDINGS)
      this.readings.set(member.epoch, { member, total, got: 0, askedMs: -Infinity });
  }

  forget(epoch: string): void {
    this.readings.delete(epoch);
  }

  /** Whom to ask now, and from which finding on. */
  takeDue(nowMs: number): { member: Member; first: number }[] {
    const due: { member: Member; first: number }[] = [];
    let count = 0;
    for (const reading of this.readings.values()) {
      if (++count > MEMBERS_READ_AT_A_TIME) break;
      if (nowMs - reading.askedMs < FINDINGS_REPEAT_MS) continue;
      reading.askedMs = nowMs;
      due.push({ member: reading.member, first: reading.got });
    }
    return due;
  }

  /**
   * Takes an answer.
   *
   * @returns what is new in it
   */
  take(epoch: string, answer: Findings): readonly Finding[] {
    const reading = this.readings.get(epoch);
    if (reading === undefined) return [];
    const isNext = answer.first === reading.got;
    if (isNext) reading.got += answer.findings.length;
    if (!answer.hasMore) reading.askedMs = -Infinity;
    if (reading.got >= reading.total) this.readings.delete(epoch);
    return isNext ? answer.findings : [];
  }
}
