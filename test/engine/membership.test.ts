import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../src/base/random.ts";
import { Membership, type Peer } from "../../src/engine/membership/membership.ts";
import type { Address, Effect } from "../../src/engine/types.ts";
import type { ControlMessage } from "../../src/wire/message.ts";

/** Two nodes and a wire that can be listened to. */

class Node {
  peer: Peer;
  readonly address: Address;
  readonly membership: Membership;
  readonly events: string[] = [];

  constructor(name: string, epoch: number, ip: string) {
    this.peer = { nodeId: name.padEnd(32, "0"), epoch: epoch.toString(16).padStart(16, "0") };
    this.address = { ip, port: 5000 };
    const info = { hostName: name, version: "1", protocol: 3, receives: true, sends: true, labels: [] };
    this.membership = new Membership({ ...this.peer, address: this.address }, info, new SeededRandom(epoch));
    this.membership.start(0);
  }

  /** What it wants sent, and what it has noticed. */
  take(): Extract<Effect, { kind: "send" }>[] {
    const sends: Extract<Effect, { kind: "send" }>[] = [];
    for (let effect = this.membership.poll(); effect !== undefined; effect = this.membership.poll()) {
      if (effect.kind === "send") sends.push(effect);
      if (effect.kind === "event" && effect.event.kind === "member-joined") {
        this.events.push(`joined ${effect.event.member.address.ip}`);
      }
      if (effect.kind === "event" && effect.event.kind === "member-left")
        this.events.push(effect.event.reason);
      if (effect.kind === "event" && effect.event.kind === "copies") this.events.push("copies");
      if (effect.kind === "event" && effect.event.kind === "own-copy")
        this.events.push(`own copy: ${effect.event.drawsId ? "draw" : "the other draws"}`);
    }
    return sends;
  }
}

interface Heard {
  readonly from: Node;
  readonly message: ControlMessage;
}

/** Lets the nodes talk until a moment; what was said. */
function talk(nodes: readonly Node[], fromMs: number, toMs: number): Heard[] {
  const heard: Heard[] = [];
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 5) {
    for (const from of nodes) {
      from.membership.tick(nowMs);
      for (const { destination, message } of from.take()) {
        heard.push({ from, message });
        for (const to of nodes) {
          const isMeant = destination.to === "group" || destination.address.ip === to.address.ip;
          if (to !== from && isMeant) to.membership.handle(from.peer, from.address, message, nowMs);
        }
      }
    }
  }
  return heard;
}

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
