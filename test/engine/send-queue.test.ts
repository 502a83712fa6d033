import assert from "node:assert/strict";
import { test } from "node:test";
import { SendQueue, type Sending, WHOLE_BLOCK } from "../../src/engine/sender/send-queue.ts";
import { Window } from "../../src/engine/window.ts";

/** What waits to be sent, in which order and pieces it goes out, and what counts as lost. */

const HIGH = 0xfff;

function queueOf(...blocks: readonly (readonly [block: number, fragments: number])[]): SendQueue {
  const queue = new SendQueue(new Window(8));
  for (const [block, fragments] of blocks) queue.addBlock(block, fragments);
  return queue;
}

/** Takes everything, a block at a time. */
function takeAll(queue: SendQueue, most = 44): Sending[] {
  const found: Sending[] = [];
  for (let one = queue.take(most); one !== undefined; one = queue.take(most)) found.push(one);
  return found;
}

test("a block goes out in pieces, lowest fragments first, each with the stamp of its first one", () => {
  const queue = queueOf([0, 44]);
  assert.equal(queue.peek(20), 20);
  assert.deepEqual(queue.take(20), { block: 0, maskLow: 0xfffff, maskHigh: 0, stamp: 0, fragments: 20 });
  assert.deepEqual([queue.peek(44), queue.stamp, queue.isEmpty], [24, 20, false]);
  const rest = { block: 0, maskLow: 0xfff00000 | 0, maskHigh: HIGH, stamp: 20, fragments: 24 };
  assert.deepEqual(queue.take(44), rest);
  assert.deepEqual([queue.peek(44), queue.take(44), queue.isEmpty], [0, undefined, true]);
  assert.deepEqual([queue.sent, queue.repaired], [44, 0]);
});

test("blocks have as many fragments as they have", () => {
  for (const [fragments, low, high] of [
    [1, 1, 0],
    [31, 0x7fffffff, 0],
    [32, -1, 0],
    [33, -1, 1],
    [44, -1, HIGH],
  ] as const) {
    const { maskLow, maskHigh } = queueOf([3, fragments]).take(44) ?? {};
    assert.deepEqual([maskLow, maskHigh], [low, high], `${fragments}`);
  }
});

test("the block that has waited longest goes first", () => {
  const queue = queueOf([1, 1], [0, 2], [5, 3]);
  assert.deepEqual(
    takeAll(queue).map(({ block, stamp }) => [block, stamp]),
    [
      [1, 0],
      [0, 1],
      [5, 3],
    ],
  );
});

test("a fragment is lost when something newer has been seen, and not before", () => {
  const queue = queueOf([0, 44], [1, 3]);
  takeAll(queue);
  assert.equal(queue.addMissing(0, 1 << 10, 1 << 4, 10), 0, "neither has been passed by");
  assert.equal(queue.addMissing(0, 1 << 10, 1 << 4, 11), 1, "fragment 10 has the stamp 10");
  assert.equal(
    queue.addMissing(0, 1 << 10, 1 << 4, 36),
    0,
    "it waits already, and the other is not passed by",
  );
  assert.equal(queue.addMissing(0, 1 << 10, 1 << 4, 37), 1, "fragment 36 has the stamp 36");
  assert.equal(queue.addMissing(1, -1, -1, 46), 2, "of three fragments two have been passed by");
  assert.equal(queue.repaired, 4);
  assert.deepEqual(takeAll(queue), [
    { block: 0, maskLow: 1 << 10, maskHigh: 1 << 4, stamp: 47, fragments: 2 },
    { block: 1, maskLow: 0b11, maskHigh: 0, stamp: 49, fragments: 2 },
  ]);
  assert.equal(queue.addMissing(0, 1 << 10, 0, 47), 0, "its repair is under way");
  assert.equal(queue.addMissing(0, 1 << 10, 0, 48), 1);
});

test("a block that does not exist in the whole has no more fragments missing than it has", () => {
  const queue = queueOf([0, 34]);
  takeAll(queue);
  assert.equal(queue.addMissing(0, -1, -1, 34), 34);
  assert.deepEqual(queue.take(44), { block: 0, maskLow: -1, maskHigh: 0b11, stamp: 34, fragments: 34 });
});

