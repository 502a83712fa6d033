/** Makes the parity fragments of a block, and mends a block with them (PROTOCOL.md 2.1). */
import { fragmentCount, FRAGMENT_PAYLOAD_BYTES, type KeptParity } from "../wire/datagram.ts";
import { BLOCK_FRAGMENTS, PARITY_FRAGMENTS } from "../wire/limits.ts";
import { inverse, product, quotient } from "./galois-field.ts";

/*
 * Parity is over the sealed bytes: whoever makes or uses it needs no key, and the seal of the block covers what comes out.
 * All of this runs only where something got lost. Measured on one core with blocks of 44 fragments: test/net/parity.test.ts
 * has the program.
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

/** So many parity fragments are computed in one pass: their four products of a byte lie in one word of 32 bits. */
const GROUP = 4;

/** The factor of a fragment in a parity fragment. In the first parity fragment it is 1: that one is the sum of all. */
export function factorOf(parityIndex: number, fragment: number): number {
  return quotient(BLOCK_FRAGMENTS ^ fragment, parityIndex ^ fragment);
}

/**
 * Makes parity fragments.
 *
 * @param indexes theirs, from BLOCK_FRAGMENTS on, in ascending order
 * @param put is given each of them; its memory is used again afterwards
 */
export function makeParity(
  block: BlockPlace,
  indexes: readonly number[],
  put: (parity: Uint8Array, index: number) => void,
): void {
  const { fullBytes } = block;
  const parity = workspace().parity.subarray(0, fullBytes);
  if (indexes.length === 1 && indexes[0] === BLOCK_FRAGMENTS) {
    parity.fill(0);
    addAll(block, parity, NONE);
    put(parity, BLOCK_FRAGMENTS);
    return;
  }
  let group: number | undefined;
  for (const index of indexes) {
    const row = index - BLOCK_FRAGMENTS;
    if (group !== Math.floor(row / GROUP)) {
      group = Math.floor(row / GROUP);
      addGroup(block, group, NONE);
    }
    parity.fill(0);
    takeLane(row % GROUP, parity);
    put(parity, index);
  }
}

/** Puts the missing fragments of a block into their places, where the parity fragments lie. */
export function mendBlock(block: BlockPlace, parity: readonly KeptParity[]): void {
  const { bytes, start, stride, fullBytes } = block;
  const missing = new Set(parity.map(({ place }) => place));
  const placeAt = (place: number) => bytes.subarray(start + place * stride, start + place * stride + fullBytes);
  const [first] = parity;
  if (parity.length === 1 && first?.index === BLOCK_FRAGMENTS) {
    addAll(block, placeAt(first.place), missing);
    return;
  }
  // What is left of each parity fragment without the fragments that are there: the sum of the missing ones, with factors.
  const sums: Uint8Array[] = [];
  for (let group = 0; group * GROUP < PARITY_FRAGMENTS; group++) {
    const ofGroup = parity.filter(({ index }) => Math.floor((index - BLOCK_FRAGMENTS) / GROUP) === group);
    if (ofGroup.length > 0) addGroup(block, group, missing);
    for (const { place, index } of ofGroup) {
      // Not slice(): that of a Buffer copies nothing.
      const sum = new Uint8Array(placeAt(place));
      takeLane((index - BLOCK_FRAGMENTS) % GROUP, sum);
      sums[parity.findIndex((one) => one.index === index)] = sum;
    }
  }
  const factors = inverse(
    parity.map(({ index }) => Uint8Array.from(parity, ({ place }) => factorOf(index, place))),
  );
  for (const [row, { place }] of parity.entries()) {
    const target = placeAt(place).fill(0);
    for (const [column, sum] of sums.entries()) addProduct(target, sum, factors[row]?.[column] as number);
  }
}

const NONE: ReadonlySet<number> = new Set();

interface Workspace {
  /** Four sums at a time, a byte of each in every word. */
  readonly words: Uint32Array;
  readonly parity: Uint8Array;
  /** For each group: the products of each fragment's bytes with its four factors. */
  readonly tables: Uint32Array[][];
  /** The products of each element with all others. */
  readonly products: Uint8Array[];
}

let made: Workspace | undefined;

/** Memory that only those need who lose something. */
function workspace(): Workspace {
  made ??= {
    words: new Uint32Array(FRAGMENT_PAYLOAD_BYTES),
    parity: new Uint8Array(FRAGMENT_PAYLOAD_BYTES),
    tables: [],
    products: [],
  };
  return made;
}

