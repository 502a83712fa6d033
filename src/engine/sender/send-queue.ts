/** The queue of fragments to send, and the stamps that make repair exact. */
import { assert } from "../../base/assert.ts";
import { bitCount } from "../../base/bitmap.ts";
import { serialDistance } from "../../base/serial.ts";
import { BLOCK_FRAGMENTS } from "../../wire/limits.ts";
import type { Status } from "../../wire/status-message.ts";
import { lowBits } from "../types.ts";
import type { Window } from "../window.ts";

/** Fragments of one block that go out together. */
export interface Sending {
  readonly block: number;
  readonly maskLow: number;
  readonly maskHigh: number;
  /** The stamp of the first of them. */
  readonly stamp: number;
  /** How many they are. */
  readonly fragments: number;
}

/**
 * The queue of everything that is to be sent (PROTOCOL.md 5.4): new blocks, and fragments that members miss, merged
 * over all members. The block that has waited longest goes first. Every fragment carries a stamp that counts sends.
 * A member's report says up to which stamp it has seen. So a fragment is lost for certain when the report is newer
 * than its last sending, and one that is still on its way is never sent twice.
 */
export class SendQueue {
  private readonly window: Window;
  /** Tables with a row for each block of the window. First: which fragments wait to be sent. */
  private readonly waitingLow: Int32Array;
  private readonly waitingHigh: Int32Array;
  private readonly fragmentCounts: Uint8Array;
  private readonly stampOfFragment: Uint32Array;
  /** Which fragments were asked for at least once. */
  private readonly askedLow: Int32Array;
  private readonly askedHigh: Int32Array;
  /** Whether the block is to be sent twice, and the second time is still to come. */
  private readonly isTwice: Uint8Array;
  private readonly waitingBlocks = new Set<number>();
  /** Blocks that have been sent once and wait for their second time, in order. */
  private readonly secondTimes: number[] = [];
  /** Fragments sent so far, repairs included. */
  sent = 0;
  /** Fragments sent again so far. */
  repaired = 0;

  /** @param window the sender's own */
  constructor(window: Window) {
    const windowBlocks = window.size;
    this.window = window;
    this.waitingLow = new Int32Array(windowBlocks);
    this.waitingHigh = new Int32Array(windowBlocks);
    this.askedLow = new Int32Array(windowBlocks);
    this.askedHigh = new Int32Array(windowBlocks);
    this.isTwice = new Uint8Array(windowBlocks);
    this.fragmentCounts = new Uint8Array(windowBlocks);
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
   * Queues all of a new block; the one that had its row before must be staged everywhere.
   *
   * @param isTwice whether it is to be sent a second time without being asked for, see addSecondTime()
   */
  addBlock(block: number, fragments: number, isTwice = false): void {
    const row = this.window.rowOf(block);
    assert(!this.waitingBlocks.has(block), "a block is new only once");
    this.fragmentCounts[row] = fragments;
    this.waitingLow[row] = lowBits(fragments);
    this.waitingHigh[row] = lowBits(fragments - 32);
    this.askedLow[row] = 0;
    this.askedHigh[row] = 0;
    this.isTwice[row] = isTwice ? 1 : 0;
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
    this.repaired += this.fragmentCounts[this.window.rowOf(block)] as number;
    this.waitingBlocks.add(block);
  }

  /** Which share of a block some member has asked for; its row must not belong to a later one yet. */
  askedShare(block: number): number {
    const row = this.window.rowOf(block);
    const asked = bitCount(this.askedLow[row] as number) + bitCount(this.askedHigh[row] as number);
    return asked / (this.fragmentCounts[row] as number);
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
    const row = this.window.rowOf(block);
    const fragments = this.fragmentCounts[row] as number;
    const low = this.lost(
      row,
      0,
      maskLow & lowBits(fragments) & ~(this.waitingLow[row] as number),
      seenStamp,
    );
    const high = this.lost(
      row,
      32,
      maskHigh & lowBits(fragments - 32) & ~(this.waitingHigh[row] as number),
      seenStamp,
    );
    if (low === 0 && high === 0) return 0;
    this.waitingLow[row] = (this.waitingLow[row] as number) | low;
    this.waitingHigh[row] = (this.waitingHigh[row] as number) | high;
    this.askedLow[row] = (this.askedLow[row] as number) | low;
    this.askedHigh[row] = (this.askedHigh[row] as number) | high;
    this.waitingBlocks.add(block);
    const count = bitCount(low) + bitCount(high);
    this.repaired += count;
    return count;
  }

  /** Takes up to `most` fragments of the oldest waiting block; undefined where nothing waits. */
  take(most: number): Sending | undefined {
    const [block] = this.waitingBlocks;
    if (block === undefined) return undefined;
    const row = this.window.rowOf(block);
    const { stamp } = this;
    const maskLow = this.takeBits(this.waitingLow, row, 0, most);
    const maskHigh = this.takeBits(this.waitingHigh, row, 32, most - bitCount(maskLow));
    if (this.waitingLow[row] === 0 && this.waitingHigh[row] === 0) this.noteSentWhole(block, row);
    return { block, maskLow, maskHigh, stamp, fragments: bitCount(maskLow) + bitCount(maskHigh) };
  }

  /** How many fragments the next call of take would give. */
  peek(most: number): number {
    const [block] = this.waitingBlocks;
    if (block === undefined) return 0;
    const row = this.window.rowOf(block);
    return Math.min(
      most,
      bitCount(this.waitingLow[row] as number) + bitCount(this.waitingHigh[row] as number),
    );
  }

  /** Drops what waits of blocks that every remaining member has staged. */
  forgetBelow(block: number): void {
    for (const waiting of this.waitingBlocks) if (waiting < block) this.waitingBlocks.delete(waiting);
    while (this.secondTimes[0] !== undefined && this.secondTimes[0] < block) this.secondTimes.shift();
  }

  private noteSentWhole(block: number, row: number): void {
    this.waitingBlocks.delete(block);
    if (this.isTwice[row] === 0) return;
    // Until its second time has come, all of it counts as waiting, so that nobody's report brings it out as well.
    const fragments = this.fragmentCounts[row] as number;
    this.isTwice[row] = 0;
    this.waitingLow[row] = lowBits(fragments);
    this.waitingHigh[row] = lowBits(fragments - 32);
    this.secondTimes.push(block);
  }

  private lost(row: number, firstIndex: number, mask: number, seenStamp: number): number {
    let lost = 0;
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      const bit = 31 - Math.clz32(rest & -rest);
      const sentStamp = this.stampOfFragment[row * BLOCK_FRAGMENTS + firstIndex + bit] as number;
      if (serialDistance(seenStamp, sentStamp) > 0) lost |= 1 << bit;
    }
    return lost;
  }

  private takeBits(waiting: Int32Array, row: number, firstIndex: number, most: number): number {
    let taken = 0;
    let rest = waiting[row] as number;
    for (let count = 0; rest !== 0 && count < most; count++) {
      const lowest = rest & -rest;
      const index = firstIndex + 31 - Math.clz32(lowest);
      this.stampOfFragment[row * BLOCK_FRAGMENTS + index] = this.stamp;
      this.sent++;
      taken |= lowest;
      rest &= rest - 1;
    }
    waiting[row] = rest;
    return taken;
  }
}
