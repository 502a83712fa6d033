import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { hexOf } from "../../src/base/hex.ts";
import { below, randomBytes, SeededRandom } from "../../src/base/random.ts";
import { inverse, product, quotient } from "../../src/net/galois-field.ts";
import { makeParity, restoreBlock, ParityWorkspace } from "../../src/net/parity.ts";
import { type ParityKernel, plainKernel, wasmKernel } from "../../src/net/parity-kernel.ts";
import {
  FRAGMENT_PAYLOAD_BYTES,
  fragmentCount,
  type KeptParity,
  LEAST_FRAGMENT_PAYLOAD_BYTES,
  SEALED_BLOCK_BYTES,
} from "../../src/wire/datagram.ts";
import { BLOCK_FRAGMENTS, PARITY_FRAGMENTS } from "../../src/wire/limits.ts";

/**
 * Parity of sealed blocks, beside a second implementation that was written from PROTOCOL.md 2.1 alone.
 * `UPDATE_VECTORS=1 node --test test/net/parity.test.ts` lets the second one write the vectors again;
 * `SPEED=1` tells how fast this one is.
 */

/** The product of two polynomials of bits, the long way. */
function naiveProduct(a: number, b: number): number {
  let sum = 0;
  for (let bit = 0; bit < 8; bit++) if ((b >> bit) & 1) sum ^= a << bit;
  for (let bit = 14; bit >= 8; bit--) if ((sum >> bit) & 1) sum ^= 0x11d << (bit - 8);
  return sum;
}

function naiveInverse(a: number): number {
  for (let b = 1; b < 256; b++) if (naiveProduct(a, b) === 1) return b;
  throw new Error("0 has no inverse");
}

/** A parity fragment: the sum of all fragments, each with its factor. */
function naiveParity(sealed: Uint8Array, full: number, index: number): Uint8Array {
  const sum = new Uint8Array(full);
  for (let fragment = 0; fragment * full < sealed.length; fragment++) {
    const factor = naiveProduct(44 ^ fragment, naiveInverse(index ^ fragment));
    const part = sealed.subarray(fragment * full, (fragment + 1) * full);
    part.forEach((byte, at) => (sum[at] = sum[at]! ^ naiveProduct(byte, factor)));
  }
  return sum;
}

function parityOf(
  sealed: Uint8Array,
  fullBytes: number,
  indexes: readonly number[],
): Map<number, Uint8Array> {
  const made = new Map<number, Uint8Array>();
  const block = { bytes: sealed, start: 0, stride: fullBytes, fullBytes, sealedBytes: sealed.length };
  makeParity(block, indexes, (parity, index) => made.set(index, parity.slice()));
  return made;
}

/** Loses fragments of a block, and restores it with these parity fragments in their places. */
function restored(sealed: Uint8Array, fullBytes: number, kept: readonly KeptParity[]): Uint8Array {
  const sealedBytes = sealed.length;
  // A page has something else after the block.
  const page = new Uint8Array(65_536).fill(0xaa);
  page.set(sealed);
  const made = parityOf(
    sealed,
    fullBytes,
    kept.map(({ index }) => index).sort((a, b) => a - b),
  );
  for (const { place, index } of kept) page.set(made.get(index)!, place * fullBytes);
  restoreBlock({ bytes: page, start: 0, stride: fullBytes, fullBytes, sealedBytes }, kept);
  return page.subarray(0, sealedBytes);
}

/** So many different numbers below a bound. */
function some(random: SeededRandom, count: number, bound: number): number[] {
  const all = Array.from({ length: bound }, (_, index) => index);
  return Array.from({ length: count }, () => all.splice(below(random, all.length), 1)[0]!);
}

test("the field has the products and quotients of polynomials", () => {
  for (let a = 0; a < 256; a++)
    for (let b = 0; b < 256; b++) {
      assert.equal(product(a, b), naiveProduct(a, b), `${a} ${b}`);
      if (b !== 0) assert.equal(product(quotient(a, b), b), a, `${a} ${b}`);
    }
  assert.throws(() => quotient(1, 0), /divided by 0/);
});

test("a matrix is inverted even if its first element is 0", () => {
  const rows = [Uint8Array.of(0, 1), Uint8Array.of(7, 3)];
  assert.deepEqual(
    inverse(rows.map((row) => row.slice())).map((row) =>
      [0, 1].map((column) => product(row[0]!, rows[0]![column]!) ^ product(row[1]!, rows[1]![column]!)),
    ),
    [
      [1, 0],
      [0, 1],
    ],
  );
  assert.throws(() => inverse([Uint8Array.of(1, 1), Uint8Array.of(1, 1)]), /can be inverted/);
});

test("any fragments that are lost come back with as many parity fragments, whichever they are", () => {
  const random = new SeededRandom(1);
  for (let round = 0; round < 60; round++) {
    const full = [FRAGMENT_PAYLOAD_BYTES, LEAST_FRAGMENT_PAYLOAD_BYTES, 1301][round % 3]!;
    const most = full * BLOCK_FRAGMENTS;
    const sealed = randomBytes(random, round < 6 ? most : full + 1 + below(random, most - full));
    const count = fragmentCount(sealed.length, full);
    const lost = round < 3 ? PARITY_FRAGMENTS : 1 + below(random, Math.min(count, PARITY_FRAGMENTS, 6));
    const places = some(random, lost, count);
    // The last fragment is shorter than the others.
    if (round % 4 === 0 && !places.includes(count - 1)) places[0] = count - 1;
    const rows = some(random, lost, PARITY_FRAGMENTS);
    const kept = places.map((place, at) => ({ place, index: BLOCK_FRAGMENTS + rows[at]! }));
    assert.ok(Buffer.from(restored(sealed, full, kept)).equals(sealed), `round ${round}`);
  }
});

