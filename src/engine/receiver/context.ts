/** What it needs to know of its node. */
import type { Random } from "../../base/random.ts";
import { TARGETS_PER_MESSAGE } from "../../wire/limits.ts";
import type { EngineOptions } from "../types.ts";
import type { CommitOrder } from "./commit-order.ts";

/** What a receiver needs to know of its node. */
export interface ReceiverContext {
  readonly selfEpoch: string;
  readonly random: Random;
  readonly options: EngineOptions;
  /** The share of the socket buffer that each of the present transfers may fill. */
  readonly inFlight: () => number;
  /** How many other nodes there are. */
  readonly members: () => number;
  /** The places of all transfers to this node. */
  readonly commitOrder: CommitOrder;
}

/** How many members a message is for, as far as it tells: one that is full is not the only one. */
export function fellows({ length }: readonly string[], members: number): number {
  return length < TARGETS_PER_MESSAGE ? length : Math.max(length, members);
}
