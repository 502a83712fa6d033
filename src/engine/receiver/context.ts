/** What an incoming transfer needs to know of its node. */
import type { Random } from "../../base/random.ts";
import { TARGETS_PER_MESSAGE } from "../../wire/limits.ts";
import type { Ranked } from "../ranks.ts";
import type { EngineOptions } from "../types.ts";
import type { CommitOrder } from "../commit-order.ts";

/** What an incoming transfer needs to know of its node. */
export interface ReceiverContext {
  readonly selfEpoch: string;
  readonly random: Random;
  readonly options: EngineOptions;
  /** How many fragments may be under way in each of the present transfers. */
  readonly inFlight: () => number;
  /** How many other nodes there are. */
  readonly members: () => number;
  /** The places of all transfers to this node. */
  readonly commitOrder: CommitOrder;
  /** How many transfers wait that are to be admitted before this one. */
  readonly waitingBefore: (ranked: Ranked) => number;
}

/**
 * How many members a message is for, as far as its targets tell. A message that is full is not the only one: then
 * it may be for all members.
 */
export function fellows({ length }: readonly string[], members: number): number {
  return length < TARGETS_PER_MESSAGE ? length : Math.max(length, members);
}
