/** The shared memory of outgoing transfers. */
import { releaseMemory } from "../../sys/memory.ts";
import { DATAGRAM_BYTES, BLOCK_FRAGMENTS, WINDOW_BLOCKS } from "../../wire/limits.ts";

/** A slot of a sender's ring: a whole train of datagrams, headers in place. */
export const TRAIN_BYTES = DATAGRAM_BYTES * BLOCK_FRAGMENTS;

const RING_BYTES = TRAIN_BYTES * WINDOW_BLOCKS;

/** The memory of so many slots (4 MiB) of a ring is not worth the call that gives it back to the kernel. */
const KEPT_SLOTS = 64;

/**
 * Gives outgoing transfers their shared memory, a slot for each block of the window; pages that are not used cost
 * nothing. Rings are kept for later transfers, so there are only as many as have ever run at a time. A ring that was
 * left to the garbage collector would stay long: the heap knows nothing of its size.
 */
export class RingPool {
  private readonly spare: SharedArrayBuffer[] = [];

  /** A ring; the one that was given back last, whose first pages have their memory already. */
  take(): SharedArrayBuffer {
    return this.spare.pop() ?? new SharedArrayBuffer(RING_BYTES);
  }

  /**
   * Takes a ring back.
   *
   * @param usedSlots how many of its slots, from the first on, may have been written to
   */
  give(ring: SharedArrayBuffer, usedSlots: number): void {
    if (usedSlots > KEPT_SLOTS) releaseMemory(new Uint8Array(ring, KEPT_SLOTS * TRAIN_BYTES));
    this.spare.push(ring);
  }
}
