/** Where the parity fragments lie that have arrived of blocks that are not whole. */
import { bitCount, lowestBit } from "../../base/bitmap.ts";
import type { KeptParity } from "../../wire/datagram.ts";
import { BLOCK_FRAGMENTS, PARITY_FRAGMENTS } from "../../wire/limits.ts";
import { type FragmentMask, lowBits } from "../fragment-mask.ts";

/** The bits of the upper half of a mask that stand for fragments 32 to 43; the others stand for parity fragments. */
export const UPPER_FRAGMENTS = lowBits(BLOCK_FRAGMENTS - 32);

/** A parity fragment that has to make room for a fragment. */
export interface ParityMove {
  readonly from: number;
  readonly to: number;
}

/** A row of the window: the fragments and parity fragments that have arrived of its block. */
interface Arrived {
  readonly row: number;
  readonly fragments: number;
  /** Parity fragments have the upper bits of the upper half. */
  readonly have: FragmentMask;
}

/**
 * Where parity fragments lie (PROTOCOL.md 5.3). Each lies in the place of a fragment that is missing, so a block never needs
 * more memory than its own. It moves to another such place when the fragment itself arrives, and is dropped when nothing is
 * missing any more.
 */
export class ParityPlaces {
  /** For each row of the window: the places of fragments that parity fragments have. */
  private readonly takenLow: Int32Array;
  private readonly takenHigh: Int32Array;
  /** For each row of the window and each parity fragment: its place. */
  private readonly places: Uint8Array;
  /** The moves that come before the last fragments that were accepted; to be carried out in their order. */
  readonly moves: ParityMove[] = [];

  constructor(windowBlocks: number) {
    this.takenLow = new Int32Array(windowBlocks);
    this.takenHigh = new Int32Array(windowBlocks);
    this.places = new Uint8Array(windowBlocks * PARITY_FRAGMENTS);
  }

  /** The next fragments are taken note of. */
  forgetMoves(): void {
    if (this.moves.length > 0) this.moves.length = 0;
  }

  /** A block begins: nothing of it has arrived. */
  begin(row: number): void {
    this.takenLow[row] = 0;
    this.takenHigh[row] = 0;
  }

  /** Leaves out of a mask of missing fragments those in whose places parity lies: it does instead of them. */
  leaveOut(row: number, missing: FragmentMask): void {
    missing.low &= ~(this.takenLow[row] as number);
    missing.high &= ~(this.takenHigh[row] as number);
  }

  /** Where a parity fragment lies. */
  placeOf(row: number, parity: number): number {
    return this.places[row * PARITY_FRAGMENTS + parity - BLOCK_FRAGMENTS] as number;
  }

  /** All parity fragments of a block, with their places. */
  kept(row: number, haveHigh: number): KeptParity[] {
    const kept: KeptParity[] = [];
    for (let rest = haveHigh & ~UPPER_FRAGMENTS; rest !== 0; rest &= rest - 1) {
      const index = 32 + lowestBit(rest);
      kept.push({ place: this.placeOf(row, index), index });
    }
    return kept;
  }

  /**
   * Fragments and parity fragments arrive that are new: makes room for the former, and finds places for the latter.
   *
   * @param mask parity that nothing is missing for leaves it
   * @returns the kept parity fragments that are dropped, as bits of the upper half
   */
  arrive({ row, fragments, have }: Arrived, mask: FragmentMask): number {
    const free = {
      low: lowBits(fragments) & ~(have.low | mask.low),
      high: lowBits(fragments - 32) & ~(have.high | mask.high),
    };
    this.leaveOut(row, free);
    let dropped = 0;
    for (let rest = have.high & ~UPPER_FRAGMENTS; rest !== 0; rest &= rest - 1) {
      const bit = rest & -rest;
      const from = this.placeOf(row, 32 + lowestBit(bit));
      if (((from < 32 ? mask.low : mask.high & UPPER_FRAGMENTS) & (1 << (from & 31))) === 0) continue;
      this.giveBack(row, from);
      const to = this.take(row, 32 + lowestBit(bit), free);
      if (to === undefined) dropped |= bit;
      else this.moves.push({ from, to });
    }
    for (let rest = mask.high & ~UPPER_FRAGMENTS; rest !== 0; rest &= rest - 1) {
      if (this.take(row, 32 + lowestBit(rest), free) === undefined) mask.high &= ~(rest & -rest);
    }
    return dropped;
  }

  /** Gives a parity fragment the lowest free place; undefined if there is none. */
  private take(row: number, parity: number, free: FragmentMask): number | undefined {
    if ((free.low | free.high) === 0) return undefined;
    const place = free.low !== 0 ? lowestBit(free.low) : 32 + lowestBit(free.high);
    const bit = 1 << (place & 31);
    if (place < 32) {
      free.low &= ~bit;
      this.takenLow[row] = (this.takenLow[row] as number) | bit;
    } else {
      free.high &= ~bit;
      this.takenHigh[row] = (this.takenHigh[row] as number) | bit;
    }
    this.places[row * PARITY_FRAGMENTS + parity - BLOCK_FRAGMENTS] = place;
    return place;
  }

  private giveBack(row: number, place: number): void {
    const bit = 1 << (place & 31);
    if (place < 32) this.takenLow[row] = (this.takenLow[row] as number) & ~bit;
    else this.takenHigh[row] = (this.takenHigh[row] as number) & ~bit;
  }
}

/** How many parity fragments are among those of an upper half. */
export function parityCount(high: number): number {
  return bitCount(high & ~UPPER_FRAGMENTS);
}
