import assert from "node:assert/strict";
import { test } from "node:test";
import { InboundPages } from "../../src/daemon/pump/inbound-pages.ts";
import { PAGE_BYTES, PagePool } from "../../src/net/page-pool.ts";
import { FRAGMENT_PAYLOAD_BYTES } from "../../src/wire/datagram.ts";

const KEY = { epoch: "0011223344556677", transfer: 1, admission: 1 };

function opened(pageCount: number) {
  const pool = new PagePool(pageCount);
  const pages = new InboundPages(pool);
  pages.open(KEY);
  return { pool, pages };
}

/** Fills a page with payloads that tell which fragments they are. */
function fill(pool: PagePool, page: number, first: number, count: number): void {
  for (let index = 0; index < count; index++) {
    const start = page * PAGE_BYTES + index * FRAGMENT_PAYLOAD_BYTES;
    pool.bytes.fill(first + index + 1, start, start + FRAGMENT_PAYLOAD_BYTES);
  }
}

function payloadAt(pool: PagePool, page: number, index: number): number[] {
  const start = page * PAGE_BYTES + index * FRAGMENT_PAYLOAD_BYTES;
  const bytes = pool.bytes.subarray(start, start + FRAGMENT_PAYLOAD_BYTES);
  return [bytes[0]!, bytes.at(-1)!];
}

test("a train from the beginning of its block stays where it was read", () => {
  const { pool, pages } = opened(4);
  const page = pool.take()!;
  fill(pool, page, 0, 44);
  const next = pages.keepRun(KEY, 7, 0, 44, page);
  assert.notEqual(next, page);
  assert.equal(pages.handOver(KEY, 7), page);
});

test("fragments of a transfer may come before anything else is heard of it", () => {
  const pool = new PagePool(4);
  const pages = new InboundPages(pool);
  const page = pool.take()!;
  fill(pool, page, 0, 44);
  const reading = pages.keepRun(KEY, 7, 0, 44, page);
  const payload = Buffer.alloc(FRAGMENT_PAYLOAD_BYTES, 9);
  const place = { fullBytes: FRAGMENT_PAYLOAD_BYTES, payloadStart: 0, payloadBytes: payload.length };
  pages.keepFragment(KEY, { ...place, block: 8, index: 0 }, payload);
  pages.open(KEY);
  assert.notEqual(reading, page);
  assert.equal(pages.handOver(KEY, 7), page);
  assert.deepEqual(payloadAt(pool, pages.handOver(KEY, 8), 0), [9, 9]);
});

test("a train from the middle of its block is copied to its place", () => {
  const { pool, pages } = opened(4);
  const page = pool.take()!;
  fill(pool, page, 0, 2);
  const reading = pages.keepRun(KEY, 7, 0, 2, page);
  fill(pool, reading, 30, 5);
  assert.equal(pages.keepRun(KEY, 7, 30, 5, reading), reading);
  const block = pages.handOver(KEY, 7);
  assert.deepEqual(payloadAt(pool, block, 1), [2, 2]);
  assert.deepEqual(
    [30, 31, 32, 33, 34].map((index) => payloadAt(pool, block, index)),
    [31, 32, 33, 34, 35].map((byte) => [byte, byte]),
  );
  for (const index of [29, 35]) assert.deepEqual(payloadAt(pool, block, index), [0, 0]);
});

test("a train that comes before the transfer is opened stays where it was read, too", () => {
  const pool = new PagePool(4);
  const pages = new InboundPages(pool);
  const page = pool.take()!;
  const next = pages.keepRun(KEY, 0, 0, 44, page);
  pages.open(KEY);
  assert.equal(pages.handOver(KEY, 0), page);
  pool.give(page);
  pool.give(next);
  pages.close(KEY);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map(() => pool.take() !== undefined),
    [true, true, true, true, false],
  );
});

