/** The place of one transfer among all that its node receives, and its turn to commit. */
import type { Commit, Order } from "../../wire/transfer-messages.ts";
import type { InboundKey } from "../types.ts";
import { fellows, type ReceiverContext } from "./context.ts";
import type { ReceiverLife } from "./states.ts";

/**
 * The way of a transfer from ready to committing (PROTOCOL.md 5.6): ORDER gives it a place, COMMIT decides it, and it
 * begins when all that come before it are over.
 */
export class CommitTurn {
  private readonly context: ReceiverContext;
  private readonly key: InboundKey;
  private readonly life: ReceiverLife;
  /** Its place among all transfers; 0 before the sender asks for it. */
  place = 0;
  /** How many members were asked with it. */
  asked = 0;

  constructor(context: ReceiverContext, key: InboundKey, life: ReceiverLife) {
    this.context = context;
    this.key = key;
    this.life = life;
  }

  /** ORDER names this node: the transfer gets a place, or moves back to a later one. */
  takePlace({ order, targets }: Order): void {
    if (this.life.state === "ready") this.life.become("ordered");
    if (this.life.state === "ordered") this.place = this.context.commitOrder.place(this.key, order);
    this.asked = fellows(targets, this.context.members());
  }

  /**
   * COMMIT names this node.
   *
   * @returns whether that decides it: no, where it has no place yet, or was decided before
   */
  decide({ order, targets }: Commit): boolean {
    if (this.life.state !== "ordered") return false;
    this.place = this.context.commitOrder.place(this.key, order);
    this.life.become("decided");
    this.asked = fellows(targets, this.context.members());
    return true;
  }

  /** Begins the commit, where it is decided and its turn; true once. */
  begin(): boolean {
    if (this.life.state !== "decided" || !this.context.commitOrder.isFirst(this.key)) return false;
    this.life.become("committing");
    return true;
  }

  /** The transfer is over: it holds up nobody any more. */
  leave(): void {
    this.context.commitOrder.leave(this.key);
  }

  /** The transfers of this node itself that come after this one. */
  get ownAfter(): number[] {
    return this.context.commitOrder.ownAfter(this.key);
  }

  /** How often another transfer has ended while this one waits for its turn: that brings it on. */
  get departures(): number {
    return this.life.state === "decided" ? this.context.commitOrder.departures : 0;
  }
}
