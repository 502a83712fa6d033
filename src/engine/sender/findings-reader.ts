/** Reads the findings of the members, piece by piece. */
import type { Findings } from "../../wire/findings.ts";
import { FINDING_BYTES } from "../../wire/limits.ts";
import type { Effect, Member } from "../types.ts";
import type { Announcements } from "./announcements.ts";
import { FINDINGS_REPEAT_MS, MEMBERS_READ_AT_A_TIME } from "./times.ts";

/**
 * No member keeps more than this, because a finding has five bytes at the least. One that reports more is not read.
 */
const FINDINGS = FINDING_BYTES / 5 + 1;

interface Reading {
  readonly member: Member;
  readonly total: number;
  got: number;
  askedMs: number;
}

/**
 * Reads the findings of the members, such as superfluous paths (PROTOCOL.md 5.8). Each member is asked for one
 * piece after the other, a few members at a time, so that their answers never flood this node.
 */
export class FindingsReader {
  private readonly transfer: number;
  private readonly effects: Effect[];
  private readonly announcements: Announcements;
  private readonly readings = new Map<string, Reading>();
  private readonly begun = new Set<string>();

  /** @param effects where findings are put as events */
  constructor(transfer: number, effects: Effect[], announcements: Announcements) {
    this.transfer = transfer;
    this.effects = effects;
    this.announcements = announcements;
  }

  /** Whether everything has been read that members have reported. */
  get isEmpty(): boolean {
    return this.readings.size === 0;
  }

  /** Whether something of a member is still to be read. */
  isReading(epoch: string): boolean {
    return this.readings.has(epoch);
  }

  /** A member is ready, and has so many findings. */
  begin(member: Member, total: number): void {
    if (this.begun.has(member.epoch)) return;
    this.begun.add(member.epoch);
    if (total > 0 && total <= FINDINGS)
      this.readings.set(member.epoch, { member, total, got: 0, askedMs: -Infinity });
  }

  /** A member has left the transfer, or will tell its findings again. */
  forget(epoch: string): void {
    this.readings.delete(epoch);
    this.begun.delete(epoch);
  }

  /** Asks the first few members that are still to be read, unless they were asked a moment ago. */
  ask(nowMs: number): void {
    let count = 0;
    for (const reading of this.readings.values()) {
      if (++count > MEMBERS_READ_AT_A_TIME) break;
      if (nowMs - reading.askedMs < FINDINGS_REPEAT_MS) continue;
      reading.askedMs = nowMs;
      this.announcements.inquire(reading.member, reading.got);
    }
  }

  /**
   * Takes an answer.
   *
   * @returns whether something in it is new
   */
  take(epoch: string, { first, hasMore, findings }: Findings): boolean {
    const reading = this.readings.get(epoch);
    if (reading === undefined) return false;
    const isNext = first === reading.got;
    if (isNext) reading.got += findings.length;
    if (!hasMore) reading.askedMs = -Infinity;
    if (reading.got >= reading.total) this.readings.delete(epoch);
    if (!isNext || findings.length === 0) return false;
    const event = { kind: "findings", transfer: this.transfer, epoch, findings } as const;
    this.effects.push({ kind: "event", event });
    return true;
  }
}
