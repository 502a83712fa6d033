import assert from "node:assert/strict";
import { test } from "node:test";
import type { Address } from "../../src/engine/types.ts";
import { Node, talk } from "./talking-nodes.ts";

/** How nodes become members of each other, and cease to be. */

test("two nodes are members of each other within a second", () => {
  const nodes = [new Node("a", 1, "10.0.0.1"), new Node("b", 2, "10.0.0.2")];
  talk(nodes, 0, 1000);
  for (const node of nodes) assert.equal(node.membership.size, 1);
});

test("recorded packets of an earlier epoch make no member", () => {
  const a = new Node("a", 1, "10.0.0.1");
  const b = new Node("b", 2, "10.0.0.2");
  const recorded = talk([a, b], 0, 1000).filter(({ from }) => from === b);
  const later = new Node("a", 3, "10.0.0.1");
  for (const { message } of recorded) later.membership.handle(b.peer, b.address, message, 10);
  later.take();
  assert.equal(later.membership.size, 0);
});

test("a node that says goodbye is gone at once, one that only falls silent after a minute", () => {
  const nodes = [new Node("a", 1, "10.0.0.1"), new Node("b", 2, "10.0.0.2"), new Node("c", 3, "10.0.0.3")];
  const [a, b, c] = nodes as [Node, Node, Node];
  talk(nodes, 0, 1000);
  b.membership.stop();
  for (const { message } of b.take()) a.membership.handle(b.peer, b.address, message, 1001);
  a.take();
  assert.deepEqual(a.events.slice(2), ["exit"]);
  talk([a], 1005, 50_000);
  assert.ok(a.membership.memberOf(c.peer.epoch), "silence of less than a minute is nothing");
  talk([a], 50_000, 70_000);
  assert.deepEqual(a.events.slice(2), ["exit", "silence"]);
});

test("a node that starts again takes the place of its former self", () => {
  const a = new Node("a", 1, "10.0.0.1");
  const b = new Node("b", 2, "10.0.0.2");
  talk([a, b], 0, 1000);
  const again = new Node("b", 4, "10.0.0.2");
  talk([a, again], 1005, 2000);
  assert.equal(a.membership.size, 1);
  assert.ok(a.membership.memberOf(again.peer.epoch));
  assert.deepEqual(a.events, ["joined 10.0.0.2", "restart", "joined 10.0.0.2"]);
});

test("a node that moves to another address proves itself there, and stays the same member", () => {
  const a = new Node("a", 1, "10.0.0.1");
  const b = new Node("b", 2, "10.0.0.2");
  talk([a, b], 0, 1000);
  (b as { address: Address }).address = { ip: "10.0.0.42", port: 5000 };
  b.membership.reintroduce(b.address, 1005);
  talk([a, b], 1005, 3000);
  assert.equal(a.membership.memberOf(b.peer.epoch)?.address.ip, "10.0.0.42");
  assert.equal(a.membership.size, 1);
});

test("the keys that a member has told stay known, whatever it says next, and when it is asked again", () => {
  const a = new Node("a", 1, "10.0.0.1");
  const b = new Node("b", 2, "10.0.0.2");
  b.membership.changeKeys(["bbbbbbbb"]);
  talk([a, b], 0, 1_000);
  const known = () => a.membership.memberOf(b.peer.epoch)?.info.keys;
  assert.deepEqual(known(), ["bbbbbbbb"]);
  const info = { hostName: "b", version: "1", protocol: 3, receives: true, sends: true, labels: ["new"] };
  a.membership.handle(b.peer, b.address, { type: "alive", body: { info } }, 1_001);
  assert.deepEqual(a.membership.memberOf(b.peer.epoch)?.info.labels, ["new"]);
  assert.deepEqual(known(), ["bbbbbbbb"], "KEYS beside an ALIVE may be lost");
  a.membership.probe([b.peer.epoch], 1_005);
  talk([a, b], 1_005, 1_500);
  assert.ok(a.membership.isHeardSince(b.peer.epoch, 1_005), "it has answered");
  assert.deepEqual(known(), ["bbbbbbbb"], "and the answer has no keys");
  b.membership.changeKeys(["cccccccc"]);
  talk([a, b], 1_505, 1_600);
  assert.deepEqual(known(), ["cccccccc"]);
});
