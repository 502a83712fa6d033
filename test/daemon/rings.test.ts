import assert from "node:assert/strict";
import { test } from "node:test";
import { RingPool, TRAIN_BYTES } from "../../src/daemon/disk/rings.ts";

test("there are only as many rings as have run at a time, and the last one is taken first", () => {
  const pool = new RingPool();
  const rings = [pool.take(), pool.take(), pool.take()];
  assert.equal(new Set(rings).size, 3);
  for (const ring of rings) pool.give(ring, 1);
  const again = [pool.take(), pool.take(), pool.take()];
  assert.deepEqual(new Set(again), new Set(rings));
  assert.equal(again[0], rings[2]);
});

test("a ring of which much was used keeps its first part, and the rest can be written to", () => {
  const pool = new RingPool();
  const ring = pool.take();
  const bytes = new Uint8Array(ring).fill(7);
  pool.give(ring, 256);
  assert.equal(bytes[64 * TRAIN_BYTES - 1], 7);
  bytes[bytes.length - 1] = 9;
  assert.equal(bytes[bytes.length - 1], 9);
});
