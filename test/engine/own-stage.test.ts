import assert from "node:assert/strict";
import { test } from "node:test";
import type { TransferRequest } from "../../src/engine/types.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { epochOf, ScriptedSender, SELF, SMALL, TRANSFER } from "./scripted-sender.ts";

/** A sender that is one of the hosts of its own transfer: it is ready before the others switch, and switches when one of them does. */

const KEY = { epoch: SELF.epoch, transfer: TRANSFER, admission: 1 };
const OWN = { epoch: SELF.epoch, hostName: "self", address: SELF.address };
const FOLLOWS = { kind: 2, path: "", text: "it gets the former files from another host" } as const;

const kinds = (sender: ScriptedSender) => sender.takeDisk().map(({ kind }) => kind);

/** A transfer of one small block that has begun. */
function begun(members: number, more: Partial<TransferRequest> = {}): ScriptedSender {
  const sender = new ScriptedSender(members, { blocks: [SMALL] });
  sender.start({ allOrNothing: true, own: OWN, ...more });
  sender.run(5);
  assert.deepEqual(kinds(sender), ["open-stage", "prepare"]);
  return sender;
}

function prepared(sender: ScriptedSender, failure?: string, findings = 0): void {
  sender.handle({ kind: "prepared", key: KEY, failure, isRefusal: false, findings });
}

function everyone(sender: ScriptedSender, phase: MemberPhase, order = 0): void {
  for (let index = 0; index < sender.engine.membership.size; index++)
    sender.status(index, { stagedBelow: 1, phase, order });
}

/** Everybody has the same place, and COMMIT is said. */
function decided(members: number): ScriptedSender {
  const sender = begun(members);
  prepared(sender);
  everyone(sender, MemberPhase.ready);
  everyone(sender, MemberPhase.ordered, 4);
  assert.deepEqual(sender.takeDisk(), [{ kind: "weigh", key: KEY, own: [] }]);
  assert.equal(sender.take("commit").length, 0);
  sender.handle({ kind: "weighed", key: KEY, failure: undefined });
  assert.equal(sender.take("commit").length, 1);
  return sender;
}

test("nobody is asked for a place before the sender is ready itself", () => {
  const sender = begun(2);
  everyone(sender, MemberPhase.ready);
  sender.run(100);
  assert.deepEqual(sender.take("order"), []);
  assert.deepEqual(sender.takeDisk(), []);
  prepared(sender);
  assert.deepEqual(kinds(sender), []);
  assert.equal(sender.take("order").length, 1);
});

test("if the sender cannot take part, nobody switches, and it is named", () => {
  const sender = begun(2);
  everyone(sender, MemberPhase.ready);
  prepared(sender, "it keeps nothing");
  assert.equal(sender.result?.aborted, "self: it keeps nothing");
  assert.deepEqual(kinds(sender), ["discard"]);
  assert.equal(sender.take("abort").length, 3);
  assert.ok(sender.verdicts.includes("self failed it keeps nothing"));
  assert.ok(sender.engine.isIdle);
});

test("a push of the sender that is in the way stops the transfer before COMMIT", () => {
  const sender = begun(1);
  prepared(sender);
  everyone(sender, MemberPhase.ready);
  everyone(sender, MemberPhase.ordered, 4);
  sender.handle({ kind: "weighed", key: KEY, failure: "d/f: this host pushes it itself" });
  assert.equal(sender.result?.aborted, "self: d/f: this host pushes it itself");
});

test("a transfer that comes first and changes the same stops it before COMMIT", () => {
  const sender = begun(1);
  prepared(sender);
  sender.handle({ kind: "overtaken", key: KEY, failure: "d/f: overtaken" });
  assert.equal(sender.result?.aborted, "self: d/f: overtaken");
});

test("COMMIT waits until what comes first at the sender is over, and is not said if that is in the way", () => {
  const meet = () => {
    const sender = begun(1);
    const offer = { transfer: 9, dryRun: false, allOrNothing: false, rank: 1, targets: [SELF.epoch] };
    sender.hear(0, { type: "offer", body: offer });
    const key = { epoch: epochOf(0), transfer: 9, admission: 1 };
    sender.hear(0, { type: "progress", body: { ...PROGRESS, transfer: 9 } });
    sender.handle({ kind: "prepared", key, failure: undefined, isRefusal: false, findings: 0 });
    sender.hear(0, { type: "order", body: { transfer: 9, order: 3, targets: [SELF.epoch] } });
    prepared(sender);
    everyone(sender, MemberPhase.ready);
    everyone(sender, MemberPhase.ordered, 4);
    sender.hear(0, { type: "commit", body: { transfer: 9, order: 3, targets: [SELF.epoch] } });
    sender.take("commit");
    assert.deepEqual(kinds(sender), ["open-stage", "prepare", "commit"]);
    return { sender, key };
  };
  const { sender, key } = meet();
  sender.handle({ kind: "switched", key });
  sender.handle({ kind: "committed", key, failure: undefined });
  assert.ok(kinds(sender).includes("weigh"));
  assert.equal(sender.take("commit").length, 0);
  sender.handle({ kind: "weighed", key: KEY, failure: undefined });
  assert.equal(sender.take("commit").length, 1);
  const other = meet();
  other.sender.handle({ kind: "overtaken", key: KEY, failure: "d/f: overtaken" });
  assert.equal(other.sender.result?.aborted, "self: d/f: overtaken");
  assert.equal(other.sender.take("commit").length, 0);
});

