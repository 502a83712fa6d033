import assert from "node:assert/strict";
import { test } from "node:test";
import { TrainPoll } from "../../src/net/train-poll.ts";

/** How soon the socket for fragments is looked at again, by what the last looks have found. */

/** The times that a poll waits, one after the other, while its looks find so many trains. */
function waits(found: readonly number[], bufferBytes: number, stopAfter = Infinity): number[] {
  const { setTimeout: usual, clearTimeout: usualClear } = globalThis;
  const times: number[] = [];
  const timers = new Map<number, () => void>();
  const globals = globalThis as unknown as { setTimeout: unknown; clearTimeout: unknown };
  globals.setTimeout = (run: () => void, ms: number) => {
    times.push(ms);
    timers.set(times.length, run);
    return times.length;
  };
  globals.clearTimeout = (timer: number) => timers.delete(timer);
  try {
    let looks = 0;
    const poll = new TrainPoll(() => found[looks++] ?? 0, bufferBytes);
    for (let count = 1; count < found.length; count++) {
      if (count === stopAfter) poll.stop();
      const run = timers.get(count);
      timers.delete(count);
      run?.();
    }
    poll.stop();
    assert.equal(timers.size, 0, "nothing is planned any more");
  } finally {
    globals.setTimeout = usual;
    globals.clearTimeout = usualClear;
  }
  return times;
}

const LARGE = 100_000_000;

test("with few trains the looks become rarer, up to eight milliseconds", () => {
  assert.deepEqual(waits([0, 0, 5, 0, 0], LARGE), [2, 4, 8, 8, 8]);
});

test("with many trains they become more frequent, down to one", () => {
  assert.deepEqual(waits([0, 0, 0, 21, 21, 21, 21, 21], LARGE), [2, 4, 8, 4, 2, 1, 1, 1]);
});

test("from 6 to 20 trains are just right", () => {
  assert.deepEqual(waits([0, 6, 20, 5, 6, 21], LARGE), [2, 2, 2, 4, 4, 2]);
});

test("a small socket buffer is looked at more often: half a megabyte holds what a millisecond brings", () => {
  assert.deepEqual(waits([0, 0, 0, 0], 1_500_000), [2, 3, 3, 3]);
  assert.deepEqual(waits([0, 0, 0], 200_000), [1, 1, 1]);
  assert.deepEqual(waits([0, 0, 0, 0, 0], 4_000_000), [2, 4, 8, 8, 8]);
});

test("after its end it looks no more", () => {
  assert.deepEqual(waits([0, 0, 0, 0, 0, 0], LARGE, 3), [2, 4, 8]);
});
