/** Makes the parity fragments of a block, and restores a block with them (PROTOCOL.md 2.1). */
import { fragmentCount, FRAGMENT_PAYLOAD_BYTES, type KeptParity } from "../wire/datagram.ts";
import { BLOCK_FRAGMENTS, PARITY_FRAGMENTS } from "../wire/limits.ts";
import { inverse, quotient } from "./galois-field.ts";
import { type ParityKernel, parityKernel, STEP_BYTES } from "./parity-kernel.ts";

/*
 * Parity is over the sealed bytes: no key is needed to make or use it, and the seal of the block covers what comes out.
 * All of this runs only where something got lost. `SPEED=1 node --test test/net/parity.test.ts` measures it.
 */

/** Where the fragments of a sealed block lie in memory. */
export interface BlockPlace {
  readonly bytes: Uint8Array;
  /** Where the first fragment begins. */
  readonly start: number;
  /** From the beginning of one fragment to that of the next. */
  readonly stride: number;
  /** The length of each fragment but the last. */
  readonly fullBytes: number;
  readonly sealedBytes: number;
}

/** The factor of a fragment in a parity fragment. In the first parity fragment it is 1: that one is the sum of all. */
export function factorOf(parityIndex: number, fragment: number): number {
  return quotient(BLOCK_FRAGMENTS ^ fragment, parityIndex ^ fragment);
}

/**
 * Makes parity fragments.
 *
 * @param indexes theirs, from BLOCK_FRAGMENTS on
 * @param put is given each of them; its memory is used again afterwards
 */
export function makeParity(
  block: BlockPlace,
  indexes: readonly number[],
  put: (parity: Uint8Array, index: number) => void,
  workspace = usualWorkspace(),
): void {
  for (const row of indexes.keys()) workspace.sum(row).fill(0);
  workspace.addFragments(block, NONE, indexes);
  for (const [row, index] of indexes.entries()) put(workspace.sum(row).subarray(0, block.fullBytes), index);
}

/** Puts the missing fragments of a block into their places, where the parity fragments lie. */
export function restoreBlock(
  block: BlockPlace,
  parity: readonly KeptParity[],
  workspace = usualWorkspace(),
): void {
  const { bytes, start, stride, fullBytes } = block;
  const placeAt = (place: number) =>
    bytes.subarray(start + place * stride, start + place * stride + fullBytes);
  // Each parity fragment without the fragments that are there is a sum of the missing ones, with factors.
  for (const [row, { place }] of parity.entries()) workspace.sum(row).set(placeAt(place));
  const missing = new Set(parity.map(({ place }) => place));
  const indexes = parity.map(({ index }) => index);
  workspace.addFragments(block, missing, indexes);
  const factors = inverse(
    parity.map(({ index }) => Uint8Array.from(parity, ({ place }) => factorOf(index, place))),
  );
  for (const [row, { place }] of parity.entries())
    placeAt(place).set(workspace.solution(factors[row] as Uint8Array).subarray(0, fullBytes));
}

const NONE: ReadonlySet<number> = new Set();

/** In the workspace, the fragments and sums lie this far from each other. It is a multiple of STEP_BYTES. */
const STRIDE = FRAGMENT_PAYLOAD_BYTES;

/** Memory in which parity is computed: a fragment, sums for all parity fragments, and one solution. */
export class ParityWorkspace {
  private readonly kernel: ParityKernel;
  private readonly fragmentStart: number;
  private readonly sumsStart: number;

  constructor(newKernel: (freeBytes: number) => ParityKernel = parityKernel) {
    this.kernel = newKernel((2 + PARITY_FRAGMENTS) * STRIDE);
    this.fragmentStart = this.kernel.freeStart;
    this.sumsStart = this.fragmentStart + 2 * STRIDE;
  }

  /** The sum for a parity fragment, by its place among those that are made or used at a time. */
  sum(row: number): Uint8Array {
    const start = this.sumsStart + row * STRIDE;
    return this.kernel.bytes.subarray(start, start + STRIDE);
  }

  /**
   * Adds the fragments that are there to the sums of these parity fragments.
   *
   * @param missing the fragments that are not there
   */
  addFragments(block: BlockPlace, missing: ReadonlySet<number>, indexes: readonly number[]): void {
    const { bytes, start, stride, fullBytes, sealedBytes } = block;
    const { kernel, fragmentStart, sumsStart } = this;
    const fragment = kernel.bytes.subarray(fragmentStart, fragmentStart + STRIDE);
    // Bytes after the full length are never looked at.
    const end = fragmentStart + Math.ceil(fullBytes / STEP_BYTES) * STEP_BYTES;
    for (let number = 0; number < fragmentCount(sealedBytes, fullBytes); number++) {
      if (missing.has(number)) continue;
      const from = start + number * stride;
      const length = Math.min(fullBytes, sealedBytes - number * fullBytes);
      fragment.set(bytes.subarray(from, from + length));
      // The last fragment counts as if zeros followed it.
      fragment.fill(0, length, fullBytes);
      for (let row = 0; row < indexes.length; row++)
        kernel.add(sumsStart + row * STRIDE, fragmentStart, end, factorOf(indexes[row] as number, number));
    }
  }

  /** The sums, each with its factor, together. */
  solution(factors: Uint8Array): Uint8Array {
    const { kernel, fragmentStart, sumsStart } = this;
    const start = fragmentStart + STRIDE;
    const solution = kernel.bytes.subarray(start, start + STRIDE).fill(0);
    for (let row = 0; row < factors.length; row++) {
      const sum = sumsStart + row * STRIDE;
      kernel.add(start, sum, sum + STRIDE, factors[row] as number);
    }
    return solution;
  }
}

let made: ParityWorkspace | undefined;

/** Only those need it who lose something. */
function usualWorkspace(): ParityWorkspace {
  made ??= new ParityWorkspace();
  return made;
}
