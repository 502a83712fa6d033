/** Serves members that lack publications: gathers their questions, and answers them with one transfer. */
import { type Ask, type Log, reasonText, type Served } from "../../wire/catch-up-messages.ts";
import type { Publication } from "../../wire/publication.ts";
import type { Member } from "../types.ts";
import { addresseeOf, sendTo } from "./able-members.ts";
import type { CatchUpContext } from "./context.ts";
import { Gathering } from "./gathering.ts";
import { LaterForSome, type Taking } from "./others-pushes.ts";
import type { Addressee } from "./scopes.ts";

/** What a member has asked for. */
interface Asked {
  /** The digest of its log, in which these have their positions. */
  readonly digest: string;
  readonly positions: readonly number[];
  readonly publications: readonly Publication[];
}

/** A transfer that serves. */
interface Running {
  /** What it brings, by the positions at its beginning. */
  readonly publications: ReadonlyMap<number, Publication>;
  readonly asked: Map<string, Asked>;
}

/**
 * Questions name positions in a log, and pushes change the log while they are gathered and answered. So this keeps the publications
 * themselves, and each answer has the positions of its question.
 */
export class Serving {
  private readonly context: CatchUpContext;
  private readonly isOn: () => boolean;
  /** Transfers that this node receives, by name. */
  private readonly receiving = new Set<string>();
  private readonly asking = new Map<string, Asked>();
  /** Those whom the last transfer has served, and who may ask for the rest: they have been gathered already. */
  private readonly before = new Set<string>();
  /** Members that have asked about a log that this node does not have yet, by their epochs, with its digest. */
  private readonly early = new Map<string, string>();
  private readonly gathering: Gathering;
  private running: Running | undefined;

  constructor(context: CatchUpContext, isOn: () => boolean) {
    this.context = context;
    this.isOn = isOn;
    this.gathering = new Gathering(context);
  }

  get atMs(): number {
    return this.asking.size === 0 || this.running !== undefined ? Infinity : this.gathering.atMs;
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
    if (digest !== log.digest) this.early.set(member.epoch, digest);
    if (able.length === 0) return;
    const publications = able.flatMap((position) => log.all[position]?.publication ?? []);
    const asked = { digest, positions: able, publications };
    // A question that was repeated is being answered: the answer was lost, or the log has changed.
    if (this.running?.asked.has(member.epoch) === true) {
      this.running.asked.set(member.epoch, asked);
      return;
    }
    const isRepeated = this.asking.has(member.epoch);
    if (!isRepeated) this.gathering.asked(member, this.asking.size === 0, nowMs);
    this.asking.set(member.epoch, asked);
    if (this.before.delete(member.epoch) && this.before.size === 0) this.gathering.close(nowMs);
  }

  /** A member tells of its log. */
  heard(epoch: string, log: Log, nowMs: number): void {
    this.gathering.heard(epoch, log, nowMs);
  }

  memberJoined(member: Member, nowMs: number): void {
    this.gathering.memberJoined(member, nowMs);
  }

  memberLeft(member: Member, nowMs: number): void {
    const { epoch } = member;
    this.gathering.memberLeft(member, nowMs);
    this.asking.delete(epoch);
    this.before.delete(epoch);
    this.early.delete(epoch);
  }

  /** The log of this node is another one: those that have asked about it too early hear of it. */
  logChanged(nowMs: number): void {
    const { log, memberOf, tellings } = this.context;
    this.gathering.logChanged(nowMs);
    for (const [epoch, digest] of this.early) {
      if (digest !== log.digest) continue;
      this.early.delete(epoch);
      const member = memberOf(epoch);
      if (member !== undefined) tellings.tell(member);
    }
  }

  inboundBegan(name: string): void {
    this.receiving.add(name);
  }

  inboundEnded(name: string): void {
    this.receiving.delete(name);
  }

