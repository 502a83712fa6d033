import assert from "node:assert/strict";
import { test } from "node:test";
import { FlowControl } from "../../src/engine/sender/flow-control.ts";
import { TokenBucket } from "../../src/engine/sender/token-bucket.ts";
import { compareTranscript } from "./transcript.ts";

/** The rate of a transfer step by step: when it is judged, and what becomes of it. */

const fresh = () => new FlowControl(new TokenBucket(Infinity), 0);

/** A member tells, for each 1,000 fragments of so many, which share of them it has lost. */
class Steps {
  readonly flow = fresh();
  readonly lines: string[] = [];
  private sent = 0;
  private nowMs = 0;

  /** Lets a time pass in which so many fragments a millisecond go out, of which each member loses a share. */
  pass(durationMs: number, perMs: number, losses: readonly number[]): this {
    const fragments = durationMs * perMs;
    this.flow.noteSent(fragments);
    for (const [member, loss] of losses.entries())
      this.flow.noteReport(
        `member${member}`,
        this.sent,
        this.sent + fragments,
        Math.round(fragments * (1 - loss)),
      );
    this.sent += fragments;
    this.nowMs += durationMs;
    this.flow.readyMs(1, this.nowMs);
    const { fragmentsPerSecond: rate, isSlowed } = this.flow;
    const told = losses.map((loss) => `${loss * 100} %`).join(", ");
    this.lines.push(
      `${this.nowMs} ms, ${perMs} a ms, lost ${told}: ${Math.round(rate * 100) / 100}${isSlowed ? "" : ", no rate"}`,
    );
    return this;
  }

  /** Lets several times pass, one like the other, as fast as the rate allows, up to the line. */
  go(count: number, linePerMs: number, losses: readonly number[]): this {
    for (let step = 0; step < count; step++)
      this.pass(100, Math.min(linePerMs, Math.floor(this.flow.fragmentsPerSecond / 1000)), losses);
    return this;
  }
}

test("transcript: the rate in a bottleneck, out of it, and in another one", () => {
  const steps = new Steps();
  steps.go(3, 80, [0, 0.1]).go(2, 80, [0.02, 0.4]).go(3, 80, [0.02, 0.05]).go(14, 80, [0.01, 0]);
  steps
    .go(1, 80, [0.06, 0])
    .go(2, 80, [0.058, 0])
    .go(2, 80, [0.01, 0])
    .go(1, 80, [0.3, 0.7])
    .go(6, 80, [0, 0]);
  compareTranscript("rates", steps.lines);
});

test("transcript: loss that does not depend on the rate, and a sender that does not use it", () => {
  const steps = new Steps();
  steps.go(2, 80, [0.3]).go(12, 80, [0.3]).go(1, 80, [0.33]).go(1, 80, [0.36]).go(3, 80, [0.33]);
  for (let count = 0; count < 4; count++) steps.pass(100, 5, [0.3]);
  steps.go(3, 80, [0.3]);
  // Datagrams that come twice.
  steps.go(12, 80, [-0.1]).go(3, 80, [0.03]).go(3, 80, [0]);
  const usual = new Steps();
  usual.go(12, 80, [0.12]).go(3, 80, [0.2]).go(1, 80, [0.24]).go(2, 80, [0.26]);
  steps.lines.push(...usual.lines);
  compareTranscript("rates-usual-loss", steps.lines);
});

/** The rate after one interval of loss, and a second one of the same. */
function slowed(fragments: number, received: number, times: readonly number[]): number[] {
  const flow = fresh();
  return times.map((nowMs, index) => {
    flow.noteSent(fragments);
    flow.noteReport("member", index * fragments, (index + 1) * fragments, received);
    flow.readyMs(1, nowMs);
    return Math.round(flow.fragmentsPerSecond);
  });
}

test("without a rate loss has to last for 200 ms, unless half of a thousand is lost", () => {
  assert.deepEqual(slowed(600, 400, [100, 199, 200]), [Infinity, Infinity, 5760]);
  assert.deepEqual(slowed(999, 400, [1, 50]), [Infinity, 15_360], "two reports together");
  assert.deepEqual(slowed(1000, 500, [50, 99]), [Infinity, Infinity], "exactly half");
  assert.deepEqual(slowed(1000, 499, [50]), [9581]);
});

test("a pause before a burst is none of the network's, if half of the burst is lost", () => {
  for (const [received, least, most] of [
    [400, 18_000, 20_000],
    // With less, the queue on the way may have taken much of it, and empties in the pause.
    [600, Infinity, Infinity],
  ] as const) {
    const flow = fresh();
    flow.readyMs(1, 0);
    flow.noteSent(1);
    for (let nowMs = 60; nowMs < 80; nowMs++) {
      flow.readyMs(50, nowMs);
      flow.noteSent(50);
    }
    flow.noteReport("member", 0, 1001, received);
    flow.readyMs(1, 80);
    const { fragmentsPerSecond: rate } = flow;
    assert.ok(rate >= least && rate <= most, `${rate} with ${received} of 1,001`);
  }
});