test("reports count for what has been sent and is not staged everywhere", () => {
  const queue = queueOf([0, 1], [1, 1], [2, 1], [3, 1], [4, 1]);
  takeAll(queue);
  const status = (parts: object) =>
    ({ missingRuns: [], missingFragments: [], ...parts }) as unknown as Parameters<SendQueue["addReport"]>[0];
  queue.addReport(status({ missingRuns: [{ firstBlock: 0, blocks: 5 }] }), 5, 1, 3);
  assert.deepEqual(
    takeAll(queue).map(({ block }) => block),
    [1, 2],
  );
  queue.addReport(status({ missingRuns: [{ firstBlock: 1, blocks: 1 }] }), 7, 0, 5);
  assert.deepEqual(
    takeAll(queue).map(({ block }) => block),
    [1],
  );
  const missingFragments = [0, 1, 2, 3].map((block) => ({ block, maskLow: 1, maskHigh: 0 }));
  queue.addReport(status({ missingFragments }), 8, 1, 3);
  assert.deepEqual(
    takeAll(queue).map(({ block }) => block),
    [1, 2],
  );
});

test("a block that is to be sent twice waits for its second time, and nobody's report brings it out", () => {
  const queue = queueOf();
  queue.addBlock(0, 40, WHOLE_BLOCK);
  assert.equal(queue.nextSecondTime, undefined);
  queue.take(20);
  assert.equal(queue.nextSecondTime, undefined, "half of it has been sent");
  queue.take(44);
  assert.deepEqual([queue.nextSecondTime, queue.isEmpty, queue.repaired], [0, true, 0]);
  assert.equal(queue.addMissing(0, -1, -1, 40), 0);
  queue.addSecondTime();
  assert.deepEqual([queue.nextSecondTime, queue.repaired], [undefined, 40]);
  assert.deepEqual(queue.take(44), { block: 0, maskLow: -1, maskHigh: 0xff, stamp: 40, fragments: 40 });
  assert.equal(queue.nextSecondTime, undefined, "there is no third time");
  assert.equal(queue.addMissing(0, 1, 0, 41), 1);
});

test("how much of a block was asked for is told in shares, and forgotten with the block", () => {
  const queue = queueOf([0, 40]);
  takeAll(queue);
  assert.equal(queue.askedShare(0), 0);
  queue.addMissing(0, 0b1111, 0b1, 40);
  takeAll(queue);
  queue.addMissing(0, 0b11111, 0b11, 45);
  assert.equal(queue.askedShare(0), 7 / 40);
  takeAll(queue);
  queue.addBlock(8, 20);
  assert.equal(queue.askedShare(8), 0, "it has the row of the other one");
});

test("what is staged everywhere is not sent any more", () => {
  const queue = queueOf();
  for (const block of [0, 1, 2, 3]) queue.addBlock(block, 2, block < 3 ? WHOLE_BLOCK : 0);
  for (let count = 0; count < 3; count++) queue.take(44);
  assert.equal(queue.nextSecondTime, 0);
  queue.forgetBelow(2);
  assert.equal(queue.nextSecondTime, 2);
  queue.addBlock(4, 1);
  queue.forgetBelow(4);
  assert.equal(queue.nextSecondTime, undefined);
  assert.deepEqual(
    takeAll(queue).map(({ block }) => block),
    [4],
  );
});

test("what must not happen is noticed", () => {
  const queue = queueOf([0, 1]);
  assert.throws(() => queue.addBlock(0, 1), /new only once/);
  assert.throws(() => queue.addSecondTime(), /there is one/);
});

test("stamps are serial numbers of 32 bits", () => {
  const queue = queueOf([0, 1], [1, 1]);
  queue.sent = 2 ** 32 - 1;
  assert.deepEqual(
    takeAll(queue).map(({ stamp }) => stamp),
    [2 ** 32 - 1, 0],
  );
  assert.equal(queue.addMissing(0, 1, 0, 0), 1, "0 is newer");
});

/** Bits of the upper half of a mask for parity fragments from one on. */
const parityBits = (first: number, count: number) => (((1 << count) - 1) << (12 + first)) | 0;

test("parity is sent in place of what several members miss: as much as the one that misses most", () => {
  const queue = queueOf([0, 44]);
  takeAll(queue);
  assert.equal(queue.addMissing(0, 0b1, 0, 44, true), 1);
  assert.deepEqual(queue.take(44), {
    block: 0,
    maskLow: 0,
    maskHigh: parityBits(0, 1),
    stamp: 44,
    fragments: 1,
  });
  assert.equal(queue.addMissing(0, 0b10, 0, 44, true), 0, "the parity on its way does for it, too");
  assert.equal(queue.addMissing(0, 0b11100, 1 << 11, 44, true), 3, "this one needs three more");
  assert.equal(queue.addMissing(0, 0b1111000, 1 << 11, 44, true), 1, "and this one another one");
  assert.deepEqual(queue.take(44)?.maskHigh, parityBits(1, 4));
  assert.deepEqual([queue.parity, queue.repaired, queue.sent, queue.askedParity(0)], [5, 5, 49, 5]);
  assert.deepEqual(takeAll(queue), []);
});

