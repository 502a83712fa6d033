/** The offered transfers that a member has no room for yet. */
import type { Offer } from "../../wire/transfer-messages.ts";
import { comesBefore, type Ranked } from "../ranks.ts";
import { inboundName, type Member, type TransferName } from "../types.ts";
import * as times from "./times.ts";

/** An offered transfer that waits. */
export interface WaitingOffer extends Ranked {
  readonly sender: Member;
  readonly offer: Offer;
  readonly heardMs: number;
}

/**
 * So many offers are remembered: far more than members of a large fleet push in the same second. Beyond that, the
 * last one in the order is forgotten until it is offered again.
 */
export const REMEMBERED_OFFERS = 1_024;

/**
 * The offers that wait at a member (PROTOCOL.md 5.10). Each is repeated by its sender; one that is not is forgotten, so
 * that no place goes to a sender that has gone.
 */
export class WaitingOffers {
  private readonly offers = new Map<string, WaitingOffer>();

  get isEmpty(): boolean {
    return this.offers.size === 0;
  }

  /**
   * A transfer is offered, or was offered again.
   *
   * @returns whether it is new here
   */
  note(waiting: WaitingOffer): boolean {
    const name = inboundName(waiting.name);
    const isNew = !this.offers.has(name);
    this.offers.set(name, waiting);
    if (this.offers.size > REMEMBERED_OFFERS) this.forgetLast();
    return isNew;
  }

  /** A transfer waits no more. */
  forget(name: TransferName): void {
    this.offers.delete(inboundName(name));
  }

  /** A sender has left. */
  forgetSender(epoch: string): void {
    for (const [name, waiting] of this.offers) if (waiting.name.epoch === epoch) this.offers.delete(name);
  }

  /** Takes the one that comes first, of those that are still offered; undefined if there is none. */
  takeFirst(nowMs: number): WaitingOffer | undefined {
    this.forgetSilent(nowMs);
    let first: WaitingOffer | undefined;
    for (const waiting of this.offers.values()) {
      if (first === undefined || comesBefore(waiting, first)) first = waiting;
    }
    if (first !== undefined) this.forget(first.name);
    return first;
  }

  /** How many come before a transfer. */
  countBefore(other: Ranked): number {
    let count = 0;
    for (const waiting of this.offers.values()) if (comesBefore(waiting, other)) count++;
    return count;
  }

  private forgetSilent(nowMs: number): void {
    for (const [name, { heardMs }] of this.offers)
      if (nowMs - heardMs >= times.OFFER_SILENCE_MS) this.offers.delete(name);
  }

  private forgetLast(): void {
    let last: WaitingOffer | undefined;
    for (const waiting of this.offers.values()) {
      if (last === undefined || comesBefore(last, waiting)) last = waiting;
    }
    if (last !== undefined) this.forget(last.name);
  }
}
