/** The order in which transfers are admitted, the same on all nodes. */
import { HIGHEST_RANK } from "../wire/limits.ts";
import type { TransferName } from "./types.ts";

/** A transfer with its rank. */
export interface Ranked {
  readonly name: TransferName;
  readonly rank: number;
}

/**
 * The clock that ranks are drawn from (PROTOCOL.md 5.10). A transfer that begins after this node has heard of another
 * one gets a higher rank. So only finitely many transfers come before any other.
 */
export class RankClock {
  private latest = 0;

  /** The rank of a transfer that begins now. */
  draw(): number {
    this.latest = Math.min(HIGHEST_RANK, this.latest + 1);
    return this.latest;
  }

  /** Another node offers a transfer of this rank. */
  note(rank: number): void {
    this.latest = Math.max(this.latest, rank);
  }
}

/** Whether one transfer is admitted before another: by rank, then by the sender's epoch, then by number. */
export function comesBefore(a: Ranked, b: Ranked): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  if (a.name.epoch !== b.name.epoch) return a.name.epoch < b.name.epoch;
  return a.name.transfer < b.name.transfer;
}
