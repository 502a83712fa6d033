import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { ScriptedReceiver, SELF } from "./scripted-receiver.ts";

/** What no longer matters to a transfer at a member, and what must not disturb another one. */

/** How transfers have ended. */
const ended = (node: ScriptedReceiver) =>
  node.events.flatMap((event) =>
    event.kind === "inbound-ended"
      ? [`${event.key.epoch.at(-1)} ${event.key.transfer} ${event.outcome}`]
      : [],
  );

test("before the first fragment none is to be kept", () => {
  assert.deepEqual(new ScriptedReceiver().engine.accepted, { low: 0, high: 0 });
});

test("fragments of one transfer do not keep the sender of another one alive", () => {
  const node = new ScriptedReceiver(2);
  node.offer(1, false, 0);
  node.offer(1, false, 1);
  node.fragments(0, { sender: 0 });
  for (let second = 0; second < 15; second++) {
    node.run(1000);
    node.fragments(second % 16, { sender: 1, count: 1, sealedBytes: 2000 });
  }
  node.run(2);
  assert.deepEqual(ended(node), ["0 1 discarded"]);
});

test("fragments after the last block are neither kept nor counted, and are no sign of life", () => {
  const node = new ScriptedReceiver();
  node.becomeReady();
  assert.equal(node.takeStatus().received, 1);
  node.run(10_000);
  assert.equal(node.fragments(1, { stamp: 1 }), false);
  node.order(0);
  node.run(1);
  const { received, stamp } = node.takeStatus();
  assert.deepEqual([received, stamp], [1, 1]);
  node.run(9_000);
  node.fragments(1, { stamp: 1 });
  node.run(5_990);
  assert.deepEqual(ended(node), []);
  node.run(20);
  assert.deepEqual(ended(node), ["0 1 discarded"]);
});

test("what the disk answers too late is not heard", () => {
  const node = new ScriptedReceiver();
  node.becomeReady();
  const key = { epoch: "b".repeat(8) + "0".repeat(8), transfer: 1, admission: 1 };
  node.handle({ kind: "committed", key, failure: undefined });
  assert.deepEqual(ended(node), []);
  node.staged([1]);
  node.prepared("too late");
  assert.deepEqual(ended(node), []);
  node.order(0);
  node.run(1);
  assert.equal(node.takeStatus().phase, MemberPhase.ordered);
});

test("a transfer that waits for its turn tells of each other one that ends, as work", () => {
  const node = new ScriptedReceiver(3);
  const begin = (sender: number) => {
    node.offer(1, false, sender);
    node.fragments(0, { sender });
    const key = {
      epoch: "b".repeat(8) + sender.toString(16).padStart(8, "0"),
      transfer: 1,
      admission: sender + 1,
    };
    const outcome = { kind: "staged", wants: undefined, differences: undefined, findings: 0 } as const;
    node.handle({ kind: "staged", key, blocks: [0], outcome });
    const progress = { transfer: 1, sentBlocks: 1, stamp: 1, settledBelow: 0, poll: false, spreadMs: 0 };
    node.hear({ type: "progress", body: { ...progress, final: true } }, sender);
    node.handle({ kind: "prepared", key, failure: undefined, isRefusal: false, findings: 0 });
    node.hear({ type: "order", body: { transfer: 1, order: 0, targets: [SELF.epoch] } }, sender);
    return key;
  };
  const keys = [0, 1, 2].map(begin);
  const worked = () => {
    node.takeStatuses();
    const progress = { transfer: 1, sentBlocks: 1, stamp: 1, settledBelow: 0, final: true, spreadMs: 0 };
    node.hear({ type: "progress", body: { ...progress, poll: true } }, 2);
    node.run(1);
    return node.takeStatus().worked;
  };
  assert.equal(worked(), 0);
  for (const sender of [2, 1, 0])
    node.hear({ type: "commit", body: { transfer: 1, order: sender + 1, targets: [SELF.epoch] } }, sender);
  assert.equal(worked(), 0);
  const commits = () => node.takeDisk().flatMap((effect) => (effect.kind === "commit" ? [effect.key] : []));
  assert.deepEqual(commits(), [keys[0]]);
  node.handle({ kind: "committed", key: keys[0]!, failure: undefined });
  assert.equal(worked(), 1);
  assert.deepEqual(commits(), [keys[1]]);
  // The disk still deletes what that one has taken out of the tree.
  node.handle({ kind: "switched", key: keys[1]! });
  assert.deepEqual(commits(), [keys[2]]);
  const phaseOf = (sender: number) => {
    node.takeStatuses();
    const progress = { transfer: 1, sentBlocks: 1, stamp: 1, settledBelow: 0, final: true, spreadMs: 0 };
    node.hear({ type: "progress", body: { ...progress, poll: true } }, sender);
    node.run(1);
    return node.takeStatus().phase;
  };
  assert.equal(phaseOf(1), MemberPhase.committing);
  node.handle({ kind: "switched", key: keys[2]! });
  node.handle({ kind: "committed", key: keys[2]!, failure: undefined });
  assert.equal(phaseOf(2), MemberPhase.done);
  assert.equal(phaseOf(1), MemberPhase.committing);
  node.handle({ kind: "committed", key: keys[1]!, failure: undefined });
  assert.equal(phaseOf(1), MemberPhase.done);
});

