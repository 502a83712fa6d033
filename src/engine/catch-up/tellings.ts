/** The LOG messages of a node, and the last one of each member. */
import { Deadline } from "../../base/deadline.ts";
import type { Random } from "../../base/random.ts";
import type { Log } from "../../wire/catch-up-messages.ts";
import type { Effect, Member } from "../types.ts";
import { isAbleToCompare, sendTo } from "./able-members.ts";
import { RepeatedWords } from "./repeated-words.ts";
import * as times from "./times.ts";

/** The surroundings of Tellings in its node. */
export interface TellingsParts {
  readonly effects: Effect[];
  readonly random: Random;
  readonly memberOf: (epoch: string) => Member | undefined;
  readonly members: () => Iterable<Member>;
  /** The log of this node as it is told. */
  readonly current: () => Log;
}

/** When a member was heard. */
interface Contact {
  heardMs: number;
  /** When it was heard again after it had been silent. */
  backMs: number;
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
  private readonly contacts = new Map<string, Contact>();
  /** Members that have said that they keep no log. */
  private readonly without = new Set<string>();
  /** Members whose log is not known. */
  private readonly unheard: RepeatedWords;
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
    const rhythm = { tries: times.UNHEARD_TRIES, againMs: times.UNHEARD_MS, growth: 2 };
    this.unheard = new RepeatedWords(rhythm, (epoch) => {
      const member = parts.memberOf(epoch);
      if (member !== undefined) this.tell(member, true);
    });
  }

  get atMs(): number {
    return Math.min(this.due.atMs, this.unheard.atMs);
  }

  /** Anything is heard of a member. One that keeps no log tells nothing that could be missed. */
  noteContact(epoch: string, nowMs: number): void {
    const member = this.parts.memberOf(epoch);
    if (member === undefined || !isAbleToCompare(member) || this.without.has(epoch)) return;
    const contact = this.contacts.get(epoch);
    if (contact === undefined) this.contacts.set(epoch, { heardMs: nowMs, backMs: -Infinity });
    else {
      if (nowMs - contact.heardMs >= times.SILENT_MS) this.comeBack(epoch, contact, nowMs);
      contact.heardMs = nowMs;
    }
  }

  /**
   * A member was silent. If many were, it may be this node that has heard nothing: then they have not missed it, and do not tell
   * again what it has missed. So it tells its own log, and asks the first of them.
   */
  private comeBack(epoch: string, contact: Contact, nowMs: number): void {
    let silent = 0;
    let isAsked = false;
    for (const { heardMs, backMs } of this.contacts.values()) {
      if (nowMs - heardMs >= times.SILENT_MS) silent++;
      if (nowMs - backMs < times.BACK_MS) isAsked = true;
    }
    contact.backMs = nowMs;
    if (isAsked || silent < this.contacts.size * times.MANY_SILENT) return;
    this.remind(nowMs);
    this.unheard.begin(epoch, nowMs + this.spread());
  }

  heard(epoch: string): Log | undefined {
    return this.heardByEpoch.get(epoch);
  }

  /** A member tells of its log. If that is the log that this node was about to tell, the group knows it already. */
  note(epoch: string, log: Log, nowMs: number): void {
    this.heardByEpoch.set(epoch, log);
    this.unheard.end(epoch);
    const own = this.parts.current();
    const isSame = log.digest === own.digest && log.behind === own.behind;
    const isTold = this.hasTold(own) && this.toldTimes >= times.TOLD_TIMES;
    if (!isSame || !isTold || this.due.atMs === Infinity) return;
    this.unsaidMs = Infinity;
    this.plan(nowMs);
  }

  /** A member keeps no log, so nothing is asked of it. */
  noteNone(epoch: string): void {
    this.memberLeft(epoch);
    this.without.add(epoch);
  }

  memberLeft(epoch: string): void {
    this.without.delete(epoch);
    this.heardByEpoch.delete(epoch);
    this.contacts.delete(epoch);
    this.unheard.end(epoch);
  }

  /** Tells one member alone. */
  tell(member: Member, asks = false): void {
    const body = { ...this.parts.current(), asks };
    if (isAbleToCompare(member)) sendTo(this.parts.effects, member, { type: "log", body });
  }

  tellNewcomer(member: Member, nowMs: number): void {
    this.tell(member);
    this.noteContact(member.epoch, nowMs);
    // One of the first words of the two may get lost.
    if (this.heard(member.epoch) === undefined)
      this.unheard.begin(member.epoch, nowMs + times.UNHEARD_MS + this.spread());
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
    this.unheard.tick(nowMs);
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
      const { heardMs, backMs } = this.contacts.get(epoch) ?? { heardMs: nowMs, backMs: -Infinity };
      const isSilent = nowMs - heardMs >= times.SILENT_MS || nowMs - backMs < times.BACK_MS;
      if (isSilent && isAbleToCompare(member) && this.heard(epoch)?.digest !== digest) isFound = true;
    }
    return isFound;
  }

  private spread(): number {
    return this.parts.random.u32() % times.TELL_SPREAD_MS;
  }
}
