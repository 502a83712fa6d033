import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../src/base/random.ts";
import { Assembly } from "../../src/engine/receiver/assembly.ts";
import { Gaps } from "../../src/engine/receiver/gaps.ts";
import { Pace } from "../../src/engine/receiver/pace.ts";
import { hasFragment, lowBits, setMask } from "../../src/engine/fragment-mask.ts";
import { sameAddress } from "../../src/engine/types.ts";
import { BlockKind } from "../../src/wire/datagram.ts";

/** Fragments of blocks in the window, what is missing of them, and for how long. */

/** Two fragments make a block. */
const SEALED_BYTES = 2000;

/** The first fragment of a block arrives, or both do. */
function arrive(assembly: Assembly, block: number, count = 2): number {
  const mask = { low: lowBits(count), high: 0 };
  assembly.accept(block, mask, SEALED_BYTES, BlockKind.data);
  return mask.low;
}

const blocks = (count: number) => Array.from({ length: count }, (_, block) => block);

test("no more missing fragments and blocks are named than a STATUS holds", () => {
  const partial = new Assembly(100);
  for (const block of blocks(60)) arrive(partial, block, 1);
  assert.deepEqual(
    partial.missingBelow(Infinity).fragments.map(({ block }) => block),
    blocks(40),
  );
  const absent = new Assembly(100);
  for (const block of blocks(60)) if (block % 2 === 1) arrive(absent, block);
  arrive(absent, 70, 1);
  const { runs, fragments } = absent.missingBelow(Infinity);
  assert.deepEqual(fragments, [], "what lies behind the last one that is named comes another time");
  assert.deepEqual(
    runs,
    blocks(16).map((index) => ({ firstBlock: 2 * index, blocks: 1 })),
  );
});

test("a full window is no reason to take its first block for its next one", () => {
  const assembly = new Assembly(4);
  for (const block of blocks(4)) arrive(assembly, block);
  assert.ok(assembly.isWhole);
  assert.equal(arrive(assembly, 4), 0, "it has no place yet");
  assert.deepEqual([assembly.isWhole, assembly.seenBlocks], [true, 4]);
  assembly.markStaged(0);
  assert.deepEqual([assembly.stagedBelow, assembly.windowEnd], [1, 5]);
  assert.equal(arrive(assembly, 4, 1), 1);
  assert.deepEqual([assembly.hasGap, assembly.isWhole, assembly.hasGapBelow(5)], [false, false, true]);
});

test("what the sender has sent is known, as far as the window reaches", () => {
  const assembly = new Assembly(4);
  assembly.noteSent(3);
  assert.deepEqual([assembly.seenBlocks, assembly.isWhole, assembly.hasGap], [3, false, true]);
  assembly.noteSent(2);
  assert.equal(assembly.seenBlocks, 3);
  assembly.noteSent(9);
  assert.equal(assembly.seenBlocks, 4);
  assert.deepEqual(assembly.missingBelow(2).runs, [{ firstBlock: 0, blocks: 2 }]);
});

test("fragments that are there already are not taken twice, in either half", () => {
  const assembly = new Assembly(4);
  const mask = { low: 0b11, high: 0b1 };
  assembly.accept(0, mask, 60_000, BlockKind.data);
  assert.deepEqual(mask, { low: 0b11, high: 0b1 });
  const again = { low: 0b110, high: 0b11 };
  assembly.accept(0, again, 60_000, BlockKind.data);
  assert.deepEqual(again, { low: 0b100, high: 0b10 });
});

test("shorter fragments need more of them, and those of another length begin their block anew", () => {
  const assembly = new Assembly(4);
  const take = (low: number, fullBytes: number) => {
    const mask = { low, high: 0 };
    assembly.accept(0, mask, 2_600, BlockKind.data, fullBytes);
    return mask.low;
  };
  assert.equal(take(0b1, 1408), 0b1);
  // With 1,220 bytes each there are three; the one that was there lies elsewhere.
  assert.equal(take(0b11, 1220), 0b11);
  assert.equal(assembly.takeWhole(), undefined);
  assert.equal(take(0b100, 1220), 0b100);
  assert.equal(assembly.takeWhole()?.sealedBytes, 2_600);
});

