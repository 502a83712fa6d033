import assert from "node:assert/strict";
import { test } from "node:test";
import { INBOUND_TRANSFERS } from "../../src/wire/limits.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { epochOf as senderEpoch, keyOf, ScriptedReceiver } from "./scripted-receiver.ts";
import { epochOf, ScriptedSender, SMALL, TRANSFER } from "./scripted-sender.ts";

/** Which transfers are admitted first, and how a place is given back (PROTOCOL.md 5.10). */

const SELF_EPOCH = "a".repeat(16);

/** A member that has admitted as many transfers as it can, all of rank 10, each from a sender of its own. */
function fullMember(): ScriptedReceiver {
  const node = new ScriptedReceiver(INBOUND_TRANSFERS + 3);
  for (let sender = 0; sender < INBOUND_TRANSFERS; sender++) offer(node, sender, 10);
  node.run(1);
  node.takeStatuses();
  node.takeDisk();
  return node;
}

function offer(node: ScriptedReceiver, sender: number, rank: number): void {
  const body = { transfer: 1, dryRun: false, allOrNothing: false, rank, targets: [SELF_EPOCH] };
  node.hear({ type: "offer", body }, sender);
}

function yieldPlace(node: ScriptedReceiver, sender: number, admission: number, target = SELF_EPOCH): void {
  node.hear({ type: "yield", body: { transfer: 1, target, admission } }, sender);
}

/** The senders whose transfers were opened since the last call. */
function opened(node: ScriptedReceiver): string[] {
  return node.takeDisk().flatMap((effect) => (effect.kind === "open-stage" ? [effect.key.epoch] : []));
}

test("of those that wait, the one of the lowest rank is admitted first, whatever came first", () => {
  const node = fullMember();
  for (const [sender, rank] of [
    [8, 13],
    [9, 11],
    [10, 12],
  ] as const)
    offer(node, sender, rank);
  for (const place of [0, 1, 2]) node.hear({ type: "exit", body: null }, place);
  assert.deepEqual(opened(node), [9, 10, 8].map(senderEpoch));
});

test("a transfer of a lower rank makes every later one tell its sender, and the number of those ahead is told", () => {
  const node = fullMember();
  offer(node, 8, 11);
  assert.deepEqual(
    node.takeStatuses().map(({ phase, ahead }) => [phase, ahead]),
    [[MemberPhase.waiting, INBOUND_TRANSFERS]],
    "a later one asks for nothing",
  );
  node.run(1);
  assert.deepEqual(node.takeStatuses(), []);
  offer(node, 9, 9);
  node.run(1);
  const told = node.takeStatuses();
  assert.equal(told.length, 1 + INBOUND_TRANSFERS);
  assert.deepEqual([told[0]?.phase, told[0]?.ahead], [MemberPhase.waiting, INBOUND_TRANSFERS]);
  for (const { phase, ahead } of told.slice(1)) assert.deepEqual([phase, ahead], [MemberPhase.receiving, 1]);
  offer(node, 8, 11);
  assert.equal(node.takeStatus().ahead, INBOUND_TRANSFERS + 1);
});

test("a place that is given back goes to the first that waits, and what the disk says of it later is not heard", () => {
  const node = fullMember();
  offer(node, 9, 9);
  yieldPlace(node, 3, 4, "f".repeat(16));
  yieldPlace(node, 3, 3);
  assert.deepEqual(opened(node), [], "of another member, or of another admission");
  yieldPlace(node, 3, 4);
  assert.deepEqual(opened(node), [senderEpoch(9)]);
  node.run(1);
  node.takeStatuses();
  // It waits without being offered again, and begins from nothing.
  node.hear({ type: "exit", body: null }, 0);
  assert.deepEqual(opened(node), [senderEpoch(3)]);
  const outcome = { kind: "staged", wants: undefined, differences: undefined, findings: 0 } as const;
  node.handle({ kind: "staged", key: keyOf(1, 3, 4), blocks: [0], outcome });
  node.run(1);
  const [told] = node.takeStatuses().filter(({ sender }) => sender === senderEpoch(3));
  assert.deepEqual([told?.admission, told?.stagedBelow], [INBOUND_TRANSFERS + 2, 0]);
});

test("a transfer that members agree on gives no place back", () => {
  const node = new ScriptedReceiver();
  node.receiveAll();
  node.prepared(undefined);
  node.order(0);
  node.takeDisk();
  yieldPlace(node, 0, 1);
  assert.deepEqual(node.takeDisk(), []);
});

test("an offer that is not repeated for three seconds is forgotten, and so is one whose sender has left", () => {
  const node = fullMember();
  offer(node, 8, 1);
  offer(node, 9, 2);
  node.hear({ type: "exit", body: null }, 9);
  node.run(3000);
  offer(node, 10, 3);
  node.hear({ type: "exit", body: null }, 0);
  assert.deepEqual(opened(node), [senderEpoch(10)]);
});

test("a sender gives a place back while another member has not admitted it, and begins there anew", () => {
  const sender = new ScriptedSender(2, { blocks: [SMALL] });
  sender.start();
  sender.run(3);
  sender.status(1, { phase: MemberPhase.waiting, ahead: 12 });
  assert.equal(sender.engine.outboundTransfer(TRANSFER)?.ahead, 12);
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.ready, admission: 4, ahead: 1 });
  const given = () => sender.take("yield").map((one) => one.body);
  const body = { transfer: TRANSFER, target: epochOf(0), admission: 4 };
  assert.deepEqual(given(), [body]);
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.ready, admission: 4 });
  assert.deepEqual(given(), [body], "the first one has got lost");
  sender.status(1, { stagedBelow: 1, phase: MemberPhase.ready });
  sender.run(20);
  assert.equal(sender.take("order").length, 0, "what was reported before counts no more");
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.ready, admission: 5 });
  sender.status(0, { stagedBelow: 0, phase: MemberPhase.receiving, admission: 4 });
  sender.run(20);
  assert.ok(sender.take("order").length > 0);
});

test("a sender that all members have admitted gives no place back", () => {
  const sender = new ScriptedSender(2, { blocks: [SMALL] });
  sender.start();
  sender.run(3);
  for (const index of [0, 1]) sender.status(index, { admission: 7 });
  sender.status(0, { admission: 7, ahead: 3 });
  sender.run(5);
  assert.equal(sender.take("yield").length, 0);
});

test("a transfer that begins after another was heard of has a higher rank", () => {
  const sender = new ScriptedSender(1, { blocks: [SMALL] });
  sender.hear(0, {
    type: "offer",
    body: { transfer: 9, dryRun: false, allOrNothing: false, rank: 41, targets: [] },
  });
  sender.start();
  const [offered] = sender.take("offer");
  assert.equal(offered?.body.rank, 42);
});
