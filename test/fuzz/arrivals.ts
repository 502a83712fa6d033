import assert from "node:assert/strict";
import { DecodeError } from "../../src/base/bytes.ts";
import { Assembly, type WholeBlock } from "../../src/engine/receiver/assembly.ts";
import { setMask } from "../../src/engine/fragment-mask.ts";
import { BlockKind, fragmentCount } from "../../src/wire/datagram.ts";
import { BLOCK_FRAGMENTS, PARITY_FRAGMENTS } from "../../src/wire/limits.ts";

/** Fragments and parity as anybody may send them in a sender's name: four bytes of an input are one arrival. */

const WINDOW_BLOCKS = 8;
const STEP_BYTES = 4;

/** Lengths of sealed blocks: of one fragment, two, all, and in between. */
const LENGTHS = [1000, 1409, 40_000, 61_952] as const;

interface Arrival {
  readonly block: number;
  readonly first: number;
  readonly count: number;
  readonly sealedBytes: number;
  /** The last block that was whole does not open. */
  readonly isSpoiled: boolean;
}

function* arrivalsOf(input: Uint8Array): Generator<Arrival> {
  for (let at = 0; at + STEP_BYTES <= input.length; at += STEP_BYTES) {
    const [place, index, length, run] = input.subarray(at, at + STEP_BYTES) as unknown as number[];
    // A header that contradicts itself is refused before.
    const sealedBytes = LENGTHS[length! % LENGTHS.length] as number;
    const fragments = fragmentCount(sealedBytes);
    const isParity = index! % 2 === 1 && fragments > 1;
    const first = isParity ? BLOCK_FRAGMENTS + ((index! >> 1) % PARITY_FRAGMENTS) : (index! >> 1) % fragments;
    const count = isParity ? 1 : 1 + (run! % (fragments - first));
    yield { block: place! % WINDOW_BLOCKS, first, count, sealedBytes, isSpoiled: place! >= 240 };
  }
}

/** The blocks that are whole, in their order. */
export function wholeBlocks(input: Uint8Array): WholeBlock[] {
  if (input.length % STEP_BYTES !== 0) throw new DecodeError("an arrival that is not whole");
  const assembly = new Assembly(WINDOW_BLOCKS);
  const found: WholeBlock[] = [];
  for (const { block, first, count, sealedBytes, isSpoiled } of arrivalsOf(input)) {
    const last = found.at(-1);
    if (isSpoiled && last !== undefined) assembly.markCorrupt(last.block);
    const mask = { low: 0, high: 0 };
    setMask(mask, first, count);
    assembly.accept(block, mask, sealedBytes, BlockKind.data);
    for (const { from, to } of assembly.moves)
      assert.ok(from < BLOCK_FRAGMENTS && to < fragmentCount(sealedBytes));
    for (let whole = assembly.takeWhole(); whole !== undefined; whole = assembly.takeWhole())
      found.push(whole);
  }
  return found;
}

interface Begun {
  sealedBytes: number;
  isWhole: boolean;
  readonly fragments: Set<number>;
  readonly parity: Set<number>;
}

/** The same by sets, without places. */
export function checkWholeBlocks(found: readonly WholeBlock[], input: Uint8Array): void {
  const begun = new Map<number, Begun>();
  const expected: { block: number; missing: number[] }[] = [];
  for (const { block, first, count, sealedBytes, isSpoiled } of arrivalsOf(input)) {
    const spoiled = expected.at(-1);
    if (isSpoiled && spoiled !== undefined) begun.delete(spoiled.block);
    let known = begun.get(block);
    if (known?.isWhole === true) continue;
    if (known !== undefined && known.sealedBytes !== sealedBytes) {
      if (first >= BLOCK_FRAGMENTS) continue;
      known = undefined;
    }
    known ??= { sealedBytes, isWhole: false, fragments: new Set(), parity: new Set() };
    begun.set(block, known);
    for (let index = first; index < first + count; index++)
      (index < BLOCK_FRAGMENTS ? known.fragments : known.parity).add(index);
    const all = Array.from({ length: fragmentCount(sealedBytes) }, (_, index) => index);
    if (known.fragments.size + known.parity.size < all.length) continue;
    known.isWhole = true;
    const { fragments } = known;
    expected.push({ block, missing: all.filter((index) => !fragments.has(index)) });
  }
  const places = found.map(({ block, restoration }) => {
    const parity = restoration?.parity ?? [];
    assert.equal(new Set(parity.map(({ index }) => index)).size, parity.length);
    return { block, missing: parity.map(({ place }) => place).sort((a, b) => a - b) };
  });
  assert.deepEqual(places, expected);
}
