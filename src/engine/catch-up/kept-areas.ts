/** Decides about transfers that were ready on this node when it died: they are committed, if others have committed them. */
import { Deadline } from "../../base/deadline.ts";
import { LifeCycle } from "../life-cycle.ts";
import { inboundName, type InboundKey, type TransferName } from "../types.ts";
import type { CatchUpContext } from "./context.ts";
import * as times from "./times.ts";

/**
 * The only transitions (PROTOCOL.md 9.5):
 *
 * - waiting: nobody has told yet whether it was committed.
 * - committing: another node has committed it, nothing speaks against it here, and the disk switches to it.
 * - ended: it is committed, or its area is removed.
 */
export const NEXT_AREA_STATES = {
  waiting: ["committing", "ended"],
  committing: ["ended"],
  ended: [],
} as const;

/** One area that a crash has left, whose transfer was ready. */
interface KeptArea {
  readonly key: InboundKey;
  readonly sinceMs: number;
  readonly life: LifeCycle<keyof typeof NEXT_AREA_STATES>;
}

/**
 * A publication in the log has the name of its transfer. So the logs of the members answer whether a transfer was committed, and no
 * message is needed for it. Nothing waits for an area: a transfer that changes the tree takes it away, and the disk says so.
 */
export class KeptAreas {
  private readonly context: CatchUpContext;
  private readonly isIdle: () => boolean;
  private readonly due = new Deadline();
  private areas: KeptArea[] = [];

  /** @param isIdle whether no transfer is going on at this node */
  constructor(context: CatchUpContext, isIdle: () => boolean) {
    this.context = context;
    this.isIdle = isIdle;
  }

  get atMs(): number {
    return this.due.atMs;
  }

  /** Whether the disk switches to one of them: what it brings need not be asked for. */
  get isCommitting(): boolean {
    return this.areas.some(({ life }) => life.state === "committing");
  }

  /** The start has kept the areas of these transfers. */
  keep(names: readonly TransferName[], nowMs: number): void {
    for (const { epoch, transfer } of names) {
      const key = { epoch, transfer, admission: 0 };
      this.areas.push({ key, sinceMs: nowMs, life: new LifeCycle(NEXT_AREA_STATES, "waiting") });
    }
    this.look(nowMs);
  }

  /** The log, or the members, may have changed: whatever can be decided is. One is committed after the other. */
  look(nowMs: number): void {
    if (this.areas.length === 0 || this.isCommitting) return;
    const { log } = this.context;
    log.all.some((_, position) => this.decide(position));
    for (const area of this.areas)
      if (area.life.state === "waiting" && this.isGivenUp(area, nowMs)) this.discard(area);
    this.areas = this.areas.filter(({ life }) => life.state !== "ended");
    if (this.areas.length > 0) this.due.set(nowMs + times.AREA_LOOK_MS);
    else this.due.clear();
  }

  /**
   * The disk has committed an area, or could not.
   *
   * @returns whether the transfer was one of these
   */
  ended(key: InboundKey): boolean {
    const area = this.areas.find((one) => inboundName(one.key) === inboundName(key));
    if (area?.life.state !== "committing") return false;
    area.life.become("ended");
    this.areas = this.areas.filter((one) => one !== area);
    return true;
  }

  tick(nowMs: number): void {
    if (this.due.take(nowMs)) this.look(nowMs);
  }

  /** @returns whether the publication at this position is being committed now */
  private decide(position: number): boolean {
    const { log, effects } = this.context;
    const { publication, here } = log.all[position]!;
    const { epoch, number, place } = publication;
    const area = this.areas.find(({ key }) => key.epoch === epoch && key.transfer === number);
    if (area?.life.state !== "waiting") return false;
    if (here.atMs !== undefined || !log.missing.includes(position) || log.isSucceeded(position)) {
      this.discard(area);
      return false;
    }
    if (!this.isIdle()) return false;
    area.life.become("committing");
    effects.push({ kind: "commit", key: area.key, order: place, ownAfter: [] });
    return true;
  }

  /** Whether there is an area of a transfer. */
  has(name: TransferName): boolean {
    return this.areas.some(({ key }) => inboundName(key) === inboundName(name));
  }

  /** Whether nobody is likely to have committed it. */
  private isGivenUp({ key, sinceMs }: KeptArea, nowMs: number): boolean {
    if (nowMs - sinceMs >= times.AREA_MOST_MS) return true;
    const { log, memberOf, tellings } = this.context;
    const isCompared = tellings.heard(key.epoch)?.digest === log.digest;
    const isPresent = memberOf(key.epoch) !== undefined && isCompared;
    return isPresent && nowMs - sinceMs >= times.AREA_SENDER_MS;
  }

  private discard({ key, life }: KeptArea): void {
    life.become("ended");
    this.context.effects.push({ kind: "discard", key });
  }
}
