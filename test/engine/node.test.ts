import assert from "node:assert/strict";
import { test } from "node:test";
import { CommitOrder } from "../../src/engine/commit-order.ts";
import { RankClock } from "../../src/engine/ranks.ts";
import { OutboundTransfers } from "../../src/engine/sender/outbound-transfers.ts";
import { BlockKind, epochHalves, FragmentHeader } from "../../src/wire/datagram.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { epochOf as epochOfSender, keyOf, ScriptedReceiver } from "./scripted-receiver.ts";
import { addressOf, epochOf, LARGE, ScriptedSender, SELF, SMALL, TRANSFER } from "./scripted-sender.ts";

/** Which messages a node believes, and how its parts hang together. */

const INFO = { hostName: "other", version: "1", protocol: 3, receives: true, sends: true, labels: [] };
/** The identity of the first other node. */
const NODE_ID = "c".repeat(24) + "0".repeat(8);
const HELLO = { type: "hello", body: { info: INFO } } as const;

const statusOf = (sender: string) => ({
  sender,
  transfer: TRANSFER,
  phase: MemberPhase.failed,
  stamp: 0,
  stagedBelow: 0,
  windowEnd: 256,
  inFlight: 100,
  received: 0,
  missingRuns: [],
  missingFragments: [],
  wants: [],
  reason: "no",
  findings: 0,
  worked: 0,
  admission: 1,
  ahead: 0,
  order: 0,
});

test("a node does not talk to itself", () => {
  const node = new ScriptedReceiver();
  node.handle({ kind: "message", from: SELF, source: { ip: "10.0.0.9", port: 5000 }, message: HELLO });
  node.run(1000);
  assert.deepEqual(node.said, []);
});

test("nobody but a member is heard about a transfer, and only under its own name", () => {
  const sender = new ScriptedSender(1, { blocks: [LARGE] });
  sender.start();
  const message = { type: "status", body: statusOf(SELF.epoch) } as const;
  const say = (nodeId: string, epoch: string) =>
    sender.handle({ kind: "message", from: { nodeId, epoch }, source: addressOf(0), message });
  say("0".repeat(32), epochOf(0));
  say(NODE_ID, epochOf(1));
  assert.equal(sender.isOver, false);
  sender.status(0, { sender: epochOf(5), phase: MemberPhase.failed });
  assert.equal(sender.isOver, false, "a STATUS for another sender");
  sender.hear(0, {
    type: "findings",
    body: { sender: epochOf(5), transfer: TRANSFER, first: 0, hasMore: false, findings: [] },
  });
  say(NODE_ID, epochOf(0));
  assert.ok(sender.isOver);
});

test("a STATUS is for what a node sends, though it may receive a transfer of the same number", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.takeDisk();
  node.hear({ type: "status", body: statusOf(SELF.epoch) });
  assert.equal(node.engine.isIdle, false);
  node.hear({ type: "order", body: { transfer: 5, order: 1, targets: [SELF.epoch] } });
  assert.deepEqual(node.takeDisk(), []);
});

test("a node that stops gives up all that it sends, and says goodbye", () => {
  const sender = new ScriptedSender(2, { blocks: [LARGE] });
  sender.start();
  sender.start({ transfer: 2 });
  assert.equal(sender.engine.isIdle, false);
  assert.equal(sender.engine.outboundTransfer(2)?.transfer, 2);
  assert.equal(sender.engine.outboundTransfer(3), undefined);
  sender.handle({ kind: "stop" });
  const results = sender.events.flatMap((one) => (one.kind === "transfer-finished" ? [one.result] : []));
  assert.deepEqual(
    results.map(({ transfer, aborted }) => [transfer, aborted]),
    [
      [1, "the daemon is stopping"],
      [2, "the daemon is stopping"],
    ],
  );
  assert.equal(sender.take("exit").length, 3);
  assert.ok(sender.engine.isIdle);
});

test("a node is busy while it sends or receives", () => {
  const node = new ScriptedReceiver();
  assert.ok(node.engine.isIdle);
  node.offer();
  assert.ok(!node.engine.isIdle);
});

test("when a sender leaves, its transfers end, and no others", () => {
  const node = new ScriptedReceiver(2);
  for (const index of [0, 1]) node.offer(1, false, index);
  node.hear({ type: "exit", body: null }, 0);
  const ended = node.events.flatMap((one) => (one.kind === "inbound-ended" ? [one] : []));
  assert.deepEqual(
    ended.map(({ key, reason }) => [key.epoch, reason]),
    [[epochOfSender(0), "the sender left: it was stopped"]],
  );
  assert.ok(!node.engine.isIdle);
});

test("a node asks to be called for whatever comes first", () => {
  const node = new ScriptedReceiver();
  assert.equal(node.engine.nextDeadlineMs(), Infinity);
  node.offer();
  node.run(1);
  assert.equal(node.engine.nextDeadlineMs(), 1000 + 15_000, "the silence of the sender");
  node.engine.membership.start(node.nowMs);
  assert.equal(node.engine.nextDeadlineMs(), 1001, "HELLO");
  const sender = new ScriptedSender(1, { blocks: [SMALL] });
  assert.equal(sender.engine.nextDeadlineMs(), Infinity);
  sender.nowMs = 2000;
  sender.start();
  assert.equal(sender.engine.nextDeadlineMs(), 2020, "the second poll");
});

