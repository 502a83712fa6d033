/** Puts fragments together to blocks; knows which blocks can be staged, and which fragments are missing. */
import { bitCount } from "../../base/bitmap.ts";
import { BlockKind, FRAGMENT_PAYLOAD_BYTES, fragmentCount, isParity } from "../../wire/datagram.ts";
import { MISSING_FRAGMENTS, MISSING_RUNS } from "../../wire/limits.ts";
import type { MissingFragments, MissingRun } from "../../wire/status-message.ts";
import type { FragmentMask } from "../fragment-mask.ts";
import type { BlockKindNumber, Restoration } from "../types.ts";
import { Window } from "../window.ts";
import { parityCount, type ParityMove, ParityPlaces, UPPER_FRAGMENTS } from "./parity-places.ts";

/** How far a block of the window is. */
const BlockState = { absent: 0, partial: 1, whole: 2, staging: 3, staged: 4 } as const;

/** A whole block that can be staged now. */
export interface WholeBlock {
  readonly block: number;
  readonly sealedBytes: number;
  readonly blockKind: BlockKindNumber;
  /** Left out if all of its fragments have arrived. */
  readonly restoration?: Restoration;
}

/**
 * Puts fragments together to blocks, within the window (PROTOCOL.md 5.3). It knows of each block in the window which
 * fragments have arrived. The payloads are not its concern: they
 * lie in pages (src/daemon/pump/inbound-pages.ts).
 */
export class Assembly {
  private readonly window: Window;
  /** Tables with a row for each block of the window. */
  private readonly states: Uint8Array;
  private readonly haveLow: Int32Array;
  private readonly haveHigh: Int32Array;
  /** How many fragments of a partial block are missing, and are not made up for by parity. */
  private readonly missingCounts: Uint8Array;
  private readonly sealedBytes: Uint16Array;
  private readonly kinds: Uint8Array;
  /** What each fragment of the block but the last carries. */
  private readonly fullBytes: Uint16Array;
  private readonly parity: ParityPlaces;
  private readonly whole: WholeBlock[] = [];
  /** Manifest blocks whose turn has not come: one is staged after the other, since a block may prove corrupt. */
  private waitingManifests: number[] = [];
  private manifestInHand: number | undefined;
  /** Every block below is whole. */
  private wholeBelow = 0;
  /** The highest block heard of, plus one. */
  seenBlocks = 0;
  /** Whether the last call of accept() was about parity that does not belong to the block that has begun to arrive. */
  hasContradicted = false;

  constructor(windowBlocks: number) {
    this.window = new Window(windowBlocks);
    this.parity = new ParityPlaces(windowBlocks);
    this.states = new Uint8Array(windowBlocks);
    this.haveLow = new Int32Array(windowBlocks);
    this.haveHigh = new Int32Array(windowBlocks);
    this.missingCounts = new Uint8Array(windowBlocks);
    this.sealedBytes = new Uint16Array(windowBlocks);
    this.kinds = new Uint8Array(windowBlocks);
    this.fullBytes = new Uint16Array(windowBlocks);
  }

  /** Every block below this number is staged. */
  get stagedBelow(): number {
    return this.window.start;
  }

  /** The first block that has no place yet. */
  get windowEnd(): number {
    return this.window.end;
  }

  /** Whether something below the newest block has not arrived. */
  get hasGap(): boolean {
    return this.wholeBelow < this.seenBlocks - 1;
  }

  /** Whether everything heard of has arrived. */
  get isWhole(): boolean {
    return this.wholeBelow >= this.seenBlocks;
  }

  /** Parity that has to be moved before the payloads of the last call of accept() are put into their places. */
  get moves(): readonly ParityMove[] {
    return this.parity.moves;
  }

  /** The place of a fragment in its block; for parity that of a missing fragment. */
  placeOf(block: number, index: number): number {
    return isParity(index) ? this.parity.placeOf(this.window.rowOf(block), index) : index;
  }

  /** Notes that the sender has sent every block below a number. */
  noteSent(sentBlocks: number): void {
    if (sentBlocks > this.seenBlocks) this.seenBlocks = Math.min(sentBlocks, this.windowEnd);
  }

  /**
   * Takes note of fragments of one block.
   *
   * @param mask which fragments they are; only those that are new, and whose payload is to be kept, stay in it
   * @param fullBytes what each fragment of the block but the last carries
   */
  accept(
    block: number,
    mask: FragmentMask,
    sealedBytes: number,
    kind: number,
    fullBytes = FRAGMENT_PAYLOAD_BYTES,
  ): void {
    const row = this.window.rowOf(block);
    this.hasContradicted = false;
    this.parity.forgetMoves();
    const isOutside = block < this.wholeBelow || block >= this.windowEnd;
    if (isOutside || (this.states[row] as number) > BlockState.partial) {
      mask.low = mask.high = 0;
      return;
    }
    if (block >= this.seenBlocks) this.seenBlocks = block + 1;
    const isNew = this.states[row] === BlockState.absent;
    const isSame =
      this.sealedBytes[row] === sealedBytes && this.kinds[row] === kind && this.fullBytes[row] === fullBytes;
    if (!isNew && !isSame && parityCount(mask.high) > 0) {
      // A fragment that was forged may be the wrong one of the two: the fragments of the block will tell.
      this.hasContradicted = true;
      mask.low = mask.high = 0;
      return;
    }
    if (isNew || !isSame) this.begin(row, sealedBytes, kind, fullBytes);
    mask.low &= ~(this.haveLow[row] as number);
    mask.high &= ~(this.haveHigh[row] as number);
    const withParity = ((mask.high | (this.haveHigh[row] as number)) & ~UPPER_FRAGMENTS) !== 0;
    if (withParity) this.arrange(row, mask);
    this.haveLow[row] = (this.haveLow[row] as number) | mask.low;
    this.haveHigh[row] = (this.haveHigh[row] as number) | mask.high;
    const taken = bitCount(mask.low) + bitCount(mask.high);
    this.missingCounts[row] = (this.missingCounts[row] as number) - taken;
    if (taken > 0 && this.missingCounts[row] === 0) this.noteWhole(block, row);
  }