test("a member that fails, or Ctrl-C, takes the part of the sender away", () => {
  const sender = begun(2);
  prepared(sender);
  sender.status(0, { phase: MemberPhase.failed, reason: "no" });
  assert.deepEqual(kinds(sender), ["discard"]);
  const other = begun(2);
  other.handle({ kind: "cancel-transfer", transfer: TRANSFER, reason: "interrupted" });
  assert.deepEqual(kinds(other), ["discard"]);
  assert.ok(other.events.some((event) => event.kind === "own-stage-ended" && event.outcome === "failed"));
  prepared(other);
  assert.deepEqual(other.takeDisk(), []);
});

test("the sender switches when a member is known to, and the transfer lasts until it has", () => {
  const sender = decided(2);
  assert.deepEqual(sender.takeDisk(), [], "if it died now, nobody else might know of COMMIT");
  sender.status(1, { stagedBelow: 1, phase: MemberPhase.committing, order: 4 });
  assert.deepEqual(sender.takeDisk(), [{ kind: "commit", key: KEY, order: 4, ownAfter: [] }]);
  everyone(sender, MemberPhase.done, 4);
  assert.equal(sender.isOver, false);
  sender.handle({ kind: "switched", key: KEY });
  sender.handle({ kind: "committed", key: KEY, failure: undefined });
  assert.deepEqual(sender.verdicts, ["host0 done", "host1 done", "self done"]);
  assert.ok(sender.engine.isIdle);
});

test("what comes to the sender after its transfer waits until it has switched", () => {
  const sender = decided(1);
  const offer = { transfer: 9, dryRun: false, allOrNothing: false, rank: 1, targets: [SELF.epoch] };
  sender.hear(0, { type: "offer", body: offer });
  const key = { epoch: epochOf(0), transfer: 9, admission: 1 };
  sender.hear(0, { type: "progress", body: { ...PROGRESS, transfer: 9 } });
  sender.handle({ kind: "prepared", key, failure: undefined, isRefusal: false, findings: 0 });
  sender.hear(0, { type: "order", body: { transfer: 9, order: 5, targets: [SELF.epoch] } });
  sender.hear(0, { type: "commit", body: { transfer: 9, order: 5, targets: [SELF.epoch] } });
  const commits = () =>
    sender.takeDisk().flatMap((effect) => (effect.kind === "commit" ? [effect.key.transfer] : []));
  assert.deepEqual(commits(), []);
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.committing, order: 4 });
  assert.deepEqual(commits(), [TRANSFER]);
  sender.handle({ kind: "switched", key: KEY });
  assert.deepEqual(commits(), [9]);
});

test("a member that is lost after COMMIT may have switched, so the sender does", () => {
  const sender = decided(1);
  sender.hear(0, { type: "exit", body: null });
  assert.deepEqual(kinds(sender), ["commit"]);
});

test("if no member has switched after COMMIT, the sender does not", () => {
  const sender = decided(1);
  sender.status(0, { phase: MemberPhase.failed, reason: "no space" });
  assert.deepEqual(kinds(sender), ["discard"]);
  assert.deepEqual(sender.verdicts, [
    "host0 failed no space",
    "self failed no other host has taken the push back, so this one keeps its files",
  ]);
});

test("a sender that cannot switch after COMMIT has failed, and the members have switched", () => {
  const sender = decided(1);
  everyone(sender, MemberPhase.done, 4);
  sender.handle({ kind: "committed", key: KEY, failure: "d: read-only" });
  assert.deepEqual(sender.verdicts, ["host0 done", "self failed d: read-only"]);
  assert.equal(sender.result?.aborted, undefined);
  assert.equal(sender.result?.order, 4);
});

test("a disk that hangs with the part of the sender is named, and given up before COMMIT", () => {
  const sender = begun(1);
  const stepMs = 990;
  const wait = (seconds: number) => {
    for (const endMs = sender.nowMs + seconds * 1000; sender.nowMs < endMs; sender.nowMs += stepMs) {
      everyone(sender, MemberPhase.ready);
      sender.handle({ kind: "tick" });
    }
  };
  wait(200);
  const delays = () =>
    sender.engine.outboundTransfer(TRANSFER)?.delays.map(({ epoch, doing }) => [epoch, doing]);
  assert.deepEqual(delays(), [[SELF.epoch, "making durable"]]);
  sender.handle({ kind: "worked", key: KEY });
  wait(200);
  assert.equal(sender.isOver, false);
  wait(110);
  assert.match(sender.result?.aborted ?? "", /300 seconds/);
});

test("the only host of a transfer is its sender", () => {
  const sender = begun(0);
  prepared(sender, undefined, 1);
  assert.deepEqual(sender.takeDisk(), [{ kind: "read-findings", key: KEY, first: 0 }]);
  sender.handle({ kind: "found", key: KEY, first: 0, findings: [FOLLOWS] });
  const told = sender.events.find((event) => event.kind === "findings");
  assert.deepEqual(told, { kind: "findings", transfer: TRANSFER, epoch: SELF.epoch, findings: [FOLLOWS] });
  // What it has found is told before the disk looks for the last time, so there is time to stop.
  assert.deepEqual(kinds(sender), ["weigh"]);
  sender.handle({ kind: "weighed", key: KEY, failure: undefined });
  assert.deepEqual(kinds(sender), ["commit"]);
  sender.handle({ kind: "switched", key: KEY });
  sender.handle({ kind: "committed", key: KEY, failure: undefined });
  assert.deepEqual(sender.verdicts, ["self done"]);
  assert.ok((sender.result?.order ?? 0) > 0);
});

const PROGRESS = {
  ...{ sentBlocks: 0, stamp: 0, settledBelow: 0, final: true, poll: false, spreadMs: 0 },
} as const;