test("a train replaces what was forged of its block before it came", () => {
  const { pool, pages } = opened(4);
  const forged = Buffer.alloc(FRAGMENT_PAYLOAD_BYTES, 0xff);
  const place = { block: 7, fullBytes: FRAGMENT_PAYLOAD_BYTES, payloadStart: 0, payloadBytes: forged.length };
  for (const index of [0, 20, 43]) pages.keepFragment(KEY, { ...place, index }, forged);
  const page = pool.take()!;
  fill(pool, page, 0, 44);
  pages.keepRun(KEY, 7, 0, 44, page);
  const block = pages.handOver(KEY, 7);
  for (const index of [0, 1, 20, 43]) {
    assert.deepEqual(payloadAt(pool, block, index), [index + 1, index + 1]);
  }
});

test("parity lies in the place of a missing fragment, and moves from there", () => {
  const { pool, pages } = opened(4);
  const payload = Buffer.alloc(FRAGMENT_PAYLOAD_BYTES, 0x77);
  const place = { fullBytes: FRAGMENT_PAYLOAD_BYTES, payloadStart: 0, payloadBytes: payload.length };
  pages.keepFragment(KEY, { ...place, block: 7, index: 45 }, payload, 2);
  pages.moveFragment(KEY, 7, { from: 2, to: 43 }, FRAGMENT_PAYLOAD_BYTES);
  const page = pool.take()!;
  fill(pool, page, 0, 43);
  assert.equal(pages.keepRun(KEY, 7, 0, 43, page), page, "the block has its page");
  const block = pages.handOver(KEY, 7);
  assert.deepEqual(payloadAt(pool, block, 2), [3, 3]);
  assert.deepEqual(payloadAt(pool, block, 43), [0x77, 0x77]);
});

test("all pages come back, those of blocks that were not whole too", () => {
  const { pool, pages } = opened(4);
  const handed = [pool.take()!, pool.take()!];
  let reading = handed[0]!;
  for (const block of [1, 2]) reading = pages.keepRun(KEY, block, 0, 1, reading);
  assert.equal(pages.areUsedUp, true);
  const staged = pages.handOver(KEY, 1);
  pages.close(KEY);
  pages.give(staged);
  const rest = [pool.take(), pool.take()];
  assert.equal(new Set([...rest, reading, handed[1]]).size, 4);
  assert.equal(pool.take(), undefined);
});

test("giving memory back in a pause leaves the pages that are in use as they are", () => {
  const pool = new PagePool(300);
  const pages = Array.from({ length: 200 }, () => pool.take()!);
  for (const page of pages) pool.bytes.fill(1, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
  const [kept, given] = [pages.filter((page) => page % 7 === 0), pages.filter((page) => page % 7 !== 0)];
  for (const page of given) pool.give(page);
  pool.trim();
  for (const page of kept) {
    assert.ok(pool.bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES).every((byte) => byte === 1));
  }
  const zeros = given.filter((page) => pool.bytes[page * PAGE_BYTES + PAGE_BYTES / 2] === 0);
  assert.equal(zeros.length, given.length, "the memory of the others has gone back");
  const taken = Array.from({ length: 300 - kept.length }, () => pool.take());
  assert.equal(new Set([...taken, ...kept]).size, 300);
});

test("payloads of shorter fragments lie without a gap between them", () => {
  const { pool, pages } = opened(4);
  const fullBytes = 1220;
  for (const index of [1, 0]) {
    const bytes = Buffer.alloc(10 + fullBytes, index + 1);
    pages.keepFragment(KEY, { block: 7, index, fullBytes, payloadStart: 10, payloadBytes: fullBytes }, bytes);
  }
  const start = pages.handOver(KEY, 7) * PAGE_BYTES;
  const found = [0, fullBytes - 1, fullBytes, 2 * fullBytes - 1].map((at) => pool.bytes[start + at]);
  assert.deepEqual(found, [1, 1, 2, 2]);
});
