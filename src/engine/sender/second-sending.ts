/** Whether nearly every fragment is missed by somebody, so that blocks are sent twice unasked. */
import type { SendQueue } from "./send-queue.ts";

/**
 * Where very many members lose something each, nearly every fragment is missed by somebody. To wait for reports
 * of that would take time, and cost more reports than all else. So while it is so, a block is sent a second time
 * without being asked for (PROTOCOL.md 5.4).
 */

/** With fewer members it takes a bad network to lose everything somewhere, and reports tell enough. */
const LEAST_MEMBERS = 64;
/** The share of fragments that has to be asked for. */
const ASKED_SHARE = 0.98;
/** One block in so many is sent once all the same, to see whether it would still be asked for. */
const PROBE_INTERVAL_BLOCKS = 512;
/** So many blocks later its reports are in. */
const PROBE_AGE_BLOCKS = 96;
/** How many of the newest probes are looked at. */
const PROBES = 4;

/** How many blocks are sent between the first time and the second: losses often come in bursts. */
export const SECOND_TIME_BLOCKS = 4;

export class SecondSending {
  private readonly queue: SendQueue;
  /** Blocks sent once that are not old enough to be looked at, oldest first. */
  private readonly probes: number[] = [];
  /** Which share of each of the newest probes was asked for. */
  private askedShares: number[] = [];

  constructor(queue: SendQueue) {
    this.queue = queue;
  }

  /** Whether a new block is to be sent twice. To be called for each block in turn. */
  decide(block: number, members: number): boolean {
    if (members < LEAST_MEMBERS) return false;
    while ((this.probes[0] ?? block) <= block - PROBE_AGE_BLOCKS) {
      const share = this.queue.askedShare(this.probes.shift() as number);
      this.askedShares = [share, ...this.askedShares.slice(0, PROBES - 1)];
    }
    const isTwice = block % PROBE_INTERVAL_BLOCKS !== 0 && this.isAllAskedFor();
    if (!isTwice) this.probes.push(block);
    return isTwice;
  }

  private isAllAskedFor(): boolean {
    const sum = this.askedShares.reduce((total, share) => total + share, 0);
    return this.askedShares.length === PROBES && sum >= ASKED_SHARE * PROBES;
  }
}