test("corrupt blocks of a transfer to many members are told of again, and the younger gaps are not", () => {
  const node = new ScriptedReceiver(300);
  const targets = Array.from({ length: 128 }, (_, index) =>
    index === 0 ? SELF.epoch : String(index).padStart(16, "0"),
  );
  node.hear({ type: "offer", body: { transfer: 1, dryRun: false, allOrNothing: false, rank: 1, targets } });
  node.run(100);
  for (const block of [0, 1, 2]) node.fragments(block, { stamp: block });
  node.takeStatuses();
  const key = { epoch: "b".repeat(8) + "0".repeat(8), transfer: 1, admission: 1 };
  node.handle({ kind: "staged", key, blocks: [2], outcome: { kind: "corrupt" } });
  node.fragments(5, { stamp: 3 });
  node.run(1);
  assert.deepEqual(node.takeStatuses(), []);
  node.run(2);
  assert.deepEqual(node.takeStatus().missingRuns, [{ firstBlock: 2, blocks: 1 }]);
});

test("COMMIT may give a later place than ORDER has", () => {
  const node = new ScriptedReceiver();
  node.becomeReady();
  node.order(0);
  node.takeStatuses();
  node.commit(5);
  node.progress({ sentBlocks: 1, stamp: 1, final: true, poll: true });
  node.run(1);
  const { phase, order } = node.takeStatus();
  assert.deepEqual([phase, order], [MemberPhase.committing, 5]);
});

test("an offer to others is no sign of life for a transfer to this node", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.run(10_000);
  node.hear({
    type: "offer",
    body: { transfer: 1, dryRun: false, allOrNothing: false, rank: 1, targets: ["0".repeat(16)] },
  });
  node.run(5_001);
  assert.deepEqual(ended(node), ["0 1 discarded"]);
});

test("a transfer that has failed says so once, whatever was still to be answered or missing", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.fragments(0, { kind: 1 });
  node.compared(0, new Bitmap(3));
  node.run(5);
  node.fragments(2);
  node.takeStatuses();
  const key = { epoch: "b".repeat(8) + "0".repeat(8), transfer: 1, admission: 1 };
  node.handle({ kind: "staged", key, blocks: [2], outcome: { kind: "failed", reason: "full" } });
  assert.ok(node.engine.isIdle);
  assert.equal(node.takeStatuses().length, 1);
});

test("a node that does not receive says so again to a sender that asks", () => {
  const node = new ScriptedReceiver(1, { receives: false });
  node.offer();
  assert.equal(node.takeStatus().phase, MemberPhase.failed);
  node.progress({ poll: true });
  assert.equal(node.takeStatus().phase, MemberPhase.failed);
});

