/** Puts fragments together to blocks in a window of slots. */
import { bitCount } from "../../base/bitmap.ts";
import { BLOCK_FRAGMENTS, MISSING_FRAGMENTS, MISSING_RUNS } from "../../wire/limits.ts";
import { BlockKind, fragmentCount } from "../../wire/datagram.ts";
import type { MissingFragments, MissingRun } from "../../wire/status-message.ts";
import type { BlockKindNumber, FragmentMask } from "../types.ts";

/**
 * Puts fragments together to blocks, within a window of slots (PROTOCOL.md 5.3). A slot holds the block whose
 * number leaves the slot's number as remainder, so that the memory of the blocks can be one piece made once.
 */

const Slot = { empty: 0, partial: 1, complete: 2, staging: 3, staged: 4 } as const;

/** A whole block that can be staged now. */
export interface WholeBlock {
  readonly block: number;
  readonly sealedBytes: number;
  readonly blockKind: BlockKindNumber;
}

export class Assembly {
  private readonly windowBlocks: number;
  private readonly slots: Uint8Array;
  private readonly haveLow: Int32Array;
  private readonly haveHigh: Int32Array;
  private readonly absent: Uint8Array;
  private readonly sealedBytes: Uint16Array;
  private readonly kinds: Uint8Array;
  private readonly whole: WholeBlock[] = [];
  /** Manifest blocks whose turn has not come: one is staged after the other, since a block may prove corrupt. */
  private waitingManifests: number[] = [];
  private manifestInHand: number | undefined;
  /** Every block below is complete. */
  private completeBelow = 0;
  /** Every block below is staged. */
  stagedBelow = 0;
  /** The highest block heard of, plus one. */
  seenBlocks = 0;

  constructor(windowBlocks: number) {
    this.windowBlocks = windowBlocks;
    this.slots = new Uint8Array(windowBlocks);
    this.haveLow = new Int32Array(windowBlocks);
    this.haveHigh = new Int32Array(windowBlocks);
    this.absent = new Uint8Array(windowBlocks);
    this.sealedBytes = new Uint16Array(windowBlocks);
    this.kinds = new Uint8Array(windowBlocks);
  }

  /** The first block that has no place yet. */
  get windowEnd(): number {
    return this.stagedBelow + this.windowBlocks;
  }

  /** Whether something below the newest block has not arrived. */
  get hasGap(): boolean {
    return this.completeBelow < this.seenBlocks - 1;
  }

  /** Whether everything heard of has arrived. */
  get isWhole(): boolean {
    return this.completeBelow >= this.seenBlocks;
  }

  /** Notes that the sender has sent every block below a number. */
  noteSent(sentBlocks: number): void {
    if (sentBlocks > this.seenBlocks) this.seenBlocks = Math.min(sentBlocks, this.windowEnd);
  }

  /**
   * Takes note of fragments of one block.
   *
   * @param mask which fragments they are; only those that are new, and whose payload is to be kept, stay in it
   */
  accept(block: number, mask: FragmentMask, sealedBytes: number, kind: number): void {
    const slot = block % this.windowBlocks;
    const isOutside = block < this.completeBelow || block >= this.windowEnd;
    if (isOutside || (this.slots[slot] as number) > Slot.partial) {
      mask.low = mask.high = 0;
      return;
    }
    if (block >= this.seenBlocks) this.seenBlocks = block + 1;
    const isNew = this.slots[slot] === Slot.empty;
    if (isNew || this.sealedBytes[slot] !== sealedBytes || this.kinds[slot] !== kind) {
      this.begin(slot, sealedBytes, kind);
    }
    mask.low &= ~(this.haveLow[slot] as number);
    mask.high &= ~(this.haveHigh[slot] as number);
    this.haveLow[slot] = (this.haveLow[slot] as number) | mask.low;
    this.haveHigh[slot] = (this.haveHigh[slot] as number) | mask.high;
    const taken = bitCount(mask.low) + bitCount(mask.high);
    this.absent[slot] = (this.absent[slot] as number) - taken;
    if (taken > 0 && this.absent[slot] === 0) this.complete(block, slot);
  }