/** For each fragment, a table of 256 words. */
function tablesOf(group: number): readonly Uint32Array[] {
  const { tables } = workspace();
  return (tables[group] ??= Array.from({ length: BLOCK_FRAGMENTS }, (_, fragment) =>
    Uint32Array.from({ length: 256 }, (_unused, byte) => {
      let word = 0;
      for (let lane = 0; lane < GROUP; lane++) {
        const factor = factorOf(BLOCK_FRAGMENTS + group * GROUP + lane, fragment);
        word |= product(factor, byte) << (8 * lane);
      }
      return word;
    }),
  ));
}

/** Adds up the fragments that are there, with the four factors of a group, in the words of the workspace. */
function addGroup(
  { bytes, start, stride, fullBytes, sealedBytes }: BlockPlace,
  group: number,
  missing: ReadonlySet<number>,
): void {
  const { words } = workspace();
  const tables = tablesOf(group);
  words.fill(0);
  const last = fragmentCount(sealedBytes, fullBytes) - 1;
  // Two at a time: what takes longest is to read and write the sums.
  let waiting = -1;
  for (let index = 0; index < last; index++) {
    if (missing.has(index)) continue;
    if (waiting < 0) waiting = index;
    else {
      const from = start + waiting * stride;
      const table = tables[waiting] as Uint32Array;
      addPair(words, bytes, from, start + index * stride, fullBytes, table, tables[index] as Uint32Array);
      waiting = -1;
    }
  }
  if (waiting >= 0)
    addProducts(words, bytes, start + waiting * stride, fullBytes, tables[waiting] as Uint32Array);
  // The last fragment counts as if zeros followed it.
  const lastBytes = sealedBytes - last * fullBytes;
  if (!missing.has(last)) addProducts(words, bytes, start + last * stride, lastBytes, tables[last] as Uint32Array);
}

function addPair(
  words: Uint32Array,
  bytes: Uint8Array,
  from: number,
  otherFrom: number,
  length: number,
  table: Uint32Array,
  otherTable: Uint32Array,
): void {
  for (let at = 0; at < length; at++)
    words[at] =
      (words[at] as number) ^
      (table[bytes[from + at] as number] as number) ^
      (otherTable[bytes[otherFrom + at] as number] as number);
}

function addProducts(
  words: Uint32Array,
  bytes: Uint8Array,
  from: number,
  length: number,
  table: Uint32Array,
): void {
  for (let at = 0; at < length; at++)
    words[at] = (words[at] as number) ^ (table[bytes[from + at] as number] as number);
}

/** Adds one of the four sums to bytes. */
function takeLane(lane: number, bytes: Uint8Array): void {
  const { words } = workspace();
  for (let at = 0; at < bytes.length; at++)
    bytes[at] = (bytes[at] as number) ^ (((words[at] as number) >>> (8 * lane)) & 0xff);
}

/** Adds the fragments that are there to bytes, without factors: a word at a time where they lie so. */
function addAll(
  { bytes, start, stride, fullBytes, sealedBytes }: BlockPlace,
  target: Uint8Array,
  missing: ReadonlySet<number>,
): void {
  for (let index = 0; index < fragmentCount(sealedBytes, fullBytes); index++) {
    if (missing.has(index)) continue;
    const length = Math.min(fullBytes, sealedBytes - index * fullBytes);
    const from = start + index * stride;
    const isAligned = ((bytes.byteOffset + from) | target.byteOffset) % 4 === 0;
    const whole = isAligned ? length >>> 2 : 0;
    if (whole > 0) {
      const sums = new Uint32Array(target.buffer, target.byteOffset, whole);
      const added = new Uint32Array(bytes.buffer, bytes.byteOffset + from, whole);
      for (let at = 0; at < whole; at++) sums[at] = (sums[at] as number) ^ (added[at] as number);
    }
    for (let at = 4 * whole; at < length; at++)
      target[at] = (target[at] as number) ^ (bytes[from + at] as number);
  }
}

function addProduct(target: Uint8Array, bytes: Uint8Array, factor: number): void {
  const { products } = workspace();
  const table = (products[factor] ??= Uint8Array.from({ length: 256 }, (_, byte) => product(factor, byte)));
  for (let at = 0; at < target.length; at++)
    target[at] = (target[at] as number) ^ (table[bytes[at] as number] as number);
}
