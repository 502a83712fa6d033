import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGE_BYTES, PagePool } from "../../src/net/page-pool.ts";

/** Pages are taken and given back, and their memory with them. */

const MARK = 0x5a;

/** Takes so many pages and writes into each. */
function use(pool: PagePool, count: number): number[] {
  return Array.from({ length: count }, () => {
    const page = pool.take();
    assert.ok(page !== undefined);
    pool.bytes.fill(MARK, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    return page;
  });
}

/** Of which of so many pages the memory is still there; the system's pages may begin in the middle of these. */
function kept(pool: PagePool, count: number): number[] {
  return Array.from({ length: count }, (_, page) => page).filter((page) => {
    const ends = [pool.bytes[page * PAGE_BYTES + 4096], pool.bytes[(page + 1) * PAGE_BYTES - 4097]];
    assert.equal(ends[0], ends[1], `page ${page} is kept as a whole`);
    return ends[0] === MARK;
  });
}

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test("the lowest pages are taken first, and one that was given back before all others", () => {
  const pool = new PagePool(4);
  assert.equal(pool.memory.byteLength, 4 * 65_536, "each holds the longest UDP message");
  assert.deepEqual([pool.take(), pool.take(), pool.isEmpty], [0, 1, false]);
  pool.give(0);
  assert.deepEqual([pool.take(), pool.take(), pool.take()], [0, 2, 3]);
  assert.deepEqual([pool.isEmpty, pool.take()], [true, undefined]);
  pool.give(2);
  assert.deepEqual([pool.isEmpty, pool.take()], [false, 2]);
});

test("the memory of 64 used pages is kept in a pause, that of more is given back", () => {
  for (const [used, left] of [
    [64, 64],
    [65, 0],
  ] as const) {
    const pool = new PagePool(100);
    for (const page of use(pool, used)) pool.give(page);
    pool.trim();
    assert.equal(kept(pool, 100).length, left, `${used} were used`);
  }
});

test("pages that are in use keep their memory, and the lowest free one is taken next", () => {
  const pool = new PagePool(200);
  const used = use(pool, 180);
  const held = [0, 50, 51, 120, 179];
  for (const page of used) if (!held.includes(page)) pool.give(page);
  pool.trim();
  // What was never used has no mark either.
  assert.deepEqual(kept(pool, 200), held);
  assert.deepEqual([pool.take(), pool.take()], [1, 2]);
});

test("what was given back once is not worth it again until it is used", () => {
  const pool = new PagePool(100);
  for (const page of use(pool, 80)) pool.give(page);
  pool.trim();
  pool.bytes.fill(MARK);
  pool.trim();
  assert.deepEqual(kept(pool, 100), range(0, 99));
  for (const page of use(pool, 65)) pool.give(page);
  pool.trim();
  assert.deepEqual(kept(pool, 100), []);
});
