import assert from "node:assert/strict";
import { test } from "node:test";
import { Lifecycle } from "../../src/daemon/service/lifecycle.ts";
import { sleep } from "../support/processes.ts";

/** A lifecycle with a short patience, and parts that write down when they are stopped. */
function begin(patienceMs = 1000) {
  const lifecycle = new Lifecycle(patienceMs);
  const stops: string[] = [];
  const part = (name: string) => ({ close: () => void stops.push(name) });
  const start = (name: string) => lifecycle.started(() => void stops.push(name));
  return { lifecycle, stops, part, start };
}

test("what was started last is stopped first, one after the other", async () => {
  const { lifecycle, stops, start } = begin();
  start("first");
  lifecycle.started(async () => {
    await sleep(20);
    stops.push("slow");
  });
  start("last");
  await lifecycle.stop();
  assert.deepEqual(stops, ["last", "slow", "first"]);
});

test("a part that was opened early and put to work late is stopped by its work, once", async () => {
  const { lifecycle, stops, part, start } = begin();
  const [socket, other] = [part("socket"), part("other")];
  lifecycle.opened(socket);
  lifecycle.opened(other);
  start("history");
  lifecycle.putToWork(socket);
  start("pump");
  await lifecycle.stop();
  assert.deepEqual(stops, ["pump", "socket", "history", "other"]);
});

test("a second stop finds nothing left", async () => {
  const { lifecycle, stops, start } = begin();
  start("part");
  await lifecycle.stop();
  await lifecycle.stop();
  assert.deepEqual(stops, ["part"]);
});

test("running work ends before the first part is stopped", async () => {
  const { lifecycle, stops, start } = begin(10_000);
  let isBusy = true;
  start("part");
  lifecycle.waitsFor({
    refuse: () => {
      stops.push("refused");
      setTimeout(() => {
        stops.push("ended");
        isBusy = false;
      }, 50);
    },
    isBusy: () => isBusy,
    cutOff: () => void stops.push("cut off"),
  });
  const began = performance.now();
  await lifecycle.stop();
  assert.deepEqual(stops, ["refused", "ended", "cut off", "part"]);
  assert.ok(performance.now() - began < 5_000, "it waits for the work, and no longer");
});

test("work that does not end is cut off when the patience is over", async () => {
  const { lifecycle, stops, start } = begin(60);
  start("part");
  const began = performance.now();
  lifecycle.waitsFor({ isBusy: () => true, cutOff: () => void stops.push("cut off") });
  await lifecycle.stop();
  assert.deepEqual(stops, ["cut off", "part"]);
  assert.ok(performance.now() - began >= 60);
});
