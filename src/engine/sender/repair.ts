/** The queue of fragments to send, and the stamps that make repair exact. */
import { assert } from "../../base/assert.ts";
import { bitCount } from "../../base/bitmap.ts";
import { serialDistance } from "../../base/serial.ts";
import { BLOCK_FRAGMENTS } from "../../wire/limits.ts";
import type { Status } from "../../wire/status-message.ts";
import { lowBits } from "../types.ts";

/**
 * What is to be sent next: new blocks and fragments that members miss, merged over all members, lowest block
 * first (PROTOCOL.md 5.4). Every fragment carries a stamp that counts sends. A member's report says up to which
 * stamp it has seen, so a fragment is lost for certain when the report is newer than its last sending, and one
 * that is still on its way is never sent twice.
 */
export interface Sending {
  readonly block: number;
  readonly maskLow: number;
  readonly maskHigh: number;
  readonly stamp: number;
  readonly fragments: number;
}

export class SendQueue {
  private readonly windowBlocks: number;
  /** Per slot: which fragments wait to be sent. */
  private readonly waitingLow: Int32Array;
  private readonly waitingHigh: Int32Array;
  private readonly fragmentsOfSlot: Uint8Array;
  private readonly stampOfFragment: Uint32Array;
  /** Per slot: which fragments were asked for at least once. */
  private readonly askedLow: Int32Array;
  private readonly askedHigh: Int32Array;
  /** Per slot: whether the block is to be sent twice, and the second time is still to come. */
  private readonly isTwice: Uint8Array;
  private readonly waitingBlocks = new Set<number>();
  /** Blocks that have been sent once and wait for their second time, in order. */
  private readonly secondTimes: number[] = [];
  /** Fragments sent so far, repairs included. */
  sent = 0;
  /** Fragments sent again so far. */
  repaired = 0;

  constructor(windowBlocks: number) {
    this.windowBlocks = windowBlocks;
    this.waitingLow = new Int32Array(windowBlocks);
    this.waitingHigh = new Int32Array(windowBlocks);
    this.askedLow = new Int32Array(windowBlocks);
    this.askedHigh = new Int32Array(windowBlocks);
    this.isTwice = new Uint8Array(windowBlocks);
    this.fragmentsOfSlot = new Uint8Array(windowBlocks);
    this.stampOfFragment = new Uint32Array(windowBlocks * BLOCK_FRAGMENTS);
  }

  /** The stamp that the next fragment gets. */
  get stamp(): number {
    return this.sent >>> 0;
  }

  get isEmpty(): boolean {
    return this.waitingBlocks.size === 0;
  }

  /**
   * Queues all of a new block; its slot must be free.
   *
   * @param isTwice whether it is to be sent a second time without being asked for, see addSecondTime()
   */
  addBlock(block: number, fragments: number, isTwice = false): void {
    const slot = block % this.windowBlocks;
    assert(!this.waitingBlocks.has(block), "a block is new only once");
    this.fragmentsOfSlot[slot] = fragments;
    this.waitingLow[slot] = lowBits(fragments);
    this.waitingHigh[slot] = lowBits(fragments - 32);
    this.askedLow[slot] = 0;
    this.askedHigh[slot] = 0;
    this.isTwice[slot] = isTwice ? 1 : 0;
    this.waitingBlocks.add(block);
  }

  /** The oldest block that waits for its second time. */
  get nextSecondTime(): number | undefined {
    return this.secondTimes[0];
  }

  /** Queues that block. */
  addSecondTime(): void {
    const block = this.secondTimes.shift();
    assert(block !== undefined, "there is one");
    this.repaired += this.fragmentsOfSlot[block % this.windowBlocks] as number;
    this.waitingBlocks.add(block);
  }

  /** Which share of a block some member has asked for; its slot must still be its own. */
  askedShare(block: number): number {
    const slot = block % this.windowBlocks;
    const asked = bitCount(this.askedLow[slot] as number) + bitCount(this.askedHigh[slot] as number);
    return asked / (this.fragmentsOfSlot[slot] as number);
  }

  /**
   * Queues what a member's report says is missing, as far as it is really lost.
   *
   * @param seen how many fragments had been sent when the newest that the member has seen was
   * @param firstBlock blocks below have been staged everywhere
   * @param endBlock blocks from this one on have not been sent
   */
  addReport(status: Status, seen: number, firstBlock: number, endBlock: number): void {
    const seenStamp = seen >>> 0;
    for (const { block, maskLow, maskHigh } of status.missingFragments) {
      if (block >= firstBlock && block < endBlock) this.addMissing(block, maskLow, maskHigh, seenStamp);
    }
    for (const run of status.missingRuns) {
      const end = Math.min(run.firstBlock + run.blocks, endBlock);
      for (let block = Math.max(run.firstBlock, firstBlock); block < end; block++)
        this.addMissing(block, -1, -1, seenStamp);
    }
  }

