import assert from "node:assert/strict";
import { test } from "node:test";
import { CommitOrder } from "../../src/engine/commit-order.ts";
import { SilentMembers } from "../../src/engine/sender/silent-members.ts";
import { TokenBucket } from "../../src/engine/sender/token-bucket.ts";
import { TransferSender } from "../../src/engine/sender/transfer-sender.ts";
import type { Member, TransferRequest } from "../../src/engine/types.ts";
import type { ControlMessage } from "../../src/wire/message.ts";
import { HIGHEST_ORDER } from "../../src/wire/limits.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { nodeInfo } from "../support/node-info.ts";

/** In which order commits are carried out: at a member, and what a sender waits for before it says COMMIT. */

const ONE = { epoch: "0000000000000001", transfer: 7 };
const TWO = { epoch: "0000000000000002", transfer: 3 };
const OPTIONS = { windowBlocks: 16, socketFragments: 400, fragmentsPerSecond: Infinity };

test("whoever is asked later comes later, until the first is moved back", () => {
  const order = new CommitOrder();
  assert.equal(order.place(ONE, 0), 1);
  assert.equal(order.place(TWO, 0), 2);
  assert.deepEqual([order.isFirst(ONE), order.isFirst(TWO)], [true, false]);
  assert.equal(order.place(ONE, 5), 5);
  assert.deepEqual([order.isFirst(ONE), order.isFirst(TWO)], [false, true]);
  assert.equal(order.place(TWO, 1), 2, "nobody is moved forward");
  order.leave(TWO);
  assert.deepEqual([order.isFirst(ONE), order.isFirst(TWO)], [true, false]);
  assert.equal(order.place(TWO, 0), 6, "behind all that this node has heard of");
});

test("of two with the same place, the one with the lower epoch comes first, then that with the lower number", () => {
  const order = new CommitOrder();
  const three = { epoch: TWO.epoch, transfer: 2 };
  for (const key of [TWO, ONE, three]) order.place(key, 0);
  for (const key of [TWO, ONE, three]) assert.equal(order.place(key, 9), 9);
  for (const key of [ONE, three, TWO]) {
    for (const other of [ONE, TWO, three]) assert.equal(order.isFirst(other), other === key);
    order.leave(key);
  }
});

test("a place that is as high as can be stays there", () => {
  const order = new CommitOrder();
  order.place(ONE, HIGHEST_ORDER);
  assert.equal(order.place(TWO, 0), HIGHEST_ORDER);
});

function memberOf(index: number): Member {
  const info = nodeInfo(`host${index}`, { version: "0.0.0" });
  const nodeId = String(index).repeat(32);
  const address = { ip: `10.0.0.${index}`, port: 5000 };
  return { nodeId, epoch: String(index).repeat(16), address, info, joinedMs: 0 };
}

/** A sender of a transfer without any entries, and what it says. */
class Sender {
  readonly engine: TransferSender;
  nowMs = 0;
  readonly node = {
    epoch: "f".repeat(16),
    bucket: new TokenBucket(Infinity),
    places: new CommitOrder(),
    silent: new SilentMembers(),
  };
  private readonly targets = [1, 2, 3].map(memberOf);

  constructor(request: Partial<TransferRequest> = {}) {
    const whole = {
      transfer: 1,
      targets: this.targets,
      dryRun: false,
      allOrNothing: false,
      rank: 1,
      ...request,
    };
    this.engine = new TransferSender(whole, OPTIONS, this.node, 0);
    const nothing = { blocks: [], state: "end", failure: undefined, unreadable: 0 } as const;
    this.engine.handleProduced({ kind: "produced", transfer: 1, ...nothing }, 0);
  }

  hear(index: number, phase: MemberPhase, order = 0): void {
    const lists = { missingRuns: [], missingFragments: [], wants: [] };
    const flow = { stamp: 0, stagedBelow: 0, windowEnd: 16, inFlight: 400, received: 0 };
    const rest = { reason: "", findings: 0, worked: 0, admission: 1, ahead: 0 };
    const head = { sender: "f".repeat(16), transfer: 1, phase, order };
    this.engine.handleStatus(memberOf(index).epoch, { ...head, ...lists, ...flow, ...rest }, this.nowMs);
  }

  /** What it has said about the order since the last call, and to whom. */
  said(): string[] {
    const said: string[] = [];
    for (let effect = this.engine.poll(); effect !== undefined; effect = this.engine.poll()) {
      if (effect.kind === "send") said.push(...shortOf(effect.message));
      else if (effect.kind === "event" && effect.event.kind === "transfer-finished")
        said.push(effect.event.result.verdicts.map(({ outcome }) => outcome).join(" "));
    }
    return said;
  }

