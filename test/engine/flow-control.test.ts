import assert from "node:assert/strict";
import { test } from "node:test";
import { FlowControl } from "../../src/engine/sender/flow-control.ts";

/** Sends as fast as the flow control allows for a time; how many fragments, and the most in any 100 ms. */
function sendFor(flow: FlowControl, durationMs: number, startMs = 0): { sent: number; mostIn100Ms: number } {
  const sends: { atMs: number; fragments: number }[] = [];
  for (let nowMs = startMs; nowMs < startMs + durationMs;) {
    const readyMs = flow.readyMs(nowMs);
    if (readyMs > nowMs) {
      nowMs = readyMs;
      continue;
    }
    const fragments = flow.largestSend();
    flow.noteSent(fragments, nowMs);
    sends.push({ atMs: nowMs, fragments });
    // Without a bound, something has to take time.
    nowMs += 0.05;
  }
  const within = (endMs: number) =>
    sends
      .filter((one) => one.atMs > endMs - 100 && one.atMs <= endMs)
      .reduce((sum, one) => sum + one.fragments, 0);
  return {
    sent: sends.reduce((sum, one) => sum + one.fragments, 0),
    mostIn100Ms: Math.max(...sends.map((one) => within(one.atMs))),
  };
}

for (const perSecond of [100, 5_000, 84_000]) {
  test(`a bound of ${perSecond} fragments a second is reached and held over any 100 ms`, () => {
    const flow = new FlowControl(perSecond);
    const { sent, mostIn100Ms } = sendFor(flow, 3000);
    assert.ok(sent > perSecond * 3 * 0.9 && sent <= perSecond * 3 * 1.05, `${sent} in 3 s`);
    assert.ok(mostIn100Ms <= perSecond / 10 + 2 * flow.largestSend(), `${mostIn100Ms} in 100 ms`);
  });
}

test("scattered loss at many members does not slow the sender down", () => {
  const flow = new FlowControl(Infinity);
  for (let round = 0; round < 50; round++) {
    const { sent } = sendFor(flow, 100, round * 100);
    for (let member = 0; member < 20; member++) flow.noteLost(`member${member}`, Math.round(sent * 0.05));
  }
  assert.equal(flow.fragmentsPerSecond, Infinity);
});

test("heavy loss at one member makes it slower, and it comes back when the loss ends", () => {
  const flow = new FlowControl(Infinity);
  const { sent } = sendFor(flow, 200);
  flow.noteLost("member", Math.round(sent * 0.4));
  sendFor(flow, 110, 200);
  const bounded = flow.fragmentsPerSecond;
  assert.ok(bounded < sent * 5, `${bounded} after ${sent} in 200 ms`);
  for (let round = 0; round < 60; round++) sendFor(flow, 100, 400 + round * 100);
  assert.ok(flow.fragmentsPerSecond > bounded * 4);
});
