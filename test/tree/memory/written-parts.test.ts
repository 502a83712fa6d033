import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { below, SeededRandom } from "../../../src/base/random.ts";
import { WrittenParts } from "../../../src/tree/apply/written-parts.ts";
import type { Part } from "../../../src/tree/entries/part.ts";

/** Parts of a file that are written, beside a list of all of its bytes. */

const SIZE = 60;
const SEED = Number(process.env["SEED"] ?? 1);

/** The runs of bytes from one place to another that are not written. */
function runsOf(isWritten: readonly boolean[], { start, end }: Part): Part[] {
  const runs: Part[] = [];
  for (let at = start; at < end; at++) {
    if (isWritten[at] === true) continue;
    const last = runs.at(-1);
    if (last?.end === at) runs[runs.length - 1] = { start: last.start, end: at + 1 };
    else runs.push({ start: at, end: at + 1 });
  }
  return runs;
}

describe("parts that are written", () => {
  test("are those of a list of bytes, whatever comes in whatever order", () => {
    const random = new SeededRandom(SEED);
    for (let round = 0; round < 3000; round++) {
      const parts = new WrittenParts();
      const bytes = Array.from({ length: SIZE }, () => false);
      for (let step = 0; step < 20; step++) {
        const start = below(random, SIZE);
        const part = { start, end: start + 1 + below(random, SIZE - start) };
        const missing = parts.missingOf(part);
        assert.deepEqual(missing, runsOf(bytes, part), `SEED=${SEED}`);
        // Only what is missing, or all of it.
        for (const one of below(random, 2) === 0 ? missing : [part]) {
          const touches = bytes.slice(Math.max(0, one.start - 1), one.end + 1).includes(true);
          assert.equal(parts.isApart(one), !touches);
          parts.add(one);
          bytes.fill(true, one.start, one.end);
        }
        assert.equal(parts.bytes, bytes.filter((is) => is).length);
      }
    }
  });

  test("are those of a list of bytes, also if there are many", () => {
    const random = new SeededRandom(SEED);
    const size = 20_000;
    const parts = new WrittenParts();
    const bytes = Array.from({ length: size }, () => false);
    const add = (start: number, length: number) => {
      parts.add({ start, end: Math.min(size, start + length) });
      bytes.fill(true, start, start + length);
    };
    // Thousands of parts of one byte, then parts that cover many of them.
    for (let step = 0; step < 8_000; step++) add(2 * below(random, size / 2), 1);
    for (let step = 0; step < 60; step++) {
      assert.deepEqual(parts.missingOf({ start: 0, end: size }), runsOf(bytes, { start: 0, end: size }));
      assert.equal(parts.bytes, bytes.filter((is) => is).length);
      const start = below(random, size);
      const part = { start, end: start + 1 + below(random, size - start) };
      assert.deepEqual(parts.missingOf(part), runsOf(bytes, part), `SEED=${SEED}`);
      add(start, 1 + below(random, 4_000));
      add(2 * below(random, size / 2), 1);
    }
  });

  test("are bounded", () => {
    const parts = new WrittenParts();
    let count = 0;
    for (; !parts.isFull; count++) parts.add({ start: 2 * count, end: 2 * count + 1 });
    assert.equal(count, 256 * 1024);
    assert.ok(parts.isApart({ start: 2 * count, end: 2 * count + 1 }));
    parts.add({ start: 1, end: 2 });
    assert.ok(!parts.isFull, "a part between two makes room");
  });
});
