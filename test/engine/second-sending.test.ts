import assert from "node:assert/strict";
import { test } from "node:test";
import { SecondSending } from "../../src/engine/sender/second-sending.ts";
import { SendQueue } from "../../src/engine/sender/send-queue.ts";
import { Window } from "../../src/engine/window.ts";

/** When blocks are sent twice unasked: while nearly all of what is sent once has to be asked for. */

/** A queue of which a test says how much of each block was asked for. */
class AskedQueue extends SendQueue {
  readonly asked: number[] = [];
  private readonly shareOf: (block: number) => number;

  constructor(shareOf: (block: number) => number) {
    super(new Window(10_000));
    this.shareOf = shareOf;
  }

  override askedShare(block: number): number {
    this.asked.push(block);
    return this.shareOf(block);
  }
}

/** Which of so many blocks are sent twice. */
function twice(blocks: number, shareOf: (block: number) => number, members = 64): number[] {
  const sending = new SecondSending(new AskedQueue(shareOf));
  return Array.from({ length: blocks }, (_, block) => block).filter((block) =>
    sending.decide(block, members),
  );
}

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test("it begins when the first four blocks are 96 blocks old, with 64 members", () => {
  assert.deepEqual(
    twice(120, () => 1),
    range(99, 119),
  );
  assert.deepEqual(
    twice(120, () => 1, 63),
    [],
  );
});

test("98 % of the last four blocks together have to be asked for", () => {
  assert.deepEqual(
    twice(120, (block) => (block === 0 ? 0.92 : 1)),
    range(99, 119),
  );
  assert.deepEqual(
    twice(120, (block) => (block === 0 ? 0.91 : 1)),
    range(100, 119),
  );
  assert.deepEqual(
    twice(120, (block) => (block < 10 ? 0.97 : 0.98)),
    range(109, 119),
  );
});

test("one block of 512 is sent once all the same, and ends it when it is not asked for", () => {
  const all = twice(1100, () => 1);
  assert.deepEqual(
    range(99, 1099).filter((block) => !all.includes(block)),
    [512, 1024],
  );
  const ends = twice(720, (block) => (block === 512 ? 0 : 1));
  assert.deepEqual(ends, [...range(99, 511), ...range(513, 607), ...range(707, 719)]);
});

test("where parity may be sent, as much follows a block as each of the last four probes has needed", () => {
  class NeedyQueue extends SendQueue {
    override askedParity(block: number): number {
      return [4, 3, 5, 4, 4, 0][block] ?? 6;
    }
  }
  const sending = new SecondSending(new NeedyQueue(new Window(10_000)));
  const seconds = Array.from({ length: 620 }, (_, block) => sending.decide(block, 64, true));
  assert.deepEqual(seconds.slice(97, 107), [0, 0, 3, 3, 0, 0, 0, 0, 6, 6]);
  assert.equal(seconds[512], 0, "a probe");
  assert.equal(new SecondSending(new NeedyQueue(new Window(10))).decide(200, 63, true), 0);
});

test("each block that was sent once is looked at once, when it is old enough", () => {
  const queue = new AskedQueue(() => 0);
  const sending = new SecondSending(queue);
  for (let block = 0; block < 100; block++) sending.decide(block, 100);
  assert.deepEqual(queue.asked, [0, 1, 2, 3]);
});
