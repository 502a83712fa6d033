/** The LOG messages of a node, and the last one of each member. */
import { Deadline } from "../../base/deadline.ts";
import type { Random } from "../../base/random.ts";
import type { Log } from "../../wire/catch-up-messages.ts";
import type { Effect, Member } from "../types.ts";
import { isAbleToCompare, sendTo } from "./able-members.ts";
import * as times from "./times.ts";

/** The surroundings of Tellings in its node. */
export interface TellingsParts {
  readonly effects: Effect[];
  readonly random: Random;
  readonly members: () => Iterable<Member>;
  /** Whether something was heard of a member at that time or later. */
  readonly isHeardSince: (epoch: string, sinceMs: number) => boolean;
  /** The log of this node as it is told. */
  readonly current: () => Log;
}

/**
 * Tells the members of this node's log: a newcomer at once, and the group when the log has changed. The group hears it again
 * for some time, and for as long as a silent member may have another log: it may be cut off and push, too. Nothing is told
 * while nothing changes (PROTOCOL.md 9.1).
 */
export class Tellings {
  private readonly parts: TellingsParts;
  /** The last LOG of each member. */
  private readonly heardByEpoch = new Map<string, Log>();
  /** When each member was last silent. */
  private readonly silentByEpoch = new Map<string, number>();
  private readonly due = new Deadline();
  private changedMs = -Infinity;
  /** When the first change was that was not told yet; Infinity if there is none. */
  private unsaidMs = Infinity;
  private untilMs = -Infinity;
  /** What this node has told the group of itself last, and how often. */
  private told: Log | undefined;
  private toldTimes = 0;

  constructor(parts: TellingsParts) {
    this.parts = parts;
  }

  get atMs(): number {
    return this.due.atMs;
  }

  heard(epoch: string): Log | undefined {
    return this.heardByEpoch.get(epoch);
  }

  /** A member tells of its log. If that is the log that this node was about to tell, the group knows it already. */
  note(epoch: string, log: Log, nowMs: number): void {
    this.heardByEpoch.set(epoch, log);
    const own = this.parts.current();
    const isSame = log.digest === own.digest && log.behind === own.behind;
    const isTold = this.hasTold(own) && this.toldTimes >= times.TOLD_TIMES;
    if (!isSame || !isTold || this.due.atMs === Infinity) return;
    this.unsaidMs = Infinity;
    this.plan(nowMs);
  }

  /** Nothing is known of the log of a member any more. */
  forget(epoch: string): void {
    this.heardByEpoch.delete(epoch);
  }

  memberLeft(epoch: string): void {
    this.forget(epoch);
    this.silentByEpoch.delete(epoch);
  }

  /** Tells one member alone. */
  tell(member: Member): void {
    const body = this.parts.current();
    if (isAbleToCompare(member)) sendTo(this.parts.effects, member, { type: "log", body });
  }

  tellNewcomer(member: Member): void {
    this.tell(member);
    if (this.told !== undefined) return;
    this.told = this.parts.current();
    this.toldTimes = times.TOLD_TIMES;
  }

  /** The log of this node has changed. */
  changed(nowMs: number): void {
    // If one push follows another, it is told meanwhile.
    if (this.unsaidMs === Infinity) this.unsaidMs = nowMs;
    const mostMs = this.unsaidMs + times.TELL_AGAIN_MS;
    this.due.set(Math.max(nowMs, Math.min(mostMs, nowMs + times.TELL_MS + this.spread())));
    this.changedMs = nowMs;
    this.untilMs = nowMs + times.TELL_FOR_MS;
  }

  /** This node has got what it lacked: it says so even if another member tells the same log first. */
  sayItself(): void {
    this.told = undefined;
    this.toldTimes = 0;
  }

  /** A member does not know the log of this node: the group is told once more. */
  remind(nowMs: number): void {
    if (this.due.atMs === Infinity) this.due.set(nowMs + times.TELL_MS + this.spread());
    this.untilMs = Math.max(this.untilMs, nowMs + times.REMIND_FOR_MS);
  }

  tick(nowMs: number): void {
    if (!this.due.take(nowMs)) return;
    const isInDoubt = nowMs <= this.changedMs + times.TELL_MOST_MS && this.hasSilent(nowMs);
    if (nowMs > this.untilMs && !isInDoubt) return;
    const body = this.parts.current();
    this.unsaidMs = Infinity;
    this.toldTimes = this.hasTold(body) ? this.toldTimes + 1 : 1;
    this.told = body;
    this.parts.effects.push({ kind: "send", destination: { to: "group" }, message: { type: "log", body } });
    this.plan(nowMs);
  }

  /** Whether the last word of this node says the same of its own state, which no other node can say. */
  private hasTold({ behind, reason }: Log): boolean {
    return this.told?.behind === behind && this.told.reason === reason;
  }

  private plan(nowMs: number): void {
    this.due.set(nowMs + times.TELL_AGAIN_MS + this.spread());
  }

  /** Whether a member is silent, or was just now, and may have another log. */
  private hasSilent(nowMs: number): boolean {
    const { digest } = this.parts.current();
    let isFound = false;
    for (const member of this.parts.members()) {
      const { epoch } = member;
      if (!this.parts.isHeardSince(epoch, nowMs - times.SILENT_MS)) this.silentByEpoch.set(epoch, nowMs);
      const silentMs = this.silentByEpoch.get(epoch) ?? -Infinity;
      const isSilent = nowMs - silentMs < times.BACK_MS;
      if (isSilent && isAbleToCompare(member) && this.heard(epoch)?.digest !== digest) isFound = true;
    }
    return isFound;
  }

  private spread(): number {
    return this.parts.random.u32() % times.TELL_SPREAD_MS;
  }
}
