import assert from "node:assert/strict";
import { test } from "node:test";
import { MEMBERS, TARGETS_PER_MESSAGE } from "../../src/wire/limits.ts";
import type { ControlMessage } from "../../src/wire/message.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { epochOf, keyOf, ScriptedReceiver, SELF, TRANSFER } from "./scripted-receiver.ts";

/** A sender that is lost at its COMMIT: members that have heard it repeat it for those that have not. */

/** A node with a place for the transfer of sender 0, and other members beside. */
function ordered(others = 2): ScriptedReceiver {
  const node = new ScriptedReceiver(others);
  node.becomeReady();
  node.order(3);
  node.said.length = 0;
  node.disk.length = 0;
  return node;
}

const questions = (node: ScriptedReceiver) =>
  node.said.flatMap(({ message }) => (message.type === "query" ? [message.body] : []));
const answers = (node: ScriptedReceiver) =>
  node.said.flatMap(({ message }) => (message.type === "relay" ? [message.body] : []));

const commits = (node: ScriptedReceiver) => node.takeDisk().filter(({ kind }) => kind === "commit").length;
const exit: ControlMessage = { type: "exit", body: null };
const query = (): ControlMessage => ({
  type: "query",
  body: { sender: epochOf(0), transfer: TRANSFER },
});
const relay = (targets = [SELF.epoch], transfer = TRANSFER, order = 3): ControlMessage => ({
  type: "relay",
  body: { sender: epochOf(0), transfer, order, targets },
});

test("a member with a place whose sender has left asks, and follows a COMMIT that another member repeats", () => {
  const node = ordered();
  node.hear(exit);
  node.run(100);
  assert.deepEqual(questions(node), [{ sender: epochOf(0), transfer: TRANSFER }]);
  assert.equal(node.said.at(-1)?.to, "group");
  node.hear(relay(), 1);
  assert.equal(commits(node), 1);
  node.hear(relay(), 1);
  assert.equal(commits(node), 0, "only once");
  node.said.length = 0;
  node.run(2000);
  assert.deepEqual(questions(node), [], "it knows now");
});

test("no more nodes are remembered of a COMMIT than a fleet has members", () => {
  const node = ordered();
  for (let first = 0; first < MEMBERS; first += TARGETS_PER_MESSAGE) {
    const named = Array.from({ length: TARGETS_PER_MESSAGE }, (_, index) =>
      epochOf(1_000_000 + first + index),
    );
    node.hear(relay(named), 1);
  }
  // One more than there can be, and it is a member.
  node.hear(relay([epochOf(1)]), 1);
  node.hear(query(), 1);
  node.run(100);
  assert.deepEqual(answers(node), []);
});

test("a sender that is silent is asked after within a second, and the transfer is given up after fifteen", () => {
  const node = ordered();
  node.run(900);
  assert.deepEqual(questions(node), []);
  node.run(14_000);
  assert.equal(questions(node).length, 56);
  assert.equal(node.takeDisk().length, 0);
  node.run(200);
  assert.deepEqual(
    node.takeDisk().map(({ kind }) => kind),
    ["discard"],
  );
  node.said.length = 0;
  node.hear(relay(), 1);
  node.run(2000);
  assert.deepEqual([commits(node), questions(node)], [0, []], "it is over");
});

test("a sender that speaks is not asked after", () => {
  const node = ordered();
  for (let round = 0; round < 10; round++) {
    node.run(500);
    node.progress({ sentBlocks: 1, stamp: 1, final: true });
  }
  assert.deepEqual(questions(node), []);
});

test("a transfer whose sender has left is given up after three seconds with a place, and at once without", () => {
  const node = ordered();
  node.hear(exit);
  node.run(2_990);
  assert.deepEqual(node.takeDisk(), []);
  node.run(20);
  assert.deepEqual(node.takeDisk(), [{ kind: "discard", key: keyOf() }]);
  const early = new ScriptedReceiver();
  early.becomeReady();
  early.takeDisk();
  early.hear(exit);
  assert.deepEqual(early.takeDisk(), [{ kind: "discard", key: keyOf() }]);
});

test("a repeated COMMIT is not followed by a member that it does not name, or that has no place", () => {
  const node = ordered();
  node.hear(relay([epochOf(1)]), 1);
  node.hear(relay([SELF.epoch], TRANSFER + 1), 1);
  assert.equal(commits(node), 0);
  const ready = new ScriptedReceiver(2);
  ready.becomeReady();
  ready.takeDisk();
  ready.hear(relay(), 1);
  assert.equal(commits(ready), 0);
});

test("members that the COMMIT named are answered, also when it is carried out; others are not", () => {
  const node = ordered(4);
  node.commit(3, [SELF.epoch, epochOf(1)]);
  node.commit(3, [epochOf(2)]);
  node.said.length = 0;
  node.hear(query(), 1);
  node.hear(query(), 3);
  const body = { sender: epochOf(0), transfer: TRANSFER, order: 3 };
  assert.deepEqual(answers(node), [{ ...body, targets: [epochOf(1)] }]);
  node.handle({ kind: "committed", key: keyOf(), failure: undefined });
  node.said.length = 0;
  node.hear(query(), 2);
  assert.deepEqual(answers(node), [{ ...body, targets: [epochOf(2)] }]);
  assert.equal(node.said[0]?.to, "group");
});

test("a member that has heard no COMMIT answers nothing, not for other transfers either", () => {
  const node = ordered();
  node.hear(query(), 1);
  const committed = ordered();
  committed.commit(3, [SELF.epoch, epochOf(1)]);
  committed.hear({ type: "query", body: { sender: epochOf(0), transfer: TRANSFER + 1 } }, 1);
  committed.hear({ type: "query", body: { sender: epochOf(1), transfer: TRANSFER } }, 1);
  for (const one of [node, committed]) {
    one.run(500);
    assert.deepEqual(answers(one), []);
  }
});

test("among many members, a question that another has answered is not answered again", () => {
  const node = ordered(100);
  const others = Array.from({ length: 99 }, (_, index) => epochOf(index + 1));
  node.commit(3, [SELF.epoch, ...others]);
  node.said.length = 0;
  node.hear(query(), 1);
  node.hear(query(), 2);
  node.hear(relay([epochOf(1)]), 3);
  node.run(100);
  assert.deepEqual(
    answers(node).map(({ targets }) => targets),
    [[epochOf(2)]],
  );
});

test("more members than a message names are answered in several", () => {
  const node = ordered(200);
  const others = Array.from({ length: 199 }, (_, index) => epochOf(index + 1));
  node.commit(3, others.slice(0, 128));
  node.commit(3, others.slice(128));
  node.said.length = 0;
  others.forEach((_, index) => node.hear(query(), index + 1));
  node.run(100);
  assert.deepEqual(new Set(answers(node).flatMap(({ targets }) => targets)), new Set(others));
  assert.equal(node.takeStatuses().at(-1)?.phase ?? MemberPhase.ordered, MemberPhase.ordered);
});