/** A block of five fragments. */
const FIVE = 5 * 1408 - 100;

/** Fragments of block 0, by masks of 64 bits; what is taken of them. */
function give(assembly: Assembly, low: number, parity = 0, sealedBytes = FIVE): number[] {
  const mask = { low, high: parity << 12 };
  assembly.accept(0, mask, sealedBytes, BlockKind.data);
  return [mask.low, mask.high >>> 12];
}

test("parity lies in the place of a missing fragment, and is not asked for any more", () => {
  const assembly = new Assembly(4);
  assert.deepEqual(give(assembly, 0b10001), [0b10001, 0]);
  assert.deepEqual(give(assembly, 0, 0b100), [0, 0b100]);
  assert.equal(assembly.placeOf(0, 46), 1);
  assert.equal(assembly.placeOf(0, 3), 3);
  assert.deepEqual(assembly.moves, []);
  assert.deepEqual(give(assembly, 0, 0b100), [0, 0], "twice the same");
  const [missing] = assembly.missingBelow(1).fragments;
  assert.equal(missing!.maskLow & 0b11111, 0b01100);
  assert.equal(missing!.maskHigh, 0xfff);
  assert.equal(assembly.takeWhole(), undefined);
  assert.deepEqual(give(assembly, 0b01000, 0b1), [0b01000, 0b1]);
  const parity = [
    { place: 2, index: 44 },
    { place: 1, index: 46 },
  ];
  const restoration = { fullBytes: 1408, parity };
  assert.deepEqual(assembly.takeWhole(), { block: 0, sealedBytes: FIVE, blockKind: 2, restoration });
  assert.deepEqual(give(assembly, 0b00110, 0b10), [0, 0], "it is whole");
});

test("parity makes room for the fragment in whose place it lies, and is dropped when nothing is missing", () => {
  const assembly = new Assembly(4);
  assert.deepEqual(give(assembly, 0, 0b11), [0, 0b11]);
  assert.deepEqual(give(assembly, 0b00001), [0b00001, 0]);
  assert.deepEqual(assembly.moves, [{ from: 0, to: 2 }]);
  assert.equal(assembly.placeOf(0, 44), 2);
  assert.deepEqual(give(assembly, 0b01000), [0b01000, 0]);
  assert.deepEqual(assembly.moves, []);
  assert.equal(assembly.missingBelow(1).fragments[0]!.maskLow & 0b11111, 0b10000);
  assert.deepEqual(give(assembly, 0b10110), [0b10110, 0]);
  assert.deepEqual(assembly.takeWhole(), { block: 0, sealedBytes: FIVE, blockKind: 2 });
});

test("what is left of the parity moves when only some of it is needed any more", () => {
  const assembly = new Assembly(4);
  assert.deepEqual(give(assembly, 0, 0b1111), [0, 0b1111]);
  assert.deepEqual(give(assembly, 0b00111), [0b00111, 0]);
  assert.deepEqual(assembly.moves, [{ from: 0, to: 4 }]);
  const parity = [
    { place: 4, index: 44 },
    { place: 3, index: 47 },
  ];
  assert.deepEqual(assembly.takeWhole()?.restoration, { fullBytes: 1408, parity });
});

test("no more parity is kept than is needed, and a block that did not open begins without any", () => {
  const assembly = new Assembly(4);
  assert.deepEqual(give(assembly, 0b00111), [0b00111, 0]);
  assert.deepEqual(give(assembly, 0, 0b111), [0, 0b011]);
  assert.equal(assembly.takeWhole()?.restoration?.parity.length, 2);
  assembly.markCorrupt(0);
  assert.deepEqual(assembly.missingBelow(1).runs, [{ firstBlock: 0, blocks: 1 }]);
  assert.deepEqual(give(assembly, 0b11111), [0b11111, 0]);
  assert.equal(assembly.takeWhole()?.restoration, undefined);
});

