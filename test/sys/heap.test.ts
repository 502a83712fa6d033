import assert from "node:assert/strict";
import { test } from "node:test";
import { heapBytes, releaseHeap } from "../../src/sys/heap.ts";

test("a heap that was large is small again after it was released", () => {
  const before = heapBytes();
  let objects: object[] | undefined = Array.from({ length: 1_000_000 }, (_, index) => ({
    index,
    name: `${index}`,
  }));
  const most = heapBytes();
  assert.ok(most > before + 30e6, `${most} bytes`);
  assert.equal(objects.length, 1_000_000);
  objects = undefined;
  releaseHeap();
  const after = heapBytes();
  assert.ok(after < before + (most - before) / 3, `${before}, ${most}, ${after} bytes`);
});
