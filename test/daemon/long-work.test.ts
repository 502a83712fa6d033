import assert from "node:assert/strict";
import { test } from "node:test";
import { LongWork } from "../../src/daemon/disk/long-work.ts";

/** Work of the writing thread in turns, with a clock that each step moves on. */

function begin() {
  const said: string[] = [];
  let nowMs = 0;
  let resolve: () => void = () => undefined;
  const idle = new Promise<void>((done) => (resolve = done));
  const work = new LongWork(
    () => said.push("turn"),
    () => {
      said.push("idle");
      resolve();
    },
    () => said.push(`others wait at ${nowMs} ms`),
    () => nowMs,
  );
  function* steps(name: string, count: number, stepMs = 1): Generator<undefined> {
    for (let step = 0; step < count; step++) {
      nowMs += stepMs;
      yield;
    }
    said.push(`${name} is done`);
  }
  const start = (name: string, count: number, stepMs?: number) =>
    work.start(name, steps(name, count, stepMs), () => said.push(`${name} goes on at ${nowMs} ms`));
  return { said, work, start, idle };
}

test("a short work is done at once", () => {
  const { said, work, start } = begin();
  start("short", 4);
  assert.deepEqual(said, ["short is done", "idle"]);
  assert.ok(work.isEmpty);
});

test("a short work does not wait for the end of a long one", async () => {
  const { said, work, start, idle } = begin();
  start("long", 1_000);
  start("other", 1_000);
  start("short", 8);
  assert.equal(said.length, 0);
  assert.ok(!work.isEmpty);
  await idle;
  const words = said.filter((word) => word.endsWith("done"));
  assert.deepEqual(words, ["short is done", "long is done", "other is done"]);
  assert.ok(said.filter((word) => word === "turn").length > 100);
});

test("a long work tells each half second that it goes on", async () => {
  const { said, start, idle } = begin();
  start("long", 25, 100);
  await idle;
  const signs = said.filter((word) => word.includes("goes on"));
  assert.deepEqual(
    signs,
    [500, 1000, 1500, 2000, 2500].map((atMs) => `long goes on at ${atMs} ms`),
  );
});

test("the work on one transfer, or all of it, can be finished at once", () => {
  const { said, work, start } = begin();
  start("one", 1_000);
  start("two", 100);
  start("three", 100);
  work.finish("two");
  work.finish("two");
  const isTurn = (word: string) => word.startsWith("others wait");
  assert.deepEqual(
    said.filter((word) => !isTurn(word)),
    ["two is done"],
  );
  const before = said.filter(isTurn).length;
  assert.ok(before > 10, "after each turn those that wait hear of it");
  work.finishAll();
  assert.ok(said.filter(isTurn).length > before + 100);
  assert.deepEqual(
    said.filter((word) => !word.includes("goes on") && !isTurn(word)),
    ["two is done", "one is done", "three is done", "idle"],
  );
  assert.ok(said.some((word) => word.startsWith("one goes on")));
});