  /** The next block that can be staged: data in any order, manifest blocks in theirs. */
  takeWhole(): WholeBlock | undefined {
    return this.whole.shift();
  }

  markStaged(block: number): void {
    this.slots[block % this.windowBlocks] = Slot.staged;
    if (block === this.manifestInHand) this.manifestInHand = undefined;
    this.handOutManifest();
    while (
      this.stagedBelow < this.completeBelow &&
      this.slots[this.stagedBelow % this.windowBlocks] === Slot.staged
    ) {
      this.slots[this.stagedBelow % this.windowBlocks] = Slot.empty;
      this.stagedBelow++;
    }
  }

  /** A block did not open: all of it is missing again. */
  markCorrupt(block: number): void {
    this.slots[block % this.windowBlocks] = Slot.empty;
    this.completeBelow = Math.min(this.completeBelow, block);
    // Manifest blocks behind it get their turn when everything below them is complete again.
    this.waitingManifests = this.waitingManifests.filter((waiting) => waiting < block);
    if (block === this.manifestInHand) this.manifestInHand = undefined;
    this.handOutManifest();
  }

  /** Whether something of the blocks below this number has not arrived. */
  hasGapBelow(block: number): boolean {
    return this.completeBelow < Math.min(block, this.seenBlocks);
  }

  /** What is missing of the blocks heard of below a number, lowest first, as far as a STATUS can say it. */
  missingBelow(end: number): { runs: MissingRun[]; fragments: MissingFragments[] } {
    const runs: { firstBlock: number; blocks: number }[] = [];
    const fragments: MissingFragments[] = [];
    for (let block = this.completeBelow; block < Math.min(end, this.seenBlocks); block++) {
      const slot = block % this.windowBlocks;
      if (this.slots[slot] === Slot.empty) {
        const last = runs.at(-1);
        if (last !== undefined && last.firstBlock + last.blocks === block) last.blocks++;
        else if (runs.length === MISSING_RUNS) break;
        else runs.push({ firstBlock: block, blocks: 1 });
      } else if (this.slots[slot] === Slot.partial) {
        const maskLow = ~(this.haveLow[slot] as number);
        const maskHigh = ~(this.haveHigh[slot] as number) & ((1 << (BLOCK_FRAGMENTS - 32)) - 1);
        if (fragments.length === MISSING_FRAGMENTS) break;
        fragments.push({ block, maskLow, maskHigh });
      }
    }
    return { runs, fragments };
  }

  private begin(slot: number, sealedBytes: number, kind: number): void {
    this.slots[slot] = Slot.partial;
    this.haveLow[slot] = 0;
    this.haveHigh[slot] = 0;
    this.absent[slot] = fragmentCount(sealedBytes);
    this.sealedBytes[slot] = sealedBytes;
    this.kinds[slot] = kind;
  }

  private complete(block: number, slot: number): void {
    this.slots[slot] = Slot.complete;
    if (this.kinds[slot] === BlockKind.data) this.handOut(block, slot);
    while (this.completeBelow < this.seenBlocks) {
      const next = this.completeBelow % this.windowBlocks;
      if ((this.slots[next] as number) < Slot.complete) break;
      if (this.slots[next] === Slot.complete) this.waitingManifests.push(this.completeBelow);
      this.completeBelow++;
    }
    this.handOutManifest();
  }

  private handOutManifest(): void {
    if (this.manifestInHand !== undefined) return;
    this.manifestInHand = this.waitingManifests.shift();
    if (this.manifestInHand === undefined) return;
    this.handOut(this.manifestInHand, this.manifestInHand % this.windowBlocks);
  }

  private handOut(block: number, slot: number): void {
    this.slots[slot] = Slot.staging;
    const blockKind = this.kinds[slot] as BlockKindNumber;
    this.whole.push({ block, sealedBytes: this.sealedBytes[slot] as number, blockKind });
  }
}