test("single fragments are taken as runs of one", () => {
  const node = new ScriptedReceiver();
  node.offer();
  const { high: epochHigh, low: epochLow } = epochHalves(epochOfSender(0));
  const header = Object.assign(new FragmentHeader(), {
    ...{ epochHigh, epochLow, transfer: 1, block: 0, stamp: 0, index: 1, kind: BlockKind.data },
    sealedBytes: 5000,
  });
  const source = { ip: "10.0.0.0", port: 5000 };
  assert.deepEqual(node.engine.acceptFragment(header, source), keyOf());
  assert.deepEqual(node.engine.accepted, { low: 0b10, high: 0 });
  assert.equal(node.engine.fragmentPlaces?.placeOf(0, 1), 1);
  const parity = Object.assign(header, { index: 47, stamp: 1 });
  assert.deepEqual(node.engine.acceptFragment(parity, source), keyOf());
  assert.deepEqual([node.engine.accepted.high, node.engine.fragmentPlaces?.placeOf(0, 47)], [1 << 15, 0]);
  Object.assign(header, { index: 0, stamp: 2 });
  assert.deepEqual(node.engine.acceptFragment(header, source), keyOf());
  assert.deepEqual(node.engine.fragmentPlaces?.moves, [{ from: 0, to: 2 }]);
  Object.assign(header, { index: 48, sealedBytes: 4000 });
  assert.equal(node.engine.acceptFragment(header, source), undefined);
  assert.equal(node.engine.fragmentPlaces?.hasContradicted, true);
  assert.equal(node.engine.acceptFragment(header, { ...source, port: 5001 }), undefined);
  assert.equal(node.engine.fragmentPlaces, undefined, "somebody else has sent it");
  Object.assign(header, { transfer: 9 });
  assert.equal(node.engine.acceptFragment(header, source), undefined);
  assert.equal(node.engine.fragmentPlaces, undefined);
});

test("a node that restarts loses the transfers that it was sending", () => {
  const node = new ScriptedReceiver();
  node.offer();
  const from = { nodeId: NODE_ID, epoch: "9".repeat(16) };
  const source = { ip: "10.0.0.0", port: 5000 };
  node.handle({ kind: "message", from, source, message: HELLO });
  node.run(100);
  const nonce = node.said.flatMap(({ message }) =>
    message.type === "challenge" ? [message.body.nonce] : [],
  );
  const body = {
    answer: nonce.at(-1) ?? "",
    nonce: "0".repeat(32),
    to: SELF.epoch,
    from: source,
    info: INFO,
  };
  node.handle({ kind: "message", from, source, message: { type: "response", body } });
  const ended = node.events.find(({ kind }) => kind === "inbound-ended");
  assert.deepEqual(ended, {
    kind: "inbound-ended",
    key: keyOf(),
    outcome: "discarded",
    reason: "the sender left: it was restarted",
  });
});

test("what the disk answers brings nothing about but what it is about", () => {
  const node = new ScriptedReceiver();
  node.engine.membership.start(node.nowMs);
  node.offer();
  node.fragments(0);
  node.staged([0]);
  assert.deepEqual(
    node.said.filter(({ message }) => message.type === "hello"),
    [],
  );
  node.handle({ kind: "tick" });
  assert.equal(node.said.filter(({ message }) => message.type === "hello").length, 1);
});

test("a rate is one in fragments a second, for all that a node sends", () => {
  const options = { windowBlocks: 256, socketFragments: 1000, fragmentsPerSecond: 2000 };
  const outbound = new OutboundTransfers(options, new RankClock(), "f".repeat(16), new CommitOrder());
  const { engine } = new ScriptedSender(1, { blocks: [] });
  const targets = [...engine.membership.members];
  outbound.start({ transfer: 1, targets, dryRun: false, allOrNothing: false }, 0);
  const common = { transfer: 1, state: "more", failure: undefined, unreadable: 0 } as const;
  outbound.handle({ kind: "produced", blocks: [LARGE], ...common }, 0);
  // Six at once, in sends of three; then a little less than two in a millisecond.
  assert.equal(outbound.nextDeadlineMs(), 3 / 1.94);
});

test("where the rate holds a transfer up, its members are asked only some time after the next fragment", () => {
  const options = { windowBlocks: 256, socketFragments: 1000, fragmentsPerSecond: 50 };
  const outbound = new OutboundTransfers(options, new RankClock(), "f".repeat(16), new CommitOrder());
  const { engine } = new ScriptedSender(1, { blocks: [] });
  const targets = [...engine.membership.members];
  outbound.start({ transfer: 1, targets, dryRun: false, allOrNothing: false }, 0);
  const common = { transfer: 1, state: "more", failure: undefined, unreadable: 0 } as const;
  outbound.handle({ kind: "produced", blocks: [LARGE], ...common }, 0);
  // A bucket for one fragment, and a little less than one in 20 ms.
  assert.equal(outbound.nextDeadlineMs(), 25);
});
