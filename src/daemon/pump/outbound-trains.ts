/** Stamps and sends blocks from the sender's ring. */
import { memoryRowOf } from "../../engine/window.ts";
import { assert } from "../../base/assert.ts";
import { hasFragment } from "../../engine/fragment-mask.ts";
import type { Effect } from "../../engine/types.ts";
import { makeParity } from "../../net/parity.ts";
import type { Transport } from "../../net/transports/transport.ts";
import {
  decodeFragment,
  encodeFragmentHeader,
  fragmentCount,
  FRAGMENT_HEADER_BYTES,
  FragmentHeader,
  stampFragment,
} from "../../wire/datagram.ts";
import { BLOCK_FRAGMENTS, DATAGRAM_BYTES, PARITY_FRAGMENTS, WINDOW_BLOCKS } from "../../wire/limits.ts";
import { type RingPool, TRAIN_BYTES } from "../disk/rings.ts";

type SendBlock = Extract<Effect, { kind: "send-block" }>;

const NO_PARITY: readonly number[] = [];

/** The blocks of one outgoing transfer as they lie in its ring, ready to be sent. */
export class OutboundTrains {
  readonly ring: SharedArrayBuffer;
  private readonly bytes: Uint8Array;
  private readonly pool: RingPool;
  private readonly transport: Pick<Transport, "sendTrainToGroup">;
  /** The length of a full datagram, and that of its payload. */
  private readonly datagramBytes: number;
  private readonly fullBytes: number;
  private readonly sealedBytesOfSlot = new Uint16Array(WINDOW_BLOCKS);
  private usedSlots = 0;
  private pendingSends = 0;
  private isClosed = false;

  /** @param datagramBytes the length of all datagrams of a train but the last */
  constructor(
    transport: Pick<Transport, "sendTrainToGroup">,
    pool: RingPool,
    datagramBytes = DATAGRAM_BYTES,
  ) {
    this.transport = transport;
    this.datagramBytes = datagramBytes;
    this.fullBytes = datagramBytes - FRAGMENT_HEADER_BYTES;
    this.pool = pool;
    this.ring = pool.take();
    this.bytes = new Uint8Array(this.ring);
  }

  /** The reading thread has laid a block into the ring. */
  noteBlock(block: number, sealedBytes: number): void {
    const slot = memoryRowOf(block);
    this.sealedBytesOfSlot[slot] = sealedBytes;
    this.usedSlots = Math.max(this.usedSlots, slot + 1);
  }

  /**
   * Sends the fragments of a block that the masks name, in as few trains as possible.
   *
   * @param done called once when the transport has sent all of them
   */
  send(effect: SendBlock, done: () => void): void {
    const slot = memoryRowOf(effect.block);
    const sealedBytes = this.sealedBytesOfSlot[slot] as number;
    const count = fragmentCount(sealedBytes, this.fullBytes);
    const finish = () => {
      this.pendingSends--;
      this.releaseIfDone();
      done();
    };
    let stamp = effect.stamp;
    let pendingRuns = 1;
    const finishRun = () => {
      if (--pendingRuns === 0) finish();
    };
    this.pendingSends++;
    for (let index = 0; index < count;) {
      if (!hasFragment(effect.maskLow, effect.maskHigh, index)) {
        index++;
        continue;
      }
      const first = index;
      while (index < count && hasFragment(effect.maskLow, effect.maskHigh, index)) {
        stampFragment(this.bytes, slot * TRAIN_BYTES + index++ * this.datagramBytes, stamp++ >>> 0);
      }
      pendingRuns++;
      this.sendRun(slot, first, index, sealedBytes, finishRun);
    }
    const parity = parityIn(effect.maskHigh);
    if (parity.length > 0) {
      pendingRuns++;
      this.sendParity(slot, parity, sealedBytes, stamp, finishRun);
    }
    finishRun();
  }

  /** The transfer is over. The ring goes back to the pool when the transport has sent the last train. */
  close(): void {
    this.isClosed = true;
    this.releaseIfDone();
  }

  private sendRun(slot: number, first: number, end: number, sealedBytes: number, done: () => void): void {
    const slotStart = slot * TRAIN_BYTES;
    const blockEnd = sealedBytes + fragmentCount(sealedBytes, this.fullBytes) * FRAGMENT_HEADER_BYTES;
    const train = this.bytes.subarray(
      slotStart + first * this.datagramBytes,
      slotStart + Math.min(end * this.datagramBytes, blockEnd),
    );
    assert(train.length > 0, "a run has at least one fragment");
    this.transport.sendTrainToGroup(train, this.datagramBytes, done);
  }

  /** Makes parity fragments of a block, and sends them in one train. It has memory of its own: none is kept for parity. */
  private sendParity(
    slot: number,
    indexes: readonly number[],
    sealedBytes: number,
    firstStamp: number,
    done: () => void,
  ): void {
    const { bytes, datagramBytes, fullBytes } = this;
    const slotStart = slot * TRAIN_BYTES;
    const train = new Uint8Array(indexes.length * datagramBytes);
    const header = new FragmentHeader();
    const isBlock = decodeFragment(bytes, slotStart, datagramBytes, header);
    assert(isBlock, "a block with parity begins with a full fragment");
    const block = { bytes, start: header.payloadStart, stride: datagramBytes, fullBytes, sealedBytes };
    let start = 0;
    makeParity(block, indexes, (parity, index) => {
      header.index = index;
      header.stamp = (firstStamp + start / datagramBytes) >>> 0;
      encodeFragmentHeader(train, start, header);
      train.set(parity, start + FRAGMENT_HEADER_BYTES);
      start += datagramBytes;
    });
    this.transport.sendTrainToGroup(train, datagramBytes, done);
  }

  private releaseIfDone(): void {
    if (this.isClosed && this.pendingSends === 0) this.pool.give(this.ring, this.usedSlots);
  }
}

/** The indexes of the parity fragments in the upper half of a mask, in ascending order. */
function parityIn(maskHigh: number): readonly number[] {
  if (maskHigh >>> (BLOCK_FRAGMENTS - 32) === 0) return NO_PARITY;
  const indexes: number[] = [];
  for (let index = BLOCK_FRAGMENTS; index < BLOCK_FRAGMENTS + PARITY_FRAGMENTS; index++)
    if (hasFragment(0, maskHigh, index)) indexes.push(index);
  return indexes;
}
