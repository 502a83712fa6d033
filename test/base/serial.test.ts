import assert from "node:assert/strict";
import { test } from "node:test";
import { below, SeededRandom } from "../../src/base/random.ts";
import { serialAdd, serialDistance } from "../../src/base/serial.ts";

test("distances are right on both sides of the wrap", () => {
  assert.equal(serialDistance(5, 3), 2);
  assert.equal(serialDistance(3, 5), -2);
  assert.equal(serialDistance(1, 0xffff_ffff), 2);
  assert.equal(serialDistance(0xffff_ffff, 1), -2);
  assert.equal(serialDistance(0x8000_0000, 0x7fff_ffff), 1);
  assert.equal(serialDistance(7, 7), 0);
});

test("distances are right up to half of the range", () => {
  assert.equal(serialDistance(0x7fff_ffff, 0), 0x7fff_ffff);
  assert.equal(serialDistance(0, 0x7fff_ffff), -0x7fff_ffff);
});

test("numbers count up through the wrap and stay in 32 bits", () => {
  assert.equal(serialAdd(0xffff_ffff, 1), 0);
  assert.equal(serialAdd(0xffff_fffe, 5), 3);
  assert.equal(serialAdd(0, 0xffff_ffff), 0xffff_ffff);
});

test("what was added is the distance, wherever it begins", () => {
  const random = new SeededRandom(1);
  for (let round = 0; round < 1000; round++) {
    const start = random.u32();
    const count = below(random, 0x7fff_ffff);
    const end = serialAdd(start, count);
    assert.equal(serialDistance(end, start), count);
    assert.ok(end >= 0 && end <= 0xffff_ffff);
  }
});