test("both kernels add the same, wherever the processor has instructions for 16 bytes", (context) => {
  const random = new SeededRandom(5);
  const wasm = wasmKernel(4096);
  if (wasm === undefined) {
    context.skip("the processor has none");
    return;
  }
  const plain = plainKernel(4096);
  const contents = randomBytes(random, 4096);
  const added = (kernel: ParityKernel, factor: number, steps: number) => {
    const { bytes, freeStart } = kernel;
    bytes.set(contents, freeStart);
    kernel.add(freeStart + 2048, freeStart + 16, freeStart + 16 + 16 * steps, factor);
    return Buffer.from(bytes.subarray(freeStart, freeStart + 4096));
  };
  for (let round = 0; round < 600; round++) {
    const [factor, steps] = [round % 256, 1 + below(random, 64)];
    const sum = added(wasm, factor, steps);
    assert.ok(sum.equals(added(plain, factor, steps)), `${factor} ${steps}`);
    assert.equal(sum[2048], naiveProduct(contents[16]!, factor) ^ contents[2048]!);
  }
});

test("the first parity fragment alone is the sum, for a loss at any place", () => {
  const sealed = randomBytes(new SeededRandom(2), 5 * 1408 + 99);
  for (let place = 0; place < 6; place++)
    assert.ok(Buffer.from(restored(sealed, 1408, [{ place, index: 44 }])).equals(sealed), `${place}`);
});

test("blocks in a train, with headers between the fragments, have the same parity", () => {
  const sealed = randomBytes(new SeededRandom(3), 3 * 1408 + 7);
  for (const stride of [1440, 1441]) {
    const train = new Uint8Array(4 * stride).fill(0xbb);
    for (let index = 0; index < 4; index++)
      train.set(sealed.subarray(index * 1408, (index + 1) * 1408), index * stride + 32);
    const block = { bytes: train, start: 32, stride, fullBytes: 1408, sealedBytes: sealed.length };
    for (const indexes of [[44], [44, 45, 63], [50]]) {
      const expected = parityOf(sealed, 1408, indexes);
      makeParity(block, indexes, (parity, index) =>
        assert.ok(Buffer.from(parity).equals(expected.get(index)!), `${index} of ${stride}`),
      );
    }
  }
});

interface Vector {
  readonly name: string;
  readonly fullBytes: number;
  readonly sealedBytes: number;
  /** The first bytes of each of some parity fragments, by their indexes. */
  parity: Record<string, string>;
}

const FILE = path.join(import.meta.dirname, "vectors", "parity.json");
const vectors = JSON.parse(readFileSync(FILE, "utf8")) as { about: string; parity: Vector[] };

/** Byte i of the sealed block of a vector is 7i + ⌊i / 256⌋, modulo 256. */
const sealedOf = ({ sealedBytes }: Vector) =>
  Uint8Array.from({ length: sealedBytes }, (_, at) => 7 * at + Math.floor(at / 256));
const ends = (parity: Uint8Array) => hexOf(parity.subarray(0, 16)) + hexOf(parity.subarray(-16));

if (process.env["UPDATE_VECTORS"] === "1") {
  for (const vector of vectors.parity)
    for (const index of Object.keys(vector.parity))
      vector.parity[index] = ends(naiveParity(sealedOf(vector), vector.fullBytes, Number(index)));
  writeFileSync(FILE, `${JSON.stringify(vectors, undefined, 2)}\n`);
}

for (const vector of vectors.parity) {
  test(`vector: ${vector.name}`, () => {
    const sealed = sealedOf(vector);
    const indexes = Object.keys(vector.parity).map(Number);
    for (const [index, parity] of parityOf(sealed, vector.fullBytes, indexes)) {
      assert.equal(ends(parity), vector.parity[index], `${index}`);
      assert.ok(Buffer.from(parity).equals(naiveParity(sealed, vector.fullBytes, index)), `${index}`);
    }
  });
}

if (process.env["SPEED"] === "1") {
  const random = new SeededRandom(4);
  const sealed = randomBytes(random, SEALED_BLOCK_BYTES);
  const speed = (name: string, work: () => void) => {
    for (let round = 0; round < 200; round++) work();
    const startMs = performance.now();
    for (let round = 0; round < 1_000; round++) work();
    const megabytes = (SEALED_BLOCK_BYTES * 1_000) / 1e6;
    console.log(`${name}: ${Math.round((megabytes * 1_000) / (performance.now() - startMs))} MB/s`);
  };
  const plain = new ParityWorkspace(plainKernel);
  for (const count of [1, 2, 4, 8]) {
    const indexes = Array.from({ length: count }, (_, row) => BLOCK_FRAGMENTS + row);
    const block = { bytes: sealed, start: 0, stride: 1408, fullBytes: 1408, sealedBytes: sealed.length };
    speed(`blocks with ${count} parity fragments made`, () => makeParity(block, indexes, () => undefined));
    const page = new Uint8Array(65_536);
    const places = indexes.map((index, at) => ({ place: 5 * at, index }));
    const layout = { ...block, bytes: page };
    speed(`blocks with ${count} fragments restored`, () => restoreBlock(layout, places));
    speed(`${count} made, a byte at a time`, () => makeParity(block, indexes, () => undefined, plain));
  }
}
