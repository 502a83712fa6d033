/** Which place the members of a transfer give it, and whether they agree. */
import { MemberPhase } from "../../wire/status-message.ts";
import type { CommitOrder } from "../commit-order.ts";
import type { TransferName } from "../types.ts";
import type { Barrier, MemberProgress } from "./barrier.ts";

/**
 * The place of a transfer among all others (PROTOCOL.md 5.6). Each member proposes one, the highest is taken, and
 * those that have proposed less move theirs back to it. Only when all of them have the same may COMMIT be said. The
 * sender proposes one as well: transfers that it receives meanwhile come before or after this one on its own tree, too.
 */
export class Ordering {
  private readonly barrier: Barrier;
  private readonly places: CommitOrder;
  private readonly key: TransferName;
  /** The highest place that any member has proposed, also one that has left the transfer since. */
  private highest = 0;
  /** The place that was said in the last ORDER. */
  private told = 0;

  /**
   * @param places of all transfers that this node receives or sends
   * @param key of this transfer
   */
  constructor(barrier: Barrier, places: CommitOrder, key: TransferName) {
    this.barrier = barrier;
    this.places = places;
    this.key = key;
  }

  /** The sender itself proposes a place. */
  propose(): void {
    this.highest = this.places.place(this.key, this.highest);
  }

  /** Looks at the places that the members have proposed. */
  update(): void {
    for (const { order } of this.barrier.progress) this.highest = Math.max(this.highest, order);
    this.places.place(this.key, this.highest);
  }

  /** All have agreed. */
  settle(): void {
    this.places.settle(this.key);
  }

  /** Whether all transfers to this node that come before this one are over. */
  get isItsTurn(): boolean {
    return this.places.isFirst(this.key);
  }

  /** The numbers of the other transfers of this node that may come after this one. */
  get ownOpenBeside(): number[] {
    return this.places.ownOpen.filter((transfer) => transfer !== this.key.transfer);
  }

  /** The numbers of the transfers of this node that come after this one. */
  get ownAfter(): number[] {
    return this.places.ownAfter(this.key);
  }

  /** The transfer is over. */
  leave(): void {
    this.places.leave(this.key);
  }

  /** The place, as far as it is known. */
  get order(): number {
    return this.highest;
  }

  /** Whether all members have the same place. */
  get isAgreed(): boolean {
    return this.behind.length === 0;
  }

  /** Whether all members have proposed a place, and some have to be told that others have proposed a higher one. */
  get isToBeTold(): boolean {
    return this.told < this.highest && this.barrier.everyone(MemberPhase.ordered);
  }

  /** Whether a member has yet to propose a place, or to move back to the highest one. */
  isBehind({ phase, order }: MemberProgress): boolean {
    return phase < MemberPhase.ordered || order < this.highest;
  }

  /** Epochs of the members that are behind. */
  get behind(): string[] {
    return [...this.barrier.progress].filter((one) => this.isBehind(one)).map((one) => one.member.epoch);
  }

  /** The members with a lower place learn of the highest one. */
  noteTold(): void {
    this.told = this.highest;
  }
}