  /**
   * Queues fragments that a member misses, as far as they are really lost.
   *
   * @param seenStamp what the member's report says it has seen
   * @returns how many were queued
   */
  addMissing(block: number, maskLow: number, maskHigh: number, seenStamp: number): number {
    const slot = block % this.windowBlocks;
    const fragments = this.fragmentsOfSlot[slot] as number;
    const low = this.lost(
      slot,
      0,
      maskLow & lowBits(fragments) & ~(this.waitingLow[slot] as number),
      seenStamp,
    );
    const high = this.lost(
      slot,
      32,
      maskHigh & lowBits(fragments - 32) & ~(this.waitingHigh[slot] as number),
      seenStamp,
    );
    if (low === 0 && high === 0) return 0;
    this.waitingLow[slot] = (this.waitingLow[slot] as number) | low;
    this.waitingHigh[slot] = (this.waitingHigh[slot] as number) | high;
    this.askedLow[slot] = (this.askedLow[slot] as number) | low;
    this.askedHigh[slot] = (this.askedHigh[slot] as number) | high;
    this.waitingBlocks.add(block);
    const count = bitCount(low) + bitCount(high);
    this.repaired += count;
    return count;
  }

  /** Takes up to `most` fragments of the oldest waiting block; undefined where nothing waits. */
  take(most: number): Sending | undefined {
    const [block] = this.waitingBlocks;
    if (block === undefined) return undefined;
    const slot = block % this.windowBlocks;
    const { stamp } = this;
    const maskLow = this.takeBits(this.waitingLow, slot, 0, most);
    const maskHigh = this.takeBits(this.waitingHigh, slot, 32, most - bitCount(maskLow));
    if (this.waitingLow[slot] === 0 && this.waitingHigh[slot] === 0) this.noteSentWhole(block, slot);
    return { block, maskLow, maskHigh, stamp, fragments: bitCount(maskLow) + bitCount(maskHigh) };
  }

  /** How many fragments the next call of take would give. */
  peek(most: number): number {
    const [block] = this.waitingBlocks;
    if (block === undefined) return 0;
    const slot = block % this.windowBlocks;
    return Math.min(
      most,
      bitCount(this.waitingLow[slot] as number) + bitCount(this.waitingHigh[slot] as number),
    );
  }

  /** Drops what waits of blocks that every remaining member has staged. */
  forgetBelow(block: number): void {
    for (const waiting of this.waitingBlocks) if (waiting < block) this.waitingBlocks.delete(waiting);
    while (this.secondTimes[0] !== undefined && this.secondTimes[0] < block) this.secondTimes.shift();
  }

  private noteSentWhole(block: number, slot: number): void {
    this.waitingBlocks.delete(block);
    if (this.isTwice[slot] === 0) return;
    // Until its second time has come, all of it counts as waiting, so that nobody's report brings it out as well.
    const fragments = this.fragmentsOfSlot[slot] as number;
    this.isTwice[slot] = 0;
    this.waitingLow[slot] = lowBits(fragments);
    this.waitingHigh[slot] = lowBits(fragments - 32);
    this.secondTimes.push(block);
  }

  private lost(slot: number, firstIndex: number, mask: number, seenStamp: number): number {
    let lost = 0;
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      const bit = 31 - Math.clz32(rest & -rest);
      const sentStamp = this.stampOfFragment[slot * BLOCK_FRAGMENTS + firstIndex + bit] as number;
      if (serialDistance(seenStamp, sentStamp) > 0) lost |= 1 << bit;
    }
    return lost;
  }

  private takeBits(waiting: Int32Array, slot: number, firstIndex: number, most: number): number {
    let taken = 0;
    let rest = waiting[slot] as number;
    for (let count = 0; rest !== 0 && count < most; count++) {
      const lowest = rest & -rest;
      const index = firstIndex + 31 - Math.clz32(lowest);
      this.stampOfFragment[slot * BLOCK_FRAGMENTS + index] = this.stamp;
      this.sent++;
      taken |= lowest;
      rest &= rest - 1;
    }
    waiting[slot] = rest;
    return taken;
  }
}
