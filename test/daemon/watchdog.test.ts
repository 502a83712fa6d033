import assert from "node:assert/strict";
import { test } from "node:test";
import { Watchdog } from "../../src/daemon/service/watchdog.ts";
import { eventually } from "../support/processes.ts";

/** Signs of life say that the event pump turns, and nothing less. */

const INTERVAL_MS = 20;

test("a pump that turns when it is asked to gives a sign each time", async () => {
  let signs = 0;
  const watchdog = new Watchdog(() => signs++);
  let asked = 0;
  watchdog.start(INTERVAL_MS, () => {
    asked++;
    setImmediate(() => watchdog.turned());
  });
  await eventually("it has given signs", () => signs >= 3);
  assert.ok(asked - signs <= 1, "no turn that was asked for goes without a sign");
});

test("a pump that stands still gives none, although the timers run", async () => {
  let signs = 0;
  let asked = 0;
  new Watchdog(() => signs++).start(INTERVAL_MS, () => asked++);
  await eventually("the timer runs", () => asked >= 3);
  assert.equal(signs, 0);
});

test("a pump that turns all the time gives no more signs than are wanted", async () => {
  let signs = 0;
  const watchdog = new Watchdog(() => signs++);
  watchdog.start(10_000, () => undefined);
  for (let turn = 0; turn < 1000; turn++) watchdog.turned();
  assert.equal(signs, 0);
});
