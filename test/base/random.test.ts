import assert from "node:assert/strict";
import { test } from "node:test";
import { below, fraction, randomBytes, SeededRandom } from "../../src/base/random.ts";

/** Numbers of sfc32, computed by a second program. */
const FIRST_OF_SEED_1 = [2_308_299_391, 1_950_625_580, 354_034_397, 661_219_729];

const numbers = (seed: number, count: number) => {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => random.u32());
};

test("one seed gives the same numbers for ever", () => {
  // A seed in a report must repeat the run of that report.
  assert.deepEqual(numbers(1, 4), FIRST_OF_SEED_1);
  assert.deepEqual(numbers(1, 100), numbers(1, 100));
  assert.deepEqual(numbers(2 ** 32 - 1, 2), [2_392_433_906, 1_573_103_425]);
  assert.deepEqual(numbers(2 ** 33 - 1, 2), [2_010_232_100, 489_891_833]);
});

test("other seeds give other numbers, beyond 32 bits too", () => {
  const seeds = [0, 1, 2, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001, Number.MAX_SAFE_INTEGER];
  const runs = seeds.map((seed) => numbers(seed, 4).join());
  assert.equal(new Set(runs).size, seeds.length);
});

test("numbers are whole and within 32 bits, and spread over all of them", () => {
  const counts = new Array<number>(16).fill(0);
  for (const number of numbers(3, 16_000)) {
    assert.ok(Number.isInteger(number) && number >= 0 && number <= 0xffff_ffff);
    const bucket = number >>> 28;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  for (const count of counts) assert.ok(count > 800 && count < 1200, counts.join(" "));
});

test("a number below a bound reaches every value and never the bound", () => {
  const random = new SeededRandom(4);
  const seen = new Set(Array.from({ length: 500 }, () => below(random, 7)));
  assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5, 6]);
  assert.equal(below(random, 1), 0);
});

test("the ends of the range stay in range", () => {
  const [lowest, highest] = [{ u32: () => 0 }, { u32: () => 0xffff_ffff }];
  assert.equal(fraction(lowest), 0);
  assert.ok(fraction(highest) < 1);
  assert.equal(below(highest, 10), 9);
  assert.equal(below(highest, 2 ** 32), 0xffff_ffff);
  assert.deepEqual([...randomBytes(highest, 3)], [0xff, 0xff, 0xff]);
});

test("random bytes are the low bytes of the numbers that are drawn, as many as are asked for", () => {
  const drawn = [0x100, 0xffff_ff01, 0x7f, 0x1234_56fe];
  let next = 0;
  const bytes = randomBytes({ u32: () => drawn[next++] as number }, 4);
  assert.deepEqual([...bytes], [0, 1, 0x7f, 0xfe]);
  assert.equal(next, 4, "nothing more is drawn");
});
