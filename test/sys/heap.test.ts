import assert from "node:assert/strict";
import fs from "node:fs";
import { mock, test, type TestContext } from "node:test";
import vm from "node:vm";
import { heapBytes, HeapKeeper, releaseHeap } from "../../src/sys/heap.ts";

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

test("functions keep their bytecode, however often the heap is released", () => {
  const names = Array.from({ length: 300 }, (_, index) => `f${index}`);
  const texts = names.map(
    (name) => `function ${name}(list) { let sum = 0; for (const one of list) sum += one; return { sum }; }`,
  );
  const script = new vm.Script(`${texts.join("\n")}\n[${names.join()}]`);
  const functions = script.runInThisContext() as ((list: number[]) => unknown)[];
  for (const one of functions) one([1, 2]);
  const bytes = () => script.createCachedData().length;
  const before = bytes();
  for (let times = 0; times < 4; times++) releaseHeap();
  assert.equal(bytes(), before);
});

const MEBIBYTE = 1024 * 1024;

/**
 * A keeper in a process of this size, of which 20 MiB are pages of files. It counts how often it gives memory back, and how often it
 * collects the heap.
 */
function keeper(context: TestContext, sizeMiB: () => number): { keeper: HeapKeeper; counts: () => number[] } {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const collect = mock.fn();
  context.mock.method(vm, "runInNewContext", () => collect);
  const release = mock.fn();
  const counts = () => [release.mock.callCount(), collect.mock.callCount()];
  const size = () => ({ residentBytes: sizeMiB() * MEBIBYTE, ownBytes: (sizeMiB() - 20) * MEBIBYTE });
  return { keeper: new HeapKeeper(() => true, release, size), counts };
}

test("a process that has started collects its heap, and the rest is given back when all threads have collected theirs", (context) => {
  const { keeper: heap, counts } = keeper(context, () => 120);
  heap.noteStart();
  context.mock.timers.tick(2_000);
  assert.deepEqual(counts(), [0, 1]);
  context.mock.timers.tick(2_000);
  assert.deepEqual(counts(), [1, 1]);
});

test("a process that grew gives back in a long pause what costs the next transfer nothing", (context) => {
  let size = 110;
  const { keeper: heap, counts } = keeper(context, () => size);
  heap.noteEnd();
  context.mock.timers.tick(2_000);
  context.mock.timers.tick(29_999);
  assert.deepEqual(counts(), [0, 0]);
  context.mock.timers.tick(1);
  assert.deepEqual(counts(), [1, 0]);
  size = 75;
  context.mock.timers.tick(2_000);
  assert.deepEqual(counts(), [1, 0], "compiled code is still there");
  context.mock.timers.tick(30_000);
  assert.deepEqual(counts(), [2, 0], "what an idle process has taken back goes again");
});

test("a process that is large even then collects its heap", (context) => {
  const { keeper: heap, counts } = keeper(context, () => 76);
  heap.noteEnd();
  for (const pauseMs of [2_000, 30_000, 2_000, 2_000]) context.mock.timers.tick(pauseMs);
  assert.deepEqual(counts(), [2, 1]);
});

test("a process that stays large collects its heap once, until it has worked again", (context) => {
  const { keeper: heap, counts } = keeper(context, () => 120);
  const collections = () => counts()[1];
  heap.noteEnd();
  for (let second = 0; second < 1_000; second++) context.mock.timers.tick(1_000);
  assert.equal(collections(), 1);
  heap.noteEnd();
  for (let second = 0; second < 1_000; second++) context.mock.timers.tick(1_000);
  assert.equal(collections(), 2);
});

test("a process that did not grow keeps everything in a pause", (context) => {
  const { keeper: heap, counts } = keeper(context, () => 59);
  heap.noteEnd();
  for (const pauseMs of [2_000, 30_000, 2_000, 2_000]) context.mock.timers.tick(pauseMs);
  assert.deepEqual(counts(), [0, 0]);
});

test("a process that cannot learn how large it is keeps everything, and looks again", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const fail = () => {
    throw Object.assign(new Error("EMFILE"), { code: "EMFILE" });
  };
  const looks = [
    context.mock.method(fs, "readFileSync", fail),
    context.mock.method(process.memoryUsage, "rss", fail),
  ];
  const release = mock.fn();
  new HeapKeeper(() => true, release).noteEnd();
  for (const pauseMs of [2_000, 30_000, 30_000]) context.mock.timers.tick(pauseMs);
  for (const look of looks) look.mock.restore();
  assert.equal(release.mock.callCount(), 0);
  context.mock.timers.tick(30_000);
  assert.equal(release.mock.callCount(), 1);
});
