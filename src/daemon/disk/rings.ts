import { DATAGRAM_BYTES, BLOCK_FRAGMENTS, WINDOW_BLOCKS } from "../../wire/limits.ts";
import { SEALED_BLOCK_BYTES } from "../../wire/datagram.ts";

/** The shared memory of a transfer: a slot per block of the window. Pages that are not used cost nothing. */

/** A slot of the sender: a whole train of datagrams, headers in place. */
export const TRAIN_BYTES = DATAGRAM_BYTES * BLOCK_FRAGMENTS;

/** A slot of the receiver: a sealed block. */
export const SLOT_BYTES = SEALED_BLOCK_BYTES;

/** Gives rings and keeps one for the next transfer, so that small transfers do not make new ones all the time. */
export class RingPool {
  private readonly bytes: number;
  private spare: SharedArrayBuffer | undefined;

  constructor(slotBytes: number) {
    this.bytes = slotBytes * WINDOW_BLOCKS;
  }

  take(): SharedArrayBuffer {
    const ring = this.spare ?? new SharedArrayBuffer(this.bytes);
    this.spare = undefined;
    return ring;
  }

  give(ring: SharedArrayBuffer): void {
    this.spare = ring;
  }
}