  /**
   * The transfer that serves has ended.
   *
   * @param transfer its number; 0 if it has not begun
   * @param brought the publications that it has brought, by their positions at its beginning; none if it was stopped
   * @param reason why it did not bring all of them; empty if it did, or was stopped
   * @param torn publications, each with a later one of which an entry was left out that the first one had brought, too: who lacks both
   *   has got neither version of it
   */
  ended(
    transfer: number,
    brought: readonly number[],
    reason: string,
    nowMs: number,
    torn: readonly (readonly [number, number])[],
  ): void {
    const { running } = this;
    this.running = undefined;
    if (running === undefined) return;
    const all = new Set(brought.map((position) => running.publications.get(position)));
    const named = torn.map((pair) => pair.map((position) => running.publications.get(position)));
    for (const [epoch, { digest, positions, publications }] of running.asked) {
      const isTorn = (one: Publication) =>
        named.some(([first, later]) => first === one && publications.some((other) => other === later));
      const own = positions.filter((_, index) => {
        const one = publications[index];
        return one !== undefined && all.has(one) && !isTorn(one);
      });
      this.say(epoch, { transfer, digest, brought: own, reason: reasonText(reason) });
      if (brought.length > 0) this.before.add(epoch);
    }
    if (this.asking.size > 0) this.gathering.look(nowMs);
  }

  /** Nobody of these can be served any more: they are told, and ask again. */
  private drop(): void {
    for (const [epoch, { digest }] of this.asking)
      this.say(epoch, { transfer: 0, digest, brought: [], reason: "" });
    this.asking.clear();
  }

  private say(epoch: string, body: Served): void {
    const member = this.context.memberOf(epoch);
    if (member !== undefined) sendTo(this.context.effects, member, { type: "served", body });
  }

  tick(nowMs: number): void {
    if (this.asking.size === 0 || this.running !== undefined || !this.gathering.tick(nowMs)) return;
    // A transfer that is received may bring what those who ask lack. If pushes come all the time, they are served anyway.
    if (this.receiving.size > 0 && nowMs < this.gathering.receivingMs) {
      this.gathering.putOff(nowMs);
      return;
    }
    const { chosen, positions } = this.choose();
    if (chosen.length === 0) {
      this.drop();
      return;
    }
    const { log, effects } = this.context;
    const publications = new Map(positions.map((position) => [position, log.all[position]!.publication]));
    const asked = new Map<string, Asked>();
    for (const { epoch } of chosen) {
      asked.set(epoch, this.asking.get(epoch)!);
      this.asking.delete(epoch);
    }
    this.running = { publications, asked };
    this.before.clear();
    effects.push({ kind: "serve", members: chosen, positions, digest: log.digest });
  }

  private whyNot(digest: string): string | undefined {
    if (!this.isOn()) return "it does not serve";
    return digest === this.context.log.digest ? undefined : "its log is another one";
  }

  /** Those who can be served together, and with what: a publication must be for all of them. */
  private choose(): { chosen: Member[]; positions: number[] } {
    const { log } = this.context;
    const positionOf = new Map(log.all.map(({ publication }, position) => [publication, position]));
    const laterForSome = new LaterForSome(log.all);
    const chosen: Member[] = [];
    const hosts: Addressee[] = [];
    const takings: Taking[] = [];
    let positions: number[] = [];
    for (const [epoch, { publications }] of this.asking) {
      const member = this.context.memberOf(epoch);
      if (member === undefined) continue;
      // One that a later one has covered meanwhile is not needed any more.
      const wanted = publications.flatMap((publication) => positionOf.get(publication) ?? []);
      const host = addresseeOf(member);
      const missing = log.servable(wanted, [host]);
      const brought = new Set(positions);
      const added = missing.filter((position) => !brought.has(position));
      const together = [...positions, ...added];
      if (missing.length === 0 || log.servable(together, [...hosts, host]).length < together.length) continue;
      // One that has what is brought for others may have sent a later push to others, or got it under another name.
      const own = laterForSome.taking(missing, host);
      const isUndone = (taking: Taking) => laterForSome.undoes(added, taking);
      if (laterForSome.undoes(positions, own) || takings.some(isUndone)) continue;
      chosen.push(member);
      hosts.push(host);
      takings.push(own);
      positions = together;
    }
    return { chosen, positions: positions.sort((a, b) => a - b) };
  }
}
