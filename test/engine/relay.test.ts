import assert from "node:assert/strict";
import { test } from "node:test";
import type { Address } from "../../src/engine/types.ts";
import type { ControlMessage } from "../../src/wire/message.ts";
import { Node, talk } from "./talking-nodes.ts";

/** A stranger without the key repeats and passes on what others have sealed, from his own address. */

const STRANGER: Address = { ip: "10.0.0.66", port: 5000 };

/** What a node says to the group. */
function announced(node: Node): ControlMessage {
  const hello = node.take().find(({ destination }) => destination.to === "group");
  assert.ok(hello !== undefined);
  return hello.message;
}

/**
 * Passes on everything that the nodes say to the stranger, each to the other one, until they say nothing more.
 *
 * @returns the types of what was passed on
 */
function relay(one: Node, other: Node, fromMs: number, toMs: number): string[] {
  const passed: string[] = [];
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 5) {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      from.membership.tick(nowMs);
      for (const { destination, message } of from.take()) {
        if (destination.to === "group") continue;
        passed.push(message.type);
        const { ip } = destination.address;
        // What is meant for a member goes there; the stranger has only what comes to him.
        if (ip === STRANGER.ip) to.hear(from.peer, STRANGER, message, nowMs);
        else if (ip === to.address.ip) to.hear(from.peer, from.address, message, nowMs);
      }
    }
  }
  return passed;
}

test("a stranger who repeats HELLO and passes on the handshake is not taken for its sender", () => {
  const [victim, member] = [new Node("a", 1, "10.0.0.1"), new Node("b", 2, "10.0.0.2")];
  member.membership.tick(0);
  victim.hear(member.peer, STRANGER, announced(member), 1);
  victim.take();
  const passed = relay(victim, member, 5, 5_000);
  assert.ok(passed.includes("challenge"), "the victim asks at the stranger's address");
  assert.equal(victim.membership.size, 0);
  assert.equal(member.membership.size, 0);
});

test("a stranger cannot move a member to his address", () => {
  const [victim, member] = [new Node("a", 1, "10.0.0.1"), new Node("b", 2, "10.0.0.2")];
  talk([victim, member], 0, 2_000);
  member.membership.reintroduce(member.address, 2_005);
  member.membership.tick(2_005);
  victim.hear(member.peer, STRANGER, announced(member), 2_006);
  relay(victim, member, 2_010, 8_000);
  assert.deepEqual(victim.membership.memberOf(member.peer.epoch)?.address, member.address);
  assert.deepEqual(member.membership.memberOf(victim.peer.epoch)?.address, victim.address);
  assert.deepEqual(member.problems, ["elsewhere 10.0.0.66"], "it is named");
});

test("two nodes of version 3 do not use the handshake of version 2, whatever is passed on", () => {
  const [victim, member] = [new Node("a", 1, "10.0.0.1"), new Node("b", 2, "10.0.0.2")];
  // What each says of itself is under its seal: a stranger cannot change it.
  const { info } = announcedBody(member);
  const nonce = "1".repeat(32);
  victim.hear(member.peer, member.address, { type: "old-challenge", body: { nonce, info } }, 1);
  const response = { answer: nonce, nonce, info };
  victim.hear(member.peer, member.address, { type: "old-response", body: response }, 2);
  assert.deepEqual(victim.take(), []);
  assert.equal(victim.membership.nextDeadlineMs() > 2, false, "only its own HELLO is due");
});

test("a message for another node is not answered", () => {
  const [victim, member] = [new Node("a", 1, "10.0.0.1"), new Node("b", 2, "10.0.0.2")];
  const { info } = announcedBody(member);
  const body = { nonce: "1".repeat(32), to: "9".repeat(16), from: member.address, isMissed: false, info };
  victim.hear(member.peer, member.address, { type: "challenge", body }, 1);
  assert.deepEqual(victim.take(), []);
  victim.hear(
    member.peer,
    member.address,
    { type: "challenge", body: { ...body, to: victim.peer.epoch } },
    2,
  );
  assert.equal(victim.take().length, 1);
});

function announcedBody(node: Node) {
  node.membership.tick(0);
  const message = announced(node);
  assert.ok(message.type === "hello");
  return message.body;
}

test("nodes of versions 2 and 3 are members of each other, each pair in the form that both know", () => {
  const nodes = [
    new Node("a", 1, "10.0.0.1", 2),
    new Node("b", 2, "10.0.0.2"),
    new Node("c", 3, "10.0.0.3"),
    new Node("d", 4, "10.0.0.4", 4),
  ];
  const said = talk(nodes, 0, 2_000);
  for (const node of nodes) assert.equal(node.membership.size, 3, node.peer.nodeId);
  const types = (node: Node | undefined) =>
    new Set(said.flatMap(({ from, message }) => (from === node ? [message.type] : [])));
  assert.ok(!types(nodes[0]).has("challenge"));
  assert.ok(types(nodes[1]).has("old-response") || types(nodes[1]).has("old-challenge"));
  assert.ok(types(nodes[1]).has("response"));
});

test("a node that is upgraded takes the place of its former self", () => {
  const a = new Node("a", 1, "10.0.0.1");
  const old = new Node("b", 2, "10.0.0.2", 2);
  talk([a, old], 0, 1_000);
  assert.equal(a.membership.memberOf(old.peer.epoch)?.info.protocol, 2);
  const upgraded = new Node("b", 3, "10.0.0.2");
  talk([a, upgraded], 1_005, 3_000);
  assert.equal(a.membership.size, 1);
  assert.equal(a.membership.memberOf(upgraded.peer.epoch)?.info.protocol, 3);
});
