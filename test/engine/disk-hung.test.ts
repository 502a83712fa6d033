import assert from "node:assert/strict";
import { test } from "node:test";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { keyOf, ScriptedReceiver } from "./scripted-receiver.ts";

const abort = (transfer: number) =>
  ({ type: "abort", body: { transfer, targets: [], reason: "given up" } }) as const;

/** A member whose disk was asked to make a transfer durable, and has been silent for some time since; then it is given up. */
function hungMember(silentMs: number): ScriptedReceiver {
  const node = new ScriptedReceiver();
  node.receiveAll();
  for (let waitedMs = 0; waitedMs < silentMs; waitedMs += 5_000) {
    node.progress({ poll: true });
    node.run(5_000);
  }
  node.hear(abort(1));
  node.takeStatuses();
  return node;
}

test("a member whose disk hangs with a transfer that was given up takes no other one, until the disk answers", () => {
  const node = hungMember(300_000);
  node.offer(2);
  const { phase, reason } = node.takeStatus();
  assert.equal(phase, MemberPhase.failed);
  assert.match(reason, /^its disk has been busy with an earlier push for 300 seconds, without a sign/);
  node.handle({ kind: "closed", key: keyOf() });
  node.offer(3);
  node.run(1);
  assert.equal(node.takeStatus().phase, MemberPhase.receiving);
});

test("a disk that has been idle for long, or that is slow, does not hang", () => {
  const slow = hungMember(100_000);
  slow.offer(2);
  slow.run(1);
  assert.equal(slow.takeStatus().phase, MemberPhase.receiving);
  const idle = new ScriptedReceiver();
  idle.receiveAll();
  idle.prepared(undefined);
  for (let count = 0; count < 60; count++) {
    idle.progress({ poll: true });
    idle.run(5_000);
  }
  idle.hear(abort(1));
  idle.takeStatuses();
  idle.offer(2);
  idle.run(1);
  assert.equal(idle.takeStatus().phase, MemberPhase.receiving);
});

test("a commit that hangs counts when its sender has been silent for fifteen seconds", () => {
  const node = new ScriptedReceiver();
  node.receiveAll();
  node.prepared(undefined);
  node.order(0);
  node.commit(1);
  node.run(250_000);
  node.takeStatuses();
  node.offer(2);
  assert.equal(node.takeStatus().phase, MemberPhase.failed);
});
