/** The queue of fragments to send, and the stamps that make repair exact. */
import { assert } from "../../base/assert.ts";
import { bitCount, lowestBit } from "../../base/bitmap.ts";
import { serialDistance } from "../../base/serial.ts";
import { BLOCK_FRAGMENTS, PARITY_FRAGMENTS } from "../../wire/limits.ts";
import type { Status } from "../../wire/status-message.ts";
import { lowBits } from "../fragment-mask.ts";
import type { Window } from "../window.ts";

/** Fragments of a block, with its parity fragments: for each of them the queue has a stamp. */
const STAMPED = BLOCK_FRAGMENTS + PARITY_FRAGMENTS;

/** The bit of the first parity fragment in the upper half of a mask. */
const FIRST_PARITY_BIT = BLOCK_FRAGMENTS - 32;

/** In place of a number of parity fragments: the whole block is sent a second time. */
export const WHOLE_BLOCK = 255;

/** Fragments of one block that go out together. */
export interface Sending {
  readonly block: number;
  readonly maskLow: number;
  /** The upper half, with the parity fragments. */
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
 *
 * Where several members may miss different fragments of a block, parity fragments are sent in place of the lost ones: as
 * many as the member needs that misses most, without those that are on their way to it. Each of them is sent once.
 */
export class SendQueue {
  private readonly window: Window;
  /** Tables with a row for each block of the window. First: which fragments wait to be sent. */
  private readonly waitingLow: Int32Array;
  private readonly waitingHigh: Int32Array;
  private readonly fragmentCounts: Uint8Array;
  private readonly stampOfFragment: Uint32Array;
  /** How many parity fragments of the block were queued. */
  private readonly parityCounts: Uint8Array;
  /** Which fragments were asked for at least once. */
  private readonly askedLow: Int32Array;
  private readonly askedHigh: Int32Array;
  /** How many parity fragments are to follow the block unasked, or WHOLE_BLOCK; 0 when they wait for that. */
  private readonly seconds: Uint8Array;
  private readonly waitingBlocks = new Set<number>();
  /** Blocks that have been sent once and wait for their second time, in order. */
  private readonly secondTimes: number[] = [];
  /** Fragments sent so far, repairs included. */
  sent = 0;
  /** Fragments sent again so far. */
  repaired = 0;
  /** Those among them that are parity. */
  parity = 0;

