import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "../../src/engine/receiver/pace.ts";
import { spreadMs } from "../../src/engine/spread.ts";

/** How long a member waits before it speaks, to the millisecond. */

/** The middle of all that can be drawn. */
const MIDDLE = { u32: () => 2 ** 31 };

/** The largest share of a window, in thousandths, of which a report is not yet due, plus one. */
function dueAt(pace: Pace): number {
  let used = 0;
  while (!pace.isDue(used / 1000, 1)) used++;
  return used;
}

test("from nine members on answers are spread, a fifth of a millisecond for each", () => {
  const spreads = [0, 1, 8, 9, 13, 14, 308, 1008, 400_000].map((members) => spreadMs(members));
  assert.deepEqual(spreads, [0, 0, 0, 1, 1, 2, 60, 200, 0xffff]);
});

test("answers of few members come at once, those of many within the spread", () => {
  const few = new Pace(MIDDLE, 0);
  const many = new Pace(MIDDLE, 64);
  assert.deepEqual([few.answerDelayMs(), many.answerDelayMs()], [0, 32]);
  assert.deepEqual([few.quietDelayMs(), many.quietDelayMs()], [0, 8]);
  assert.deepEqual([few.gapDelayMs(), many.gapDelayMs()], [2, 2 + (16 * 1.5) / 2]);
  assert.deepEqual([few.gapRepeatMs, many.gapRepeatMs], [15, 31]);
  assert.deepEqual([few.wantRepeatMs, many.wantRepeatMs], [40, 168]);
});

test("up to 64 members say at once that they have a place, or are done, and more wait", () => {
  const pace = new Pace(MIDDLE, 64);
  // 65 members have a spread of 12 ms, 1,000 one that is longer than that of the transfer.
  assert.deepEqual(
    [1, 64, 65, 1000].map((asked) => pace.orderDelayMs(asked)),
    [0, 0, 1.5, 8],
  );
  assert.equal(new Pace(MIDDLE, 0).orderDelayMs(1000), 0);
});

test("the spread is what the sender says, and none is a question by name", () => {
  const pace = new Pace(MIDDLE, 0);
  assert.equal(pace.isAskedByName(0), false, "where they are few, all are asked like that");
  pace.learn(7);
  assert.equal(pace.spreadMs, 7);
  assert.deepEqual([pace.isAskedByName(0), pace.isAskedByName(7)], [true, false]);
  pace.learn(0);
  assert.equal(pace.spreadMs, 7);
  pace.learn(1);
  assert.equal(pace.spreadMs, 1);
});

test("the share of a window that brings a report grows from a quarter to nearly all of it", () => {
  for (const [spread, first, second] of [
    [0, 250, 250],
    [15, 247, 493],
    [60, 351, 701],
    [600, 351, 701],
  ] as const) {
    const pace = new Pace(MIDDLE, spread);
    assert.equal(dueAt(pace), first, `first, ${spread}`);
    pace.drawShare();
    assert.equal(dueAt(pace), second, `second, ${spread}`);
  }
});
