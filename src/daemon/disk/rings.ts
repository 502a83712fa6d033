/** The shared memory of an outgoing transfer. */
import { DATAGRAM_BYTES, BLOCK_FRAGMENTS, WINDOW_BLOCKS } from "../../wire/limits.ts";

/** A slot of a sender's ring: a whole train of datagrams, headers in place. */
export const TRAIN_BYTES = DATAGRAM_BYTES * BLOCK_FRAGMENTS;

const RING_BYTES = TRAIN_BYTES * WINDOW_BLOCKS;

/**
 * Gives outgoing transfers their shared memory, a slot for each block of the window; pages that are not used cost
 * nothing. One ring is kept for the next transfer, so that small transfers do not make new ones all the time.
 */
export class RingPool {
  private spare: SharedArrayBuffer | undefined;

  take(): SharedArrayBuffer {
    const ring = this.spare ?? new SharedArrayBuffer(RING_BYTES);
    this.spare = undefined;
    return ring;
  }

  give(ring: SharedArrayBuffer): void {
    this.spare = ring;
  }
}