test("how soon after an interval began half is lost does not change what the network is taken to carry", () => {
  const rates = [1, 2, 5, 20].map((afterMs) => {
    const flow = fresh();
    const send = (fromMs: number, toMs: number) => {
      for (let nowMs = fromMs; nowMs < toMs; nowMs += 0.5) {
        flow.readyMs(44, nowMs);
        flow.noteSent(44);
      }
    };
    send(0, 100);
    flow.noteReport("member", 0, 6000, 6000);
    flow.readyMs(44, 100);
    send(100, 100 + afterMs);
    flow.noteReport("member", 6000, 8000, 800);
    flow.readyMs(44, 100 + afterMs);
    return Math.round(flow.fragmentsPerSecond / 1000);
  });
  assert.deepEqual(rates, [34, 34, 34, 34]);
});

test("loss that did not depend on the rate before a congestion does not after it", () => {
  for (const [usual, isLowered] of [
    [0.05, false],
    [0, true],
  ] as const) {
    // The first congestion finds out what is usual, and the second one need not.
    const steps = new Steps().go(12, 80, [usual]).go(2, 80, [0.3]).go(4, 80, [usual]).go(1, 80, [0.3]);
    assert.equal(steps.flow.isSlowed, true);
    const before = steps.flow.fragmentsPerSecond;
    steps.go(1, 80, [0.055]);
    assert.equal(steps.flow.fragmentsPerSecond < before, isLowered, `${usual}`);
  }
});

test("loss that was there without a rate may be that of a congestion", () => {
  const steps = new Steps().go(12, 80, [0.12]).go(2, 80, [0.3]);
  const before = steps.flow.fragmentsPerSecond;
  steps.go(1, 80, [0.1]);
  assert.ok(steps.flow.fragmentsPerSecond < before);
});

test("the rate is not judged by fewer than 256 fragments", () => {
  for (const [span, isSlowed] of [
    [255, false],
    [256, true],
  ] as const) {
    const flow = fresh();
    flow.noteSent(1000);
    flow.noteReport("member", 0, span, 100);
    flow.readyMs(1, 100);
    flow.readyMs(1, 200);
    assert.equal(flow.isSlowed, isSlowed, `${span}`);
  }
});

test("reports that go back, or bring nothing, are not counted", () => {
  const flow = fresh();
  flow.noteSent(2000);
  flow.noteReport("member", 1000, 1000, 0);
  flow.noteReport("member", 2000, 1000, 0);
  flow.readyMs(1, 100);
  assert.equal(flow.isSlowed, false);
  flow.noteReport("member", 0, 1000, 300);
  flow.readyMs(1, 150);
  assert.equal(flow.fragmentsPerSecond, 1000, "nothing was sent since the interval began");
});

test("a member that has told of less than half of what another has does not decide", () => {
  for (const [span, isDeciding] of [
    [499, false],
    [500, true],
  ] as const) {
    const flow = fresh();
    for (const nowMs of [100, 200]) {
      flow.noteSent(1000);
      flow.noteReport("one", nowMs * 10 - 1000, nowMs * 10, 1000);
      flow.noteReport("other", nowMs * 10 - 1000, nowMs * 10 - 1000 + span, 0.6 * span);
      flow.readyMs(1, nowMs);
    }
    assert.equal(flow.isSlowed, isDeciding, `${span}`);
  }
});

test("a rate is never below a thousand fragments a second", () => {
  const flow = fresh();
  flow.noteSent(1000);
  flow.noteReport("member", 0, 1000, 0);
  flow.readyMs(1, 1000);
  assert.equal(flow.fragmentsPerSecond, 1000);
  assert.equal(flow.largestSend, 1);
});

test("the rate of the node bounds a transfer too, and what it announces counts there", () => {
  const node = new TokenBucket(10);
  const flow = new FlowControl(node, 0);
  assert.deepEqual([flow.largestSend, flow.fragmentsPerSecond, flow.isSlowed], [15, 10_000, false]);
  assert.equal(flow.readyMs(15, 0), 0);
  flow.noteSent(15);
  flow.noteSent(15);
  assert.equal(flow.readyMs(15, 0), 15 / 9.7);
  flow.noteAnnounced();
  assert.equal(flow.readyMs(15, 0), 16 / 9.7);
});

test("a rate that held the transfer up for half of the time grows, though little of it was used", () => {
  for (const [heldMs, grows] of [
    [50, true],
    [49, false],
  ] as const) {
    const flow = fresh();
    flow.noteSent(4000);
    flow.noteReport("member", 0, 4000, 1000);
    flow.readyMs(1, 100);
    assert.equal(flow.fragmentsPerSecond, 9600);
    flow.noteReport("member", 4000, 5000, 1000);
    flow.noteSent(10);
    // Far too much is asked for, so it is not ready.
    flow.readyMs(10_000, 110);
    assert.ok(flow.readyMs(10_000, 130) > 200);
    flow.readyMs(0, 130 + heldMs - 20);
    flow.readyMs(1, 190);
    flow.readyMs(1, 200);
    assert.equal(flow.fragmentsPerSecond, grows ? 9696 : 9600, `${heldMs}`);
  }
});

test("a report that begins before the rate was lowered is not counted, one that begins then is", () => {
  for (const [from, isCounted] of [
    [3999, false],
    [4000, true],
  ] as const) {
    const flow = fresh();
    flow.noteSent(4000);
    flow.noteReport("member", 0, 4000, 1000);
    flow.readyMs(1, 100);
    assert.equal(flow.fragmentsPerSecond, 9600);
    flow.noteSent(1000);
    flow.noteReport("member", from, 5000, 400);
    flow.readyMs(1, 200);
    assert.equal(flow.fragmentsPerSecond !== 9600, isCounted, `${from}`);
  }
});