  /** @param window the sender's own */
  constructor(window: Window) {
    const windowBlocks = window.size;
    this.window = window;
    this.waitingLow = new Int32Array(windowBlocks);
    this.waitingHigh = new Int32Array(windowBlocks);
    this.askedLow = new Int32Array(windowBlocks);
    this.askedHigh = new Int32Array(windowBlocks);
    this.seconds = new Uint8Array(windowBlocks);
    this.fragmentCounts = new Uint8Array(windowBlocks);
    this.stampOfFragment = new Uint32Array(windowBlocks * STAMPED);
    this.parityCounts = new Uint8Array(windowBlocks);
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
   * @param second how many parity fragments are to follow it without being asked for, or WHOLE_BLOCK if it is to be sent a
   *   second time, see addSecondTime()
   */
  addBlock(block: number, fragments: number, second = 0): void {
    const row = this.window.rowOf(block);
    assert(!this.waitingBlocks.has(block), "a block is new only once");
    this.fragmentCounts[row] = fragments;
    this.waitingLow[row] = lowBits(fragments);
    this.waitingHigh[row] = lowBits(fragments - 32);
    this.askedLow[row] = 0;
    this.askedHigh[row] = 0;
    this.parityCounts[row] = 0;
    this.seconds[row] = second;
    this.waitingBlocks.add(block);
  }

  /** The oldest block that waits for its second time. */
  get nextSecondTime(): number | undefined {
    // Its parity may have gone out together with what was asked for.
    while (this.secondTimes[0] !== undefined && this.waitingCount(this.secondTimes[0]) === 0)
      this.secondTimes.shift();
    return this.secondTimes[0];
  }

  /** Queues that block. */
  addSecondTime(): void {
    const block = this.secondTimes.shift();
    assert(block !== undefined, "there is one");
    const row = this.window.rowOf(block);
    // Parity was counted when it was queued.
    this.repaired += bitCount(this.waitingLow[row] as number);
    this.repaired += bitCount((this.waitingHigh[row] as number) & lowBits(FIRST_PARITY_BIT));
    this.waitingBlocks.add(block);
  }

  /** How many parity fragments some block has needed so far; its row must not belong to a later one yet. */
  askedParity(block: number): number {
    return this.parityCounts[this.window.rowOf(block)] as number;
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
   * @param withParity whether parity may be sent in place of what is lost
   */
  addReport(status: Status, seen: number, firstBlock: number, endBlock: number, withParity = false): void {
    const seenStamp = seen >>> 0;
    for (const { block, maskLow, maskHigh } of status.missingFragments) {
      if (block >= firstBlock && block < endBlock)
        this.addMissing(block, maskLow, maskHigh, seenStamp, withParity);
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
   * @param withParity whether parity may be sent in their place
   * @returns how many were queued
   */
  addMissing(
    block: number,
    maskLow: number,
    maskHigh: number,
    seenStamp: number,
    withParity = false,
  ): number {
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
    const count = bitCount(low) + bitCount(high);
    // To a member that misses all of a block, its fragments are worth as much.
    if (withParity && count < fragments) {
      const needed = count - this.parityUnderWay(row, seenStamp);
      if (needed <= 0) return 0;
      if ((this.parityCounts[row] as number) + needed <= PARITY_FRAGMENTS) {
        this.waitingBlocks.add(block);
        this.addParity(row, needed);
        return needed;
      }
    }
    this.waitingBlocks.add(block);
    this.waitingLow[row] = (this.waitingLow[row] as number) | low;
    this.waitingHigh[row] = (this.waitingHigh[row] as number) | high;
    this.askedLow[row] = (this.askedLow[row] as number) | low;
    this.askedHigh[row] = (this.askedHigh[row] as number) | high;
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
    return block === undefined ? 0 : Math.min(most, this.waitingCount(block));
  }

  /** Drops what waits of blocks that every remaining member has staged. */
  forgetBelow(block: number): void {
    for (const waiting of this.waitingBlocks) if (waiting < block) this.waitingBlocks.delete(waiting);
    while (this.secondTimes[0] !== undefined && this.secondTimes[0] < block) this.secondTimes.shift();
  }

  private noteSentWhole(block: number, row: number): void {
    this.waitingBlocks.delete(block);
    const second = this.seconds[row] as number;
    if (second === 0) return;
    this.seconds[row] = 0;
    // Until its second time has come, it counts as waiting, so that nobody's report brings it out as well.
    if (second === WHOLE_BLOCK) {
      const fragments = this.fragmentCounts[row] as number;
      this.waitingLow[row] = lowBits(fragments);
      this.waitingHigh[row] = lowBits(fragments - 32);
    } else {
      const parity = this.parityCounts[row] as number;
      const most = Math.min(PARITY_FRAGMENTS, (this.fragmentCounts[row] as number) - 1);
      this.addParity(row, Math.max(0, Math.min(second, most - parity)));
    }
    this.secondTimes.push(block);
  }

  private waitingCount(block: number): number {
    const row = this.window.rowOf(block);
    return bitCount(this.waitingLow[row] as number) + bitCount(this.waitingHigh[row] as number);
  }

  /** Queues so many parity fragments more. */
  private addParity(row: number, needed: number): void {
    const first = FIRST_PARITY_BIT + (this.parityCounts[row] as number);
    const bits = lowBits(first + needed) & ~lowBits(first);
    this.waitingHigh[row] = (this.waitingHigh[row] as number) | bits;
    this.parityCounts[row] = (this.parityCounts[row] as number) + needed;
    this.parity += needed;
    this.repaired += needed;
  }

  /** How many parity fragments of a block wait to be sent, or may still arrive at a member that has seen this stamp. */
  private parityUnderWay(row: number, seenStamp: number): number {
    let count = 0;
    const waiting = this.waitingHigh[row] as number;
    for (let parity = 0; parity < (this.parityCounts[row] as number); parity++) {
      const isWaiting = (waiting & (1 << (FIRST_PARITY_BIT + parity))) !== 0;
      const sentStamp = this.stampOfFragment[row * STAMPED + BLOCK_FRAGMENTS + parity] as number;
      if (isWaiting || serialDistance(seenStamp, sentStamp) <= 0) count++;
    }
    return count;
  }

  private lost(row: number, firstIndex: number, mask: number, seenStamp: number): number {
    let lost = 0;
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      const bit = lowestBit(rest);
      const sentStamp = this.stampOfFragment[row * STAMPED + firstIndex + bit] as number;
      if (serialDistance(seenStamp, sentStamp) > 0) lost |= 1 << bit;
    }
    return lost;
  }

  private takeBits(waiting: Int32Array, row: number, firstIndex: number, most: number): number {
    let taken = 0;
    let rest = waiting[row] as number;
    for (let count = 0; rest !== 0 && count < most; count++) {
      const lowest = rest & -rest;
      this.stampOfFragment[row * STAMPED + firstIndex + lowestBit(rest)] = this.stamp;
      this.sent++;
      taken |= lowest;
      rest &= rest - 1;
    }
    waiting[row] = rest;
    return taken;
  }
}
