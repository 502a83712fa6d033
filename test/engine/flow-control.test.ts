import assert from "node:assert/strict";
import { test } from "node:test";
import { FlowControl } from "../../src/engine/sender/flow-control.ts";
import { TokenBucket } from "../../src/engine/sender/token-bucket.ts";

/** Fragments that a line carries in a millisecond: a gigabit, about. */
const LINE_PER_MS = 84;

interface Line {
  /** Fragments a millisecond that get through. */
  carries: number;
  /** Share that gets lost besides, at each of the members. */
  readonly loss: readonly number[];
}

/** A sender that sends as fast as it may on a line, whose members report every 20 ms. */
class Rig {
  readonly flow = new FlowControl(new TokenBucket(Infinity), 0);
  private nowMs = 0;
  private sent = 0;

  /** Sends for a time; returns how many fragments went out and got through. */
  run(durationMs: number, line: Line): { sent: number; carried: number } {
    const total = { sent: 0, carried: 0 };
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs;) {
      const { sent, carried } = this.sendFor(20, line);
      for (const [member, loss] of line.loss.entries())
        this.flow.noteReport(
          `member${member}`,
          this.sent - sent,
          this.sent,
          Math.round(carried * (1 - loss)),
        );
      total.sent += sent;
      total.carried += carried;
    }
    return total;
  }

  private sendFor(durationMs: number, line: Line): { sent: number; carried: number } {
    let sent = 0;
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs;) {
      const fragments = this.flow.largestSend;
      const readyMs = this.flow.readyMs(fragments, this.nowMs);
      if (readyMs > this.nowMs) {
        this.nowMs = Math.min(endMs, readyMs);
        continue;
      }
      this.flow.noteSent(fragments);
      sent += fragments;
      this.nowMs += fragments / LINE_PER_MS;
    }
    this.sent += sent;
    return { sent, carried: Math.min(sent, line.carries * durationMs) };
  }
}

for (const share of [0.01, 0.05, 0.12]) {
  test(`${share * 100} % of scattered loss at many members does not slow the sender down`, () => {
    const rig = new Rig();
    rig.run(5000, {
      carries: Infinity,
      loss: Array.from({ length: 20 }, (_, member) => share + member / 2000),
    });
    assert.equal(rig.flow.fragmentsPerSecond, Infinity);
  });
}

for (const carries of [8.4, 25, 60]) {
  test(`the rate finds what a line carries, ${carries} fragments a millisecond, and stays there`, () => {
    const rig = new Rig();
    rig.run(1000, { carries, loss: [0] });
    const { sent, carried } = rig.run(10_000, { carries, loss: [0] });
    assert.ok(carried > 0.9 * carries * 10_000, `${carried} carried`);
    assert.ok(sent - carried < 0.1 * sent, `${sent - carried} of ${sent} lost`);
  });
}

test("scattered loss behind a slower line does not make it slower still", () => {
  const rig = new Rig();
  rig.run(2000, { carries: 25, loss: [0.05, 0.01] });
  const { carried } = rig.run(10_000, { carries: 25, loss: [0.05, 0.01] });
  assert.ok(carried > 0.85 * 250_000, `${carried} carried`);
});

test("when the slower line is gone, the rate comes back within two seconds", () => {
  const rig = new Rig();
  rig.run(3000, { carries: 8.4, loss: [0.01] });
  assert.ok(rig.flow.fragmentsPerSecond < 12_000);
  rig.run(2000, { carries: Infinity, loss: [0.01] });
  assert.ok(rig.flow.fragmentsPerSecond > LINE_PER_MS * 1000, `${rig.flow.fragmentsPerSecond}`);
});

test("heavy loss that does not depend on the rate slows the sender down for a moment only", () => {
  const rig = new Rig();
  rig.run(4000, { carries: Infinity, loss: [0.25] });
  const { sent } = rig.run(4000, { carries: Infinity, loss: [0.25] });
  assert.ok(sent > 0.95 * LINE_PER_MS * 4000, `${sent}`);
});

test("reports of what was sent at the rate before do not lower the new one", () => {
  const flow = new FlowControl(new TokenBucket(Infinity), 0);
  flow.noteSent(8000);
  flow.noteReport("member", 0, 4000, 1990);
  flow.readyMs(1, 100);
  const slowed = flow.fragmentsPerSecond;
  assert.ok(slowed < 45_000, `${slowed}`);
  flow.noteReport("member", 4000, 8000, 2000);
  flow.readyMs(1, 200);
  flow.readyMs(1, 300);
  assert.equal(flow.fragmentsPerSecond, slowed);
});

test("what a busy member reads late is not taken for lost", () => {
  const flow = new FlowControl(new TokenBucket(Infinity), 0);
  flow.noteSent(1306);
  flow.noteReport("member", 0, 306, 153);
  flow.readyMs(1, 100);
  flow.noteReport("member", 306, 1306, 1153);
  flow.readyMs(1, 200);
  assert.equal(flow.fragmentsPerSecond, Infinity);
});

test("a sender that is too busy to use its rate comes out of it all the same", () => {
  const flow = new FlowControl(new TokenBucket(Infinity), 0);
  flow.noteSent(1000);
  flow.noteReport("member", 0, 1000, 400);
  flow.readyMs(1, 100);
  const slowed = flow.fragmentsPerSecond;
  assert.ok(slowed < 10_000, `${slowed}`);
  let sent = 1000;
  // Its bucket holds what the rate gives in three milliseconds, and it comes by every six.
  for (let nowMs = 100; nowMs < 4000; nowMs += 6) {
    const before = sent;
    for (
      const size = flow.largestSend;
      flow.readyMs(size, nowMs) <= nowMs && sent - before < 500;
      sent += size
    )
      flow.noteSent(size);
    flow.noteReport("member", before, sent, sent - before);
  }
  assert.ok(flow.fragmentsPerSecond > 10 * slowed, `${flow.fragmentsPerSecond}`);
});