test("parity of another block than the one that has begun is dropped; fragments of another one begin it anew", () => {
  const assembly = new Assembly(4);
  assert.deepEqual(give(assembly, 0b1), [0b1, 0]);
  assert.equal(assembly.hasContradicted, false);
  assert.deepEqual(give(assembly, 0, 0b1, FIVE + 1), [0, 0]);
  assert.equal(assembly.hasContradicted, true);
  assert.deepEqual(give(assembly, 0, 0b1), [0, 0b1]);
  assert.equal(assembly.hasContradicted, false);
  assert.deepEqual(give(assembly, 0b10, 0, FIVE + 1), [0b10, 0]);
  assert.equal(assembly.missingBelow(1).fragments[0]!.maskLow & 0b11111, 0b11101);
});

test("with many members a gap is kept back until it has lasted for a while", () => {
  const gapsOf = (spread: number) => {
    const assembly = new Assembly(16);
    return { assembly, gaps: new Gaps(assembly, new Pace(new SeededRandom(1), spread)) };
  };
  const few = gapsOf(0);
  arrive(few.assembly, 1);
  assert.deepEqual(few.gaps.missing().runs, [{ firstBlock: 0, blocks: 1 }]);
  const { assembly, gaps } = gapsOf(60);
  arrive(assembly, 2);
  assert.deepEqual(gaps.missing().runs, []);
  gaps.noteFragments(100);
  const lookMs = gaps.nextLookMs;
  assert.ok(lookMs > 100 && lookMs < 120, `${lookMs}`);
  arrive(assembly, 6);
  gaps.noteFragments(101);
  assert.equal(gaps.nextLookMs, lookMs, "it is planned already");
  assert.equal(gaps.tick(lookMs - 0.1), false);
  assert.equal(gaps.tick(lookMs), true);
  assert.deepEqual(gaps.missing().runs, [{ firstBlock: 0, blocks: 2 }], "the others are younger");
  assert.equal(gaps.tick(lookMs), false, "it has looked");
  gaps.noteReported(lookMs);
  assert.ok(gaps.nextLookMs > lookMs + 30);
  assert.equal(gaps.tick(gaps.nextLookMs), true);
  assert.equal(gaps.missing().runs.length, 2);
  gaps.noteFragments(200);
  gaps.noteReported(200);
  gaps.stop();
  assert.equal(gaps.nextLookMs, Infinity);
});

test("a gap that has been closed when its time has come is none", () => {
  const assembly = new Assembly(16);
  const gaps = new Gaps(assembly, new Pace(new SeededRandom(1), 0));
  arrive(assembly, 1);
  gaps.noteFragments(0);
  assert.equal(gaps.nextLookMs, 2);
  arrive(assembly, 0);
  assert.equal(gaps.tick(2), false);
  gaps.noteFragments(3);
  assert.equal(gaps.nextLookMs, Infinity);
});

test("masks have a bit for each of 44 fragments, in two halves", () => {
  for (const [first, count, low, high] of [
    [0, 44, -1, 0xfff],
    [31, 1, 1 << 31, 0],
    [32, 1, 0, 1],
    [30, 4, (1 << 30) | (1 << 31), 0b11],
    [43, 1, 0, 0x800],
  ] as const) {
    const mask = { low: 0, high: 0 };
    setMask(mask, first, count);
    assert.deepEqual([mask.low | 0, mask.high], [low, high], `${first}+${count}`);
    const indexes = blocks(44).filter((index) => hasFragment(low, high, index));
    assert.deepEqual(
      indexes,
      blocks(count).map((index) => first + index),
    );
  }
});

test("addresses are the same when both parts are", () => {
  const address = { ip: "10.0.0.1", port: 5000 };
  assert.ok(sameAddress(address, { ...address }));
  assert.ok(!sameAddress(address, { ...address, port: 5001 }));
  assert.ok(!sameAddress(address, { ...address, ip: "10.0.0.2" }));
});
