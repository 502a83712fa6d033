import assert from "node:assert/strict";
import fs from "node:fs";
import { mock, test, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { DiskWatch } from "../../src/daemon/catch-up/disk-watch.ts";

/** A host that is full tries again when there is more space than before its last attempt. */

const MEGABYTE = 1024 * 1024;

/** A file system with so many free megabytes, and a watch on it. */
function watched(context: TestContext, megabytes: number) {
  const disk = { megabytes, inodes: 1_000 };
  const found = () => ({ bavail: disk.megabytes, bsize: MEGABYTE, ffree: disk.inodes });
  context.mock.method(fs.promises, "statfs", () => Promise.resolve(found()));
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const state = { disk, told: 0 };
  const watch = new DiskWatch("/base", () => state.told++);
  const pass = async (ms: number) => {
    mock.timers.tick(ms);
    await turn();
  };
  return { state, watch, pass };
}

test("space that comes before the first look is noticed", async (context) => {
  const { state, watch, pass } = watched(context, 5);
  watch.noteAttempt();
  await turn();
  state.disk.megabytes = 0;
  watch.begin("ENOSPC");
  state.disk.megabytes = 20;
  await pass(500);
  assert.equal(state.told, 1);
});

test("an attempt that gives back what it took makes no space", async (context) => {
  const { state, watch, pass } = watched(context, 5);
  watch.noteAttempt();
  await turn();
  state.disk.megabytes = 0;
  watch.begin("ENOSPC");
  await pass(500);
  state.disk.megabytes = 5;
  await pass(5_000);
  assert.equal(state.told, 0);
  state.disk.megabytes = 6;
  await pass(5_000);
  assert.equal(state.told, 1);
  await pass(60_000);
  assert.equal(state.told, 1, "and is told once");
});

test("more inodes are space, too, and nothing is told after the end", async (context) => {
  const { state, watch, pass } = watched(context, 5);
  watch.noteAttempt();
  await turn();
  watch.begin("ENOSPC");
  state.disk.inodes += 10;
  await pass(500);
  assert.equal(state.told, 1);
  watch.begin("ENOSPC");
  watch.stop();
  await pass(60_000);
  assert.equal(state.told, 1);
});

test("a base that was read-only is noticed when it can be written", async (context) => {
  const { state, watch, pass } = watched(context, 5);
  const error = Object.assign(new Error("read-only"), { code: "EROFS" });
  let isClosed = true;
  context.mock.method(fs.promises, "access", () => (isClosed ? Promise.reject(error) : Promise.resolve()));
  watch.begin("EROFS");
  await pass(500);
  await pass(5_000);
  assert.equal(state.told, 0);
  isClosed = false;
  await pass(5_000);
  assert.equal(state.told, 1);
  // If it can be written all the time, the cause is another one, such as a directory below.
  watch.begin("EACCES");
  await pass(500);
  isClosed = true;
  await pass(5_000);
  isClosed = false;
  await pass(60_000);
  assert.equal(state.told, 1);
});

test("a disk that hangs is looked at once, however many attempts there are", async (context) => {
  let looks = 0;
  context.mock.method(fs.promises, "statfs", () => (looks++, new Promise(() => undefined)));
  const watch = new DiskWatch("/base", () => undefined);
  for (let attempt = 0; attempt < 5; attempt++) {
    watch.noteAttempt();
    await turn();
  }
  assert.equal(looks, 1);
});