test("a member reports once a second at the least, when something arrives", () => {
  for (const [afterMs, reports] of [
    [999, 0],
    [1000, 1],
  ] as const) {
    const node = new ScriptedReceiver();
    node.offer();
    node.run(1);
    assert.equal(node.takeStatuses().length, 1);
    node.nowMs = 1000 + afterMs;
    node.fragments(0, { sealedBytes: 5000 });
    assert.equal(node.takeStatuses().length, reports, `after ${afterMs} ms`);
  }
});

for (const [what, speak] of [
  ["OFFER", (node: ScriptedReceiver) => node.offer()],
  ["PROGRESS", (node: ScriptedReceiver) => node.progress()],
  ["ORDER", (node: ScriptedReceiver) => node.order(1)],
  ["COMMIT", (node: ScriptedReceiver) => node.commit(1)],
  ["INQUIRY", (node: ScriptedReceiver) => node.hear({ type: "inquiry", body: { transfer: 1, first: 0 } })],
] as const) {
  test(`${what} is a sign of life of a sender`, () => {
    const node = new ScriptedReceiver();
    node.offer();
    node.run(10_000);
    speak(node);
    node.run(14_990);
    assert.deepEqual(ended(node), []);
    node.run(20);
    assert.deepEqual(ended(node), ["0 1 discarded"]);
  });
}

test("answers that do not find room in one STATUS follow in the next, at once", () => {
  const node = new ScriptedReceiver();
  node.offer();
  for (let block = 0; block < 16; block++) {
    node.fragments(block, { kind: 1, stamp: block });
    const entries = new Bitmap(1000);
    entries.set(block);
    node.compared(block, entries);
  }
  node.takeStatuses();
  // All have been sent at the same time, and are to be repeated after 40 ms.
  node.run(43);
  const blocks = node.takeStatuses().map(({ wants }) => wants.map(({ block }) => block));
  assert.deepEqual(blocks, [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [10, 11, 12, 13, 14, 15],
  ]);
});

test("a failure is the last word, though blocks were reported as staged, or answers are pending", () => {
  const key = { epoch: "b".repeat(8) + "0".repeat(8), transfer: 1, admission: 1 };
  const outcome = { kind: "failed", reason: "full" } as const;
  const node = new ScriptedReceiver();
  node.offer();
  for (const block of [0, 1, 2, 3]) node.fragments(block);
  node.run(1);
  node.takeStatuses();
  node.handle({ kind: "staged", key, blocks: [0, 1, 2, 3], outcome });
  node.run(5);
  assert.equal(node.takeStatuses().length, 1);
  const wanting = new ScriptedReceiver();
  wanting.offer();
  wanting.fragments(0, { kind: 1 });
  wanting.compared(0, new Bitmap(3));
  wanting.fragments(1);
  wanting.takeStatuses();
  wanting.handle({ kind: "staged", key, blocks: [1], outcome });
  assert.ok(wanting.engine.isIdle);
});

test("an ABORT that comes while DONE waits to be said changes nothing", () => {
  const node = new ScriptedReceiver(300);
  const key = { epoch: "b".repeat(8) + "0".repeat(8), transfer: 1, admission: 1 };
  const targets = [SELF.epoch, ...Array.from({ length: 127 }, (_, index) => String(index).padStart(16, "0"))];
  node.hear({ type: "offer", body: { transfer: 1, dryRun: false, allOrNothing: false, rank: 1, targets } });
  node.progress({ final: true, spreadMs: 60 });
  node.prepared();
  node.order(0, targets);
  node.commit(1, targets);
  node.handle({ kind: "committed", key, failure: undefined });
  assert.equal(node.engine.isIdle, false);
  node.hear({ type: "abort", body: { transfer: 1, targets: [], reason: "late" } });
  node.run(60);
  assert.equal(node.takeStatus().phase, MemberPhase.done);
  assert.deepEqual(ended(node), ["0 1 done"]);
});