  /** The next block that can be staged: data in any order, manifest blocks in theirs. */
  takeWhole(): WholeBlock | undefined {
    return this.whole.shift();
  }

  markStaged(block: number): void {
    this.states[this.window.rowOf(block)] = BlockState.staged;
    if (block === this.manifestInHand) this.manifestInHand = undefined;
    this.handOutManifest();
    let { start } = this.window;
    for (; start < this.wholeBelow; start++) {
      const row = this.window.rowOf(start);
      if (this.states[row] !== BlockState.staged) break;
      this.states[row] = BlockState.absent;
    }
    this.window.moveTo(start);
  }

  /** A block did not open: all of it is missing again. */
  markCorrupt(block: number): void {
    this.states[this.window.rowOf(block)] = BlockState.absent;
    this.wholeBelow = Math.min(this.wholeBelow, block);
    // Manifest blocks after it get their turn when everything below them is whole again.
    this.waitingManifests = this.waitingManifests.filter((waiting) => waiting < block);
    if (block === this.manifestInHand) this.manifestInHand = undefined;
  }

  /** Whether something of the blocks below this number has not arrived. */
  hasGapBelow(block: number): boolean {
    return this.wholeBelow < Math.min(block, this.seenBlocks);
  }

  /** The missing fragments of the blocks heard of below a number, lowest first, as many as a STATUS can name. */
  missingBelow(end: number): { runs: MissingRun[]; fragments: MissingFragments[] } {
    const runs: { firstBlock: number; blocks: number }[] = [];
    const fragments: MissingFragments[] = [];
    for (let block = this.wholeBelow; block < Math.min(end, this.seenBlocks); block++) {
      const row = this.window.rowOf(block);
      if (this.states[row] === BlockState.absent) {
        const last = runs.at(-1);
        if (last !== undefined && last.firstBlock + last.blocks === block) last.blocks++;
        else if (runs.length === MISSING_RUNS) break;
        else runs.push({ firstBlock: block, blocks: 1 });
      } else if (this.states[row] === BlockState.partial) {
        const missing = { low: ~(this.haveLow[row] as number), high: ~(this.haveHigh[row] as number) };
        this.parity.leaveOut(row, missing);
        if (fragments.length === MISSING_FRAGMENTS) break;
        fragments.push({ block, maskLow: missing.low, maskHigh: missing.high & UPPER_FRAGMENTS });
      }
    }
    return { runs, fragments };
  }

  /** Fragments of a block arrive that has parity, or parity does. */
  private arrange(row: number, mask: FragmentMask): void {
    const have = { low: this.haveLow[row] as number, high: this.haveHigh[row] as number };
    const fragments = fragmentCount(this.sealedBytes[row] as number, this.fullBytes[row]);
    const dropped = this.parity.arrive({ row, fragments, have }, mask);
    this.haveHigh[row] = have.high & ~dropped;
    this.missingCounts[row] = (this.missingCounts[row] as number) + bitCount(dropped);
  }

  private begin(row: number, sealedBytes: number, kind: number, fullBytes: number): void {
    this.states[row] = BlockState.partial;
    this.haveLow[row] = 0;
    this.haveHigh[row] = 0;
    this.missingCounts[row] = fragmentCount(sealedBytes, fullBytes);
    this.fullBytes[row] = fullBytes;
    this.sealedBytes[row] = sealedBytes;
    this.kinds[row] = kind;
    this.parity.begin(row);
  }

  private noteWhole(block: number, row: number): void {
    this.states[row] = BlockState.whole;
    if (this.kinds[row] === BlockKind.data) this.handOut(block, row);
    while (this.wholeBelow < this.seenBlocks) {
      const next = this.window.rowOf(this.wholeBelow);
      if ((this.states[next] as number) < BlockState.whole) break;
      if (this.states[next] === BlockState.whole) this.waitingManifests.push(this.wholeBelow);
      this.wholeBelow++;
    }
    this.handOutManifest();
  }

  private handOutManifest(): void {
    if (this.manifestInHand !== undefined) return;
    this.manifestInHand = this.waitingManifests.shift();
    if (this.manifestInHand === undefined) return;
    this.handOut(this.manifestInHand, this.window.rowOf(this.manifestInHand));
  }

  private handOut(block: number, row: number): void {
    this.states[row] = BlockState.staging;
    const blockKind = this.kinds[row] as BlockKindNumber;
    const whole = { block, sealedBytes: this.sealedBytes[row] as number, blockKind };
    const haveHigh = this.haveHigh[row] as number;
    if (parityCount(haveHigh) === 0) {
      this.whole.push(whole);
      return;
    }
    const fullBytes = this.fullBytes[row] as number;
    this.whole.push({ ...whole, restoration: { fullBytes, parity: this.parity.kept(row, haveHigh) } });
  }
}
