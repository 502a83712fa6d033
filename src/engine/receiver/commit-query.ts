/** The question of a member whether the COMMIT that it waits for was said. */
import { Deadline } from "../../base/deadline.ts";
import { fraction } from "../../base/random.ts";
import { spreadMs } from "../spread.ts";
import type { Effect, InboundKey } from "../types.ts";
import type { ReceiverContext } from "./context.ts";
import type { ReceiverLife } from "./states.ts";
import * as times from "./times.ts";

/**
 * A member that has a place and does not hear its sender asks the group for the COMMIT (PROTOCOL.md 5.9): the sender may
 * have been lost after others have heard it.
 */
export class CommitQuery {
  private readonly context: ReceiverContext;
  private readonly key: InboundKey;
  private readonly life: ReceiverLife;
  private readonly effects: Effect[];
  private readonly due = new Deadline();
  /** Whether its share of the spread is over: not all members ask at once. */
  private isItsTurn = false;

  /** @param effects where the questions are put */
  constructor(context: ReceiverContext, key: InboundKey, life: ReceiverLife, effects: Effect[]) {
    this.context = context;
    this.key = key;
    this.life = life;
    this.effects = effects;
  }

  /** When it asks, in milliseconds. */
  get atMs(): number {
    return this.due.atMs;
  }

  /** The sender has said something: it will say COMMIT itself. */
  noteSender(nowMs: number): void {
    this.isItsTurn = false;
    if (this.life.state === "ordered") this.due.set(nowMs + times.QUERY_AFTER_MS);
  }

  /** The sender is gone. */
  askSoon(nowMs: number): void {
    this.due.setNoLater(nowMs);
  }

  /** Asks when it is due. */
  tick(nowMs: number): void {
    if (!this.due.take(nowMs) || this.life.state !== "ordered") return;
    const spread = spreadMs(this.context.members());
    if (spread > 0 && !this.isItsTurn) {
      this.isItsTurn = true;
      this.due.set(nowMs + fraction(this.context.random) * spread);
      return;
    }
    const body = { sender: this.key.epoch, transfer: this.key.transfer };
    this.effects.push({ kind: "send", destination: { to: "group" }, message: { type: "query", body } });
    this.due.set(nowMs + times.QUERY_REPEAT_MS + 2 * spread);
  }

  /** Asks nothing more. */
  stop(): void {
    this.due.clear();
  }
}
