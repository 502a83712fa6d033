import assert from "node:assert/strict";
import { test } from "node:test";
import { EffectTimes } from "../../src/daemon/catch-up/effect-times.ts";
import { publication } from "../engine/catching-node.ts";

test("publications take effect one after the other, also if the clock is set back, and over a restart", (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  const times = new EffectTimes();
  assert.equal(times.next(), 1_000_000);
  context.mock.timers.setTime(990_000);
  assert.deepEqual([times.next(), times.next()], [1_000_001, 1_000_002]);
  const next = new EffectTimes();
  const kept = (atMs: number, list: string) => ({
    publication: publication(1),
    here: { atMs, list, reason: "" },
  });
  // The time of one without a list was found to be wrong.
  next.noteLog([kept(1_000_002, "one"), kept(9_000_000, "")]);
  assert.equal(next.next(), 1_000_003);
  context.mock.timers.setTime(1_500_000);
  assert.equal(next.next(), 1_500_000);
});
