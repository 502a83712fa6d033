import assert from "node:assert/strict";
import { test } from "node:test";
import { bitCount, Bitmap } from "../../src/base/bitmap.ts";
import { below, randomBytes, SeededRandom } from "../../src/base/random.ts";

const SIZES = [0, 1, 7, 8, 9, 31, 32, 33, 4095, 4096];

function indicesOf(bitmap: Bitmap): number[] {
  return Array.from({ length: bitmap.size }, (_, index) => index).filter((index) => bitmap.get(index));
}

test("a new bitmap has no bit set, and a byte for every eight of them", () => {
  for (const size of SIZES) {
    const bitmap = new Bitmap(size);
    assert.equal(bitmap.count(), 0);
    assert.equal(bitmap.bytes.length, Math.ceil(size / 8));
  }
});

test("setting a bit changes that bit alone", () => {
  for (const size of SIZES.filter((one) => one > 0)) {
    for (const index of new Set([0, size >> 1, size - 1])) {
      const bitmap = new Bitmap(size);
      bitmap.set(index);
      bitmap.set(index);
      assert.deepEqual(indicesOf(bitmap), [index]);
      assert.equal(bitmap.count(), 1);
    }
  }
});

test("the lowest bit of the first byte is bit 0", () => {
  const bitmap = new Bitmap(16);
  for (const index of [0, 9, 15]) bitmap.set(index);
  assert.deepEqual([...bitmap.bytes], [0b0000_0001, 0b1000_0010]);
});

test("bits behind the last are cleared in memory that is taken over", () => {
  for (const size of SIZES) {
    const bitmap = new Bitmap(size, new Uint8Array(Math.ceil(size / 8)).fill(0xff));
    assert.equal(bitmap.count(), size);
  }
});

test("merging gives the bits of both and leaves the other as it is", () => {
  const random = new SeededRandom(1);
  for (let round = 0; round < 200; round++) {
    const size = below(random, 100);
    const make = () => new Bitmap(size, randomBytes(random, Math.ceil(size / 8)));
    const [one, other] = [make(), make()];
    const expected = new Set([...indicesOf(one), ...indicesOf(other)]);
    const before = indicesOf(other);
    one.merge(other);
    assert.deepEqual(new Set(indicesOf(one)), expected);
    assert.equal(one.count(), expected.size);
    assert.deepEqual(indicesOf(other), before);
  }
});

test("bits of a 32-bit number are counted, whatever its sign", () => {
  const random = new SeededRandom(2);
  for (const value of [
    0,
    1,
    -1,
    0x8000_0000,
    0xffff_ffff,
    0x5555_5555,
    ...Array.from({ length: 500 }, () => random.u32()),
  ]) {
    const expected = (value >>> 0).toString(2).replaceAll("0", "").length;
    assert.equal(bitCount(value), expected);
    assert.equal(bitCount(value | 0), expected);
  }
});