  runFor(ms: number, meanwhile: () => void): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs += 100;
      this.engine.tick(this.nowMs);
      meanwhile();
    }
  }
}

function shortOf({ type, body }: ControlMessage): string[] {
  if (type === "abort") return [`abort ${body.targets.map((epoch) => epoch[0]).join("")}`];
  if (type !== "order" && type !== "commit") return [];
  return [`${type} ${body.order} ${body.targets.map((epoch) => epoch[0]).join("")}`];
}

test("COMMIT is said when all have the same place, and no sooner", () => {
  const sender = new Sender();
  for (const index of [1, 2, 3]) sender.hear(index, MemberPhase.ready);
  assert.deepEqual(sender.said(), ["order 1 123"]);
  sender.hear(1, MemberPhase.ordered, 4);
  sender.hear(2, MemberPhase.ordered, 9);
  assert.deepEqual(sender.said(), []);
  sender.hear(3, MemberPhase.ordered, 4);
  assert.deepEqual(sender.said(), ["order 9 13"]);
  sender.hear(1, MemberPhase.ordered, 9);
  sender.hear(3, MemberPhase.ready);
  assert.deepEqual(sender.said(), [], "an older answer that comes late");
  sender.hear(3, MemberPhase.ordered, 9);
  assert.deepEqual(sender.said(), ["commit 9 123"]);
  for (const index of [1, 2, 3]) sender.hear(index, MemberPhase.done, 9);
  assert.deepEqual(sender.said(), ["done done done"]);
});

test("members that agree at once are asked once", () => {
  const sender = new Sender();
  for (const index of [1, 2, 3]) sender.hear(index, MemberPhase.ready);
  sender.said();
  for (const index of [1, 2, 3]) sender.hear(index, MemberPhase.ordered, 6);
  assert.deepEqual(sender.said(), ["commit 6 123"]);
});

test("a member that answers and draws no place is left out after five seconds, and the place stays", () => {
  const sender = new Sender();
  for (const index of [1, 2, 3]) sender.hear(index, MemberPhase.ready);
  sender.hear(1, MemberPhase.ordered, 4);
  sender.hear(2, MemberPhase.ordered, 4);
  sender.said();
  sender.runFor(6_000, () => {
    sender.hear(1, MemberPhase.ordered, 4);
    sender.hear(2, MemberPhase.ordered, 4);
    sender.hear(3, MemberPhase.ready);
  });
  const said = sender.said();
  assert.equal(said[0], "order 4 3");
  assert.deepEqual(said.filter((one) => !one.startsWith("order")).slice(0, 2), ["abort 3", "commit 4 12"]);
});

test("until COMMIT has been said a transfer can be given up, and all or nothing is kept", () => {
  for (const end of ["cancel", "loss"] as const) {
    const sender = new Sender({ allOrNothing: end === "loss" });
    for (const index of [1, 2, 3]) sender.hear(index, MemberPhase.ready);
    sender.hear(1, MemberPhase.ordered, 4);
    sender.said();
    if (end === "cancel") sender.engine.cancel("interrupted");
    else sender.engine.handleMemberLeft(memberOf(2).epoch, "it was stopped", 0);
    const said = sender.said().filter((one) => one !== "abort 2");
    assert.deepEqual(said, ["abort ", "abort ", "abort ", "failed failed failed"]);
  }
});

test("a transfer of the node itself is waited for until its place is final, and comes after all that have one before", () => {
  const order = new CommitOrder();
  order.place(ONE, 0);
  order.begin(TWO);
  assert.deepEqual(order.ownAfter(ONE), [TWO.transfer], "it has no place yet");
  const three = { epoch: "0000000000000003", transfer: 1 };
  order.place(TWO, 0);
  order.place(three, 0);
  assert.deepEqual([order.ownAfter(ONE), order.ownAfter(three)], [[TWO.transfer], []]);
  assert.deepEqual([order.isFirst(TWO), order.isFirst(three)], [false, false]);
  order.leave(ONE);
  assert.deepEqual([order.isFirst(TWO), order.isFirst(three)], [true, false]);
  const before = order.departures;
  order.settle(TWO);
  assert.deepEqual([order.isFirst(three), order.departures], [true, before + 1]);
  order.place(TWO, 9);
  assert.deepEqual(order.ownAfter(three), [TWO.transfer]);
  order.leave(TWO);
  assert.deepEqual(order.ownAfter(three), []);
});
