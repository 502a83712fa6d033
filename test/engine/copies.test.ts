import assert from "node:assert/strict";
import { test } from "node:test";
import { Node, talk } from "./talking-nodes.ts";

/** Hosts that have the same node id, and hosts that lose their interface. */

/** Members by their addresses, as a node sees them. */
const addressesOf = ({ membership }: Node) => [...membership.members].map(({ address }) => address.ip).sort();

test("two hosts with one node id stay members of everybody, and exactly one of them is told to draw", () => {
  const other = new Node("other", 1, "10.0.0.9");
  // Both are copies of one disk: the same node id and name.
  const copies = [new Node("web", 3, "10.0.0.1"), new Node("web", 2, "10.0.0.2")] as const;
  const nodes = [other, ...copies];
  talk(nodes, 0, 4_000);
  assert.deepEqual(addressesOf(other), ["10.0.0.1", "10.0.0.2"]);
  assert.deepEqual(copies.map(addressesOf), [
    ["10.0.0.2", "10.0.0.9"],
    ["10.0.0.1", "10.0.0.9"],
  ]);
  assert.deepEqual(
    other.events.filter((event) => !event.startsWith("joined")),
    ["copies"],
  );
  // The lower epoch draws.
  assert.deepEqual(
    copies.map(({ events }) => events.filter((event) => event.startsWith("own copy"))),
    [["own copy: the other draws"], ["own copy: draw"]],
  );
  talk(nodes, 4_005, 70_000);
  assert.deepEqual(addressesOf(other), ["10.0.0.1", "10.0.0.2"], "nobody drives the other out");
  assert.deepEqual(other.events.filter((event) => event === "copies").length, 1, "it is told once");
});

test("a copy that has drawn another id is the same member under that id", () => {
  const other = new Node("other", 1, "10.0.0.9");
  const [first, second] = [new Node("web", 3, "10.0.0.1"), new Node("web", 2, "10.0.0.2")] as const;
  talk([other, first], 0, 1_000);
  talk([other, first, second], 1_005, 1_200);
  second.peer = { ...second.peer, nodeId: "d".repeat(32) };
  second.membership.rename(second.peer.nodeId, 1_200);
  talk([other, first, second], 1_205, 6_000);
  assert.deepEqual(addressesOf(other), ["10.0.0.1", "10.0.0.2"]);
  assert.equal(other.membership.memberOf(second.peer.epoch)?.nodeId, "d".repeat(32));
  assert.deepEqual(
    other.events.filter((event) => event === "restart" || event === "silence"),
    [],
    "nobody was taken for the other's restart",
  );
});

test("a node that starts again at another address is not taken for a copy", () => {
  const a = new Node("a", 1, "10.0.0.1");
  const b = new Node("b", 2, "10.0.0.2");
  talk([a, b], 0, 1_000);
  const again = new Node("b", 4, "10.0.0.3");
  talk([a, again], 1_005, 5_000);
  assert.deepEqual(addressesOf(a), ["10.0.0.3"]);
  assert.deepEqual(a.events, ["joined 10.0.0.2", "joined 10.0.0.3", "restart"]);
});

test("a node without its interface has no members, and finds them again", () => {
  const nodes = [new Node("a", 1, "10.0.0.1"), new Node("b", 2, "10.0.0.2")] as const;
  const [a, b] = nodes;
  talk(nodes, 0, 1_000);
  a.membership.cutOff();
  talk([a], 1_005, 1_100);
  assert.deepEqual([a.membership.size, a.events.at(-1)], [0, "cut-off"]);
  a.membership.reintroduce(a.address, 2_000);
  talk(nodes, 2_000, 3_000);
  assert.deepEqual([addressesOf(a), addressesOf(b)], [["10.0.0.2"], ["10.0.0.1"]]);
});