test("parity that got lost is made up for by other parity, and not before it is known to be lost", () => {
  const queue = queueOf([0, 44]);
  takeAll(queue);
  queue.addMissing(0, 0b11, 0, 44, true);
  takeAll(queue);
  assert.equal(queue.addMissing(0, 0b11, 0, 45, true), 1, "one of the two was passed by");
  assert.equal(queue.take(44)?.maskHigh, parityBits(2, 1));
  assert.equal(queue.addMissing(0, 0b10, 0, 46, true), 0, "the third one is on its way");
  assert.equal(queue.addMissing(0, 0b10, 0, 47, true), 1);
});

test("what is still on its way for the first time needs no parity", () => {
  const queue = queueOf([0, 44]);
  queue.take(10);
  assert.equal(queue.addMissing(0, -1, HIGH, 5, true), 5);
  assert.deepEqual(queue.take(44), {
    block: 0,
    maskLow: ~0x3ff,
    maskHigh: HIGH | parityBits(0, 5),
    stamp: 10,
    fragments: 39,
  });
});

test("fragments themselves are sent where parity is not better, or used up", () => {
  const small = queueOf([0, 1], [1, 2]);
  takeAll(small);
  assert.equal(small.addMissing(0, 1, 0, 3, true), 1);
  assert.equal(small.addMissing(1, 0b11, 0, 3, true), 2, "all of the block is missing");
  assert.deepEqual(
    takeAll(small).map(({ maskLow, maskHigh }) => [maskLow, maskHigh]),
    [
      [1, 0],
      [0b11, 0],
    ],
  );
  const queue = queueOf([0, 44]);
  takeAll(queue);
  assert.equal(queue.addMissing(0, 0x1fffff, 0, 44, true), 21);
  assert.equal(queue.take(44)?.maskLow, 0x1fffff);
  const tired = queueOf([0, 44]);
  takeAll(tired);
  for (let round = 0; round < 10; round++) {
    assert.equal(tired.addMissing(0, 0b11, 0, tired.sent, true), 2);
    assert.equal(takeAll(tired)[0]?.maskHigh, parityBits(2 * round, 2));
  }
  assert.equal(tired.addMissing(0, 0b11, 0, tired.sent, true), 2);
  assert.deepEqual(tired.take(44), { block: 0, maskLow: 0b11, maskHigh: 0, stamp: 64, fragments: 2 });
  tired.addBlock(8, 44);
  takeAll(tired);
  assert.equal(tired.addMissing(8, 1, 0, tired.sent, true), 1);
  assert.equal(tired.take(44)?.maskHigh, parityBits(0, 1), "the next block in its row has all of its parity");
});

test("parity follows a block unasked, and does for what is reported meanwhile", () => {
  const queue = queueOf();
  queue.addBlock(0, 44, 3);
  queue.take(44);
  assert.deepEqual([queue.nextSecondTime, queue.isEmpty], [0, true]);
  assert.equal(queue.addMissing(0, 0b111, 0, 44, true), 0);
  queue.addSecondTime();
  assert.deepEqual([queue.repaired, queue.parity], [3, 3]);
  assert.equal(queue.take(44)?.maskHigh, parityBits(0, 3));
  assert.deepEqual([queue.nextSecondTime, queue.take(44)], [undefined, undefined]);
  queue.addBlock(1, 44, 2);
  queue.take(44);
  assert.equal(queue.addMissing(1, 0b111, 0, queue.sent, true), 1);
  assert.equal(queue.take(44)?.maskHigh, parityBits(0, 3), "all of it goes together");
  assert.equal(queue.nextSecondTime, undefined);
  queue.addBlock(2, 2, 5);
  takeAll(queue);
  queue.addSecondTime();
  assert.equal(queue.take(44)?.maskHigh, parityBits(0, 1), "less than the block itself");
  queue.addBlock(3, 1, 5);
  takeAll(queue);
  assert.equal(queue.nextSecondTime, undefined, "a block of one fragment has none");
});
