import assert from "node:assert/strict";
import { test } from "node:test";
import { below, fraction, SeededRandom } from "../../src/base/random.ts";
import { type IsLost, Node, talk } from "./talking-nodes.ts";

/**
 * Small fleets of several versions on networks on which single directions are closed, for the group or for single packets.
 * Hosts move, restart and are upgraded. The oracle: a live node that can be heard is a member, or is named as a problem.
 */

const SEED = Number(process.env["SEED"] ?? 1);
const FLEETS = 60;

/** ALIVE comes after 20 s at the latest; six questions take 2.4 s, and the answer to the last has 0.4 s. */
const NAMED_MS = 23_500;

/** Longer than a member may be silent. */
const REST_MS = 70_000;

/** A last question may be asked before the next ALIVE comes, and what it tells is remembered for a minute. */
const END_MS = 95_000;

class Fleet {
  readonly nodes: Node[];
  private readonly random: SeededRandom;
  /** The directions that are closed now. */
  private closed = new Set<string>();
  private epochs = 0;
  private addresses = 0;
  private nowMs = 0;

  /** @param hasCopies two of the hosts are clones: they have one node id */
  constructor(seed: number, hasCopies = false) {
    this.random = new SeededRandom(seed);
    const count = 2 + (hasCopies ? 1 : 0) + below(this.random, 3);
    this.nodes = Array.from({ length: count }, (_, index) => this.newNode(`${index}`, 2));
    if (!hasCopies) return;
    const [first, second] = [this.nodes[0]!, this.nodes[1]!];
    this.nodes[1] = new Node("0", ++this.epochs, second.address.ip, first.protocol);
    for (const [index, node] of this.nodes.entries()) node.nextId = `${index}`.repeat(31) + "d";
  }

  /** Closes some directions and opens all others. */
  drawCuts(share: number): void {
    this.closed = new Set();
    for (const from of this.nodes)
      for (const to of this.nodes)
        for (const isForGroup of [true, false])
          if (fraction(this.random) < share) this.closed.add(this.direction(from, to, isForGroup));
  }

  /** A host moves to another address, or starts again, maybe with another version. */
  changeSomebody(): void {
    const index = below(this.random, this.nodes.length);
    const node = this.nodes[index]!;
    if (fraction(this.random) < 0.5) {
      (node as { address: Node["address"] }).address = this.newAddress();
      node.membership.reintroduce(node.address, this.nowMs);
    } else this.nodes[index] = this.newNode(node.peer.nodeId.slice(0, 1), 3);
  }

  run(forMs: number): void {
    const isLost: IsLost = (from, to, isForGroup) => this.closed.has(this.direction(from, to, isForGroup));
    talk(this.nodes, this.nowMs, this.nowMs + forMs, isLost);
    this.nowMs += forMs + 5;
  }

  /** @param name what has happened before */
  judge(name: string): void {
    for (const node of this.nodes)
      for (const other of this.nodes) {
        if (node === other || this.closed.has(this.direction(other, node, true))) continue;
        const isMember = node.membership.memberOf(other.peer.epoch) !== undefined;
        const isNamed = node.membership.problems.list.some(({ ip }) => ip === other.address.ip);
        assert.ok(isMember || isNamed, `${name}: ${node.address.ip} says nothing of ${other.address.ip}`);
      }
  }

  get problems(): number {
    return this.nodes.reduce((sum, { membership }) => sum + membership.problems.list.length, 0);
  }

  /** By their places: node ids may be those of two hosts, and addresses change. */
  private direction(from: Node, to: Node, isForGroup: boolean): string {
    return `${this.nodes.indexOf(from)} ${this.nodes.indexOf(to)} ${isForGroup}`;
  }

  private newNode(name: string, leastVersion: number): Node {
    const version = leastVersion + below(this.random, 3);
    return new Node(name, ++this.epochs, this.newAddress().ip, version, this.nowMs);
  }

  private newAddress(): Node["address"] {
    return { ip: `10.0.0.${++this.addresses}`, port: 5000 };
  }
}

test("a live node that can be heard is a member, or is named as a problem", () => {
  let named = 0;
  for (let seed = SEED; seed < SEED + FLEETS; seed++) {
    const name = `SEED=${seed}`;
    const fleet = new Fleet(seed);
    fleet.drawCuts(0.3);
    fleet.run(NAMED_MS);
    fleet.judge(`${name} at the start`);
    named += fleet.problems;
    fleet.drawCuts(0.3);
    fleet.changeSomebody();
    fleet.run(REST_MS + NAMED_MS);
    fleet.judge(`${name} after a change`);
    fleet.drawCuts(0);
    fleet.run(END_MS);
    fleet.judge(`${name} at the end`);
    for (const { membership } of fleet.nodes) {
      assert.equal(membership.size, fleet.nodes.length - 1, `${name}: everybody is a member`);
      assert.deepEqual(membership.problems.list, [], `${name}: nothing is in the way`);
    }
  }
  assert.ok(named > FLEETS / 2, `${named} problems: the oracle has seen some`);
});

test("clones stay apart: whatever was cut, in the end everybody knows both, under two node ids", () => {
  for (let seed = SEED; seed < SEED + FLEETS; seed++) {
    const name = `SEED=${seed}`;
    const fleet = new Fleet(seed, true);
    fleet.drawCuts(0.3);
    fleet.run(NAMED_MS);
    fleet.drawCuts(0);
    fleet.run(END_MS);
    const ids = new Set(fleet.nodes.map(({ peer }) => peer.nodeId));
    assert.equal(ids.size, fleet.nodes.length, `${name}: one of the clones has drawn another id`);
    for (const { address, membership, events } of fleet.nodes) {
      assert.equal(membership.size, fleet.nodes.length - 1, `${name}: ${address.ip} knows everybody`);
      assert.ok(!events.includes("restart"), `${name}: ${address.ip} took a clone for a restart`);
    }
  }
});
