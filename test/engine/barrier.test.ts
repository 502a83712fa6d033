import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { Barrier, type MemberProgress } from "../../src/engine/sender/barrier.ts";
import type { Member } from "../../src/engine/types.ts";
import { MemberPhase, type Status } from "../../src/wire/status-message.ts";

/** What counts as getting on, and that nothing goes back. */

const memberOf = (index: number): Member => ({
  nodeId: String(index).padStart(32, "0"),
  epoch: String(index).padStart(16, "0"),
  address: { ip: "10.0.0.1", port: 5000 },
  info: { hostName: `host${index}`, version: "1", protocol: 3, receives: true, sends: true, labels: [] },
  joinedMs: 0,
});

const START: Status = {
  sender: "a".repeat(16),
  transfer: 1,
  phase: MemberPhase.receiving,
  stamp: 0,
  stagedBelow: 3,
  windowEnd: 10,
  inFlight: 100,
  received: 50,
  missingRuns: [],
  missingFragments: [],
  wants: [],
  reason: "",
  findings: 0,
  worked: 4,
  admission: 1,
  ahead: 0,
  order: 2,
};

/** A member that has said where it is after 10 ms. */
function begun(): { barrier: Barrier; progress: MemberProgress; update: (parts: Partial<Status>) => number } {
  const barrier = new Barrier([memberOf(0), memberOf(1)], 5);
  const progress = barrier.of(memberOf(0).epoch)!;
  let nowMs = 10;
  const update = (parts: Partial<Status>) => {
    barrier.update(progress, { ...START, ...parts }, 20, nowMs);
    nowMs += 10;
    return progress.movedMs;
  };
  assert.deepEqual([progress.movedMs, progress.heardMs, progress.hasAnswered], [5, 5, false]);
  assert.equal(update({}), 10);
  return { barrier, progress, update };
}

test("the first answer counts, even if it brings nothing", () => {
  const barrier = new Barrier([memberOf(0)], 5);
  const progress = barrier.of(memberOf(0).epoch)!;
  barrier.update(progress, { ...START, stagedBelow: 0, worked: 0, order: 0 }, 0, 9);
  assert.equal(progress.movedMs, 9);
});

test("a member gets on by its phase, its blocks, its wants, its place or its work", () => {
  const want = { block: 0, entries: new Bitmap(1), differences: undefined };
  for (const parts of [
    { phase: MemberPhase.ready },
    { stagedBelow: 4 },
    { wants: [want] },
    { order: 3 },
    { worked: 5 },
    { worked: 3 },
  ]) {
    const { update, progress } = begun();
    assert.equal(update(parts), 20, JSON.stringify(parts));
    const { phase = START.phase, stagedBelow = 3, order = 2, worked = 4 } = parts as Partial<Status>;
    const { phase: a, stagedBelow: b, order: c, worked: d } = progress;
    assert.deepEqual([a, b, c, d], [phase, stagedBelow, order, worked]);
  }
});

test("a member that only says the same again, or something older, does not get on", () => {
  const { update, progress } = begun();
  for (const parts of [
    {},
    { stagedBelow: 2 },
    { order: 1 },
    { received: 60 },
    { phase: MemberPhase.waiting },
  ])
    assert.equal(update(parts), 10, JSON.stringify(parts));
  assert.equal(progress.heardMs, 60);
  assert.deepEqual([progress.stagedBelow, progress.order, progress.phase], [3, 2, MemberPhase.receiving]);
});

test("work that was told once is not told again by the same number", () => {
  const { update } = begun();
  assert.equal(update({ worked: 5 }), 20);
  assert.equal(update({ worked: 5 }), 20);
});

test("what was received only counts up, as a serial number", () => {
  const { update, progress } = begun();
  const received = (number: number) => {
    update({ received: number });
    return progress.received;
  };
  assert.deepEqual([50, 49, 51, 2 ** 31 + 50].map(received), [50, 50, 51, 2 ** 31 + 50]);
  assert.equal(received(10), 10, "it has gone around");
});

test("the last in everything decides, until it has left with its verdict", () => {
  const { barrier, progress } = begun();
  const other = barrier.of(memberOf(1).epoch)!;
  assert.deepEqual([barrier.stagedBelow, barrier.size, barrier.unanswered()], [0, 2, [memberOf(1)]]);
  assert.equal(barrier.everyone(MemberPhase.receiving), true);
  assert.deepEqual(barrier.below(MemberPhase.ready), barrier.epochs);
  assert.deepEqual(barrier.below(MemberPhase.receiving), []);
  barrier.settle(other, "failed", "why");
  assert.deepEqual([barrier.stagedBelow, barrier.size, barrier.window.end], [3, 1, 10]);
  assert.equal(barrier.of(other.member.epoch), undefined);
  const { epoch, address } = memberOf(1);
  assert.deepEqual(barrier.verdicts, [
    { epoch, hostName: "host1", address, outcome: "failed", reason: "why" },
  ]);
  barrier.forgive(7);
  assert.deepEqual([progress.heardMs, progress.movedMs], [17, 17]);
  barrier.settleAll("done", "");
  assert.equal(barrier.size, 0);
  assert.equal(barrier.verdicts.length, 2);
});
