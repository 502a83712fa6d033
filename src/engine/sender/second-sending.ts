/** Whether nearly every fragment is missed by somebody, so that parity, or the block again, is sent unasked. */
import { type SendQueue, WHOLE_BLOCK } from "./send-queue.ts";

/**
 * With fewer members it takes a bad network to lose every fragment somewhere, and reports tell enough: 64 that lose
 * 1 % each miss every other fragment, 400 miss 98 % of them.
 */
const LEAST_MEMBERS = 64;

/** The share of fragments that has to be asked for: so no more than 2 % are sent in vain. */
const ASKED_SHARE = 0.98;

/**
 * One block in so many is still sent only once, to see whether it would still be asked for. These probes cost 0.2
 * % of the blocks, and at 1 Gbit/s one comes in a quarter of a second.
 */
const PROBE_INTERVAL_BLOCKS = 512;

/**
 * A probe is looked at so many blocks later: 48 ms at 1 Gbit/s, in which the reports of very many members have
 * come. With 24 blocks too few have, and 400 members say nearly twice as much in the simulator.
 */
const PROBE_AGE_BLOCKS = 96;

/** How many of the newest probes are looked at together: 176 fragments, of which 98 % is a number with a meaning. */
const PROBES = 4;

/**
 * How many blocks are sent between the first time and the second. Losses often come in bursts, and four blocks are
 * 2 ms at 1 Gbit/s. In the simulator, where each loss is by itself, the number does not matter.
 */
export const SECOND_TIME_BLOCKS = 4;

/**
 * Where very many members lose something each, nearly every fragment is missed by somebody, and every block needs parity. To
 * wait for the reports of that would take time, and cost more reports than all else. So while it is like that, parity
 * follows a block without being asked for: as many parity fragments as each of the newest probes has needed. Where members
 * do not understand parity, the whole block is sent a second time (PROTOCOL.md 5.4).
 */
export class SecondSending {
  private readonly queue: SendQueue;
  /** Blocks sent once that are not old enough to be looked at, oldest first. */
  private readonly probes: number[] = [];
  /** What each of the newest probes has needed, newest first: which share was asked for, or how many parity fragments. */
  private needs: number[] = [];

  constructor(queue: SendQueue) {
    this.queue = queue;
  }

  /**
   * How many parity fragments follow a new block unasked, or WHOLE_BLOCK. To be called for each block in turn.
   *
   * @param withParity whether parity may be sent
   */
  decide(block: number, members: number, withParity = false): number {
    if (members < LEAST_MEMBERS) return 0;
    while ((this.probes[0] ?? block) <= block - PROBE_AGE_BLOCKS) {
      const probe = this.probes.shift() as number;
      const need = withParity ? this.queue.askedParity(probe) : this.queue.askedShare(probe);
      this.needs = [need, ...this.needs.slice(0, PROBES - 1)];
    }
    const second = block % PROBE_INTERVAL_BLOCKS === 0 ? 0 : this.secondOf(withParity);
    if (second === 0) this.probes.push(block);
    return second;
  }

  private secondOf(withParity: boolean): number {
    if (this.needs.length < PROBES) return 0;
    if (withParity) return Math.min(...this.needs);
    const sum = this.needs.reduce((total, share) => total + share, 0);
    return sum >= ASKED_SHARE * PROBES ? WHOLE_BLOCK : 0;
  }
}
