/** What a node has told of its log, and what members have told of theirs. */
import { Deadline } from "../../base/deadline.ts";
import type { Random } from "../../base/random.ts";
import type { Log } from "../../wire/catch-up-messages.ts";
import type { Effect, Member } from "../types.ts";
import { isAbleToCompare, sendTo } from "./able-members.ts";
import * as times from "./times.ts";

/**
 * Tells the members of this node's log: a newcomer at once, and the group when the log has changed. Nothing is told while
 * nothing changes (PROTOCOL.md 9.1).
 */
export class Tellings {
  private readonly effects: Effect[];
  private readonly random: Random;
  /** The log of this node as it is told. */
  private readonly current: () => Log;
  /** The last LOG of each member. */
  private readonly heardByEpoch = new Map<string, Log>();
  private readonly due = new Deadline();
  private again: number[] = [];
  private told: Log | undefined;

  constructor(effects: Effect[], random: Random, current: () => Log) {
    this.effects = effects;
    this.random = random;
    this.current = current;
  }

  get atMs(): number {
    return this.due.atMs;
  }

  heard(epoch: string): Log | undefined {
    return this.heardByEpoch.get(epoch);
  }

  /** A member tells of its log. If that is the log that this node was about to tell, the group knows it already. */
  note(epoch: string, log: Log): void {
    this.heardByEpoch.set(epoch, log);
    const own = this.current();
    const isSame = log.digest === own.digest && log.behind === own.behind;
    if (isSame && this.told?.behind === own.behind && this.due.atMs !== Infinity) this.next();
  }

  forget(epoch: string): void {
    this.heardByEpoch.delete(epoch);
  }

  tellNewcomer(member: Member): void {
    const log = this.current();
    if (isAbleToCompare(member)) sendTo(this.effects, member, { type: "log", body: log });
    this.told ??= log;
  }

  /** The log of this node has changed. */
  changed(nowMs: number): void {
    this.due.set(nowMs + times.TELL_MS + this.spread());
    this.again = times.TELL_AGAIN_MS.map((delayMs) => nowMs + delayMs);
  }

  tick(nowMs: number): void {
    if (!this.due.take(nowMs)) return;
    const log = this.current();
    this.told = log;
    this.effects.push({ kind: "send", destination: { to: "group" }, message: { type: "log", body: log } });
    this.next();
  }

  private next(): void {
    const nextMs = this.again.shift();
    if (nextMs === undefined) this.due.clear();
    else this.due.set(nextMs + this.spread());
  }

  private spread(): number {
    return this.random.u32() % times.TELL_SPREAD_MS;
  }
}
