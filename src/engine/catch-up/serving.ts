/** Serves members that lack publications: gathers their questions, and answers them with one transfer. */
import { Deadline } from "../../base/deadline.ts";
import { type Ask, reasonText, type Served } from "../../wire/catch-up-messages.ts";
import type { Member } from "../types.ts";
import { addresseeOf, sendTo } from "./able-members.ts";
import type { CatchUpContext } from "./context.ts";
import * as times from "./times.ts";

/** A transfer that serves. */
interface Running {
  readonly digest: string;
  readonly epochs: readonly string[];
}

export class Serving {
  private readonly context: CatchUpContext;
  private readonly isOn: () => boolean;
  /** Transfers that this node receives, by name: nothing is handed on while its tree changes. */
  private readonly receiving = new Set<string>();
  private readonly asking = new Map<string, readonly number[]>();
  /** Those whom the last transfer has served, and who may ask for the rest: they have been gathered already. */
  private readonly before = new Set<string>();
  /** Members that have asked about a log that this node does not have yet, by their epochs, with its digest. */
  private readonly early = new Map<string, string>();
  private digest = "";
  private readonly due = new Deadline();
  private mostMs = Infinity;
  private running: Running | undefined;

  constructor(context: CatchUpContext, isOn: () => boolean) {
    this.context = context;
    this.isOn = isOn;
  }

  get atMs(): number {
    return this.due.atMs;
  }

  ask(member: Member, { digest, missing }: Ask, nowMs: number): void {
    const reason = this.whyNot(digest);
    const { log } = this.context;
    const own = [addresseeOf(member)];
    const able = reason === undefined ? log.servable(missing, own) : [];
    const first = missing[0];
    const why = reason ?? (able.length > 0 || first === undefined ? "" : log.whyNotServed(first, own));
    const { effects } = this.context;
    const body = { digest, serves: able.length > 0, reason: why ?? "" };
    sendTo(effects, member, { type: "answer", body });
    // A question that was repeated because the answer was lost is being answered.
    const isServed = this.running?.digest === digest && this.running.epochs.includes(member.epoch);
    if (digest !== log.digest) this.early.set(member.epoch, digest);
    if (able.length === 0 || isServed) return;
    if (this.digest !== digest) this.drop();
    this.digest = digest;
    if (this.asking.size === 0) this.mostMs = nowMs + times.GATHER_MOST_MS;
    this.asking.set(member.epoch, able);
    const isLast = this.before.delete(member.epoch) && this.before.size === 0;
    this.due.set(isLast ? nowMs : Math.min(this.mostMs, nowMs + times.GATHER_MS));
  }

  forget(epoch: string): void {
    this.asking.delete(epoch);
    this.before.delete(epoch);
    this.early.delete(epoch);
  }

  /** The log of this node is another one: those that have asked about it too early hear of it. */
  logChanged(): void {
    const { log, memberOf, tellings } = this.context;
    for (const [epoch, digest] of this.early) {
      if (digest !== log.digest) continue;
      this.early.delete(epoch);
      const member = memberOf(epoch);
      if (member !== undefined) tellings.tell(member);
    }
  }

  /** This node begins to receive a transfer: what it reads for others may be old when that is over. */
  inboundBegan(name: string): void {
    this.receiving.add(name);
    if (this.running !== undefined) this.context.effects.push({ kind: "stop-serving" });
  }

  inboundEnded(name: string): void {
    this.receiving.delete(name);
  }

  /**
   * The transfer that serves has ended.
   *
   * @param transfer its number; 0 if it has not begun
   * @param brought the publications that it has brought; none if it was stopped
   * @param reason why it did not bring all of them; empty if it did, or was stopped
   */
  ended(transfer: number, brought: readonly number[], reason: string, nowMs: number): void {
    const { running } = this;
    this.running = undefined;
    if (running === undefined) return;
    const { digest, epochs } = running;
    this.say(epochs, { transfer, digest, brought, reason: reasonText(reason) });
    if (brought.length > 0) for (const epoch of epochs) this.before.add(epoch);
    if (this.asking.size > 0) this.due.set(nowMs);
  }

  /** The log has changed since these have asked: they are told, and ask again. */
  private drop(): void {
    this.say(this.asking.keys(), { transfer: 0, digest: this.digest, brought: [], reason: "" });
    this.asking.clear();
  }

  private say(epochs: Iterable<string>, body: Served): void {
    for (const epoch of epochs) {
      const member = this.context.memberOf(epoch);
      if (member !== undefined) sendTo(this.context.effects, member, { type: "served", body });
    }
  }

  tick(nowMs: number): void {
    if (!this.due.take(nowMs) || this.asking.size === 0) return;
    if (this.running !== undefined) return;
    if (this.receiving.size > 0) {
      this.due.set(nowMs + times.GATHER_MS);
      return;
    }
    const chosen = this.choose();
    if (chosen.length === 0) {
      this.drop();
      return;
    }
    const positions = [...new Set(chosen.flatMap(({ epoch }) => this.asking.get(epoch) ?? []))].sort(
      (a, b) => a - b,
    );
    const { digest } = this;
    this.running = { digest, epochs: chosen.map(({ epoch }) => epoch) };
    for (const { epoch } of chosen) this.asking.delete(epoch);
    this.before.clear();
    this.context.effects.push({ kind: "serve", members: chosen, positions, digest });
  }

  private whyNot(digest: string): string | undefined {
    if (!this.isOn()) return "it does not serve";
    return digest === this.context.log.digest ? undefined : "its log is another one";
  }

  /** Those who can be served together: a publication must be for all of them. */
  private choose(): Member[] {
    const { log } = this.context;
    if (this.digest !== log.digest) return [];
    const chosen: Member[] = [];
    let positions: number[] = [];
    for (const [epoch, missing] of this.asking) {
      const member = this.context.memberOf(epoch);
      if (member === undefined) continue;
      const together = [...new Set([...positions, ...missing])];
      const all = [...chosen, member].map(addresseeOf);
      if (log.servable(together, all).length < together.length) continue;
      chosen.push(member);
      positions = together;
    }
    return chosen;
  }
}
