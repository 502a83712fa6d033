import assert from "node:assert/strict";
import { test } from "node:test";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { epochOf, ScriptedSender, SMALL, TRANSFER } from "./scripted-sender.ts";

/** How a transfer comes to its end at its sender: the place that the members agree on, COMMIT, and all other ends. */

/** Brings a transfer of one small block to where all members are ready. */
function ready(members: number, options = {}): ScriptedSender {
  const sender = new ScriptedSender(members, { blocks: [SMALL] });
  sender.start(options);
  sender.run(5);
  for (let index = 0; index < members; index++)
    sender.status(index, { stagedBelow: 1, phase: MemberPhase.ready });
  return sender;
}

test("the members agree on a place before any of them commits", () => {
  const sender = ready(2);
  const all = [epochOf(0), epochOf(1)];
  assert.deepEqual(
    sender.take("order").map(({ body }) => [body.order, body.targets]),
    [[1, all]],
  );
  const ordered = { stagedBelow: 1, phase: MemberPhase.ordered };
  sender.status(0, { ...ordered, order: 3 });
  sender.status(1, { ...ordered, order: 7 });
  assert.deepEqual(sender.take("commit"), []);
  assert.deepEqual(
    sender.take("order").map(({ body }) => [body.order, body.targets]),
    [[7, [epochOf(0)]]],
    "the one that has proposed less moves back",
  );
  sender.status(0, { ...ordered, order: 7 });
  assert.deepEqual(
    sender.take("commit").map(({ body }) => [body.order, body.targets]),
    [[7, all]],
  );
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.done, order: 7 });
  assert.equal(sender.isOver, false);
  sender.run(300);
  assert.deepEqual(sender.take("commit").at(-1)?.body.targets, [epochOf(1)]);
  sender.status(1, { stagedBelow: 1, phase: MemberPhase.done, order: 7 });
  assert.deepEqual(sender.verdicts, ["host0 done", "host1 done"]);
  assert.equal(sender.result?.aborted, undefined);
  assert.ok(sender.isSourceClosed && sender.engine.isIdle);
});

test("a member that is lost in the middle of the commit is unconfirmed, and the transfer ends without it", () => {
  const sender = ready(2);
  for (const index of [0, 1]) sender.status(index, { stagedBelow: 1, phase: MemberPhase.ordered, order: 1 });
  assert.equal(sender.take("commit").length, 1);
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.done, order: 1 });
  sender.hear(1, { type: "exit", body: null });
  assert.deepEqual(sender.verdicts, ["host0 done", "host1 unconfirmed it was stopped"]);
});

test("a member that fails in the middle of the commit has failed", () => {
  const sender = ready(1);
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.ordered, order: 1 });
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.failed, reason: "the disk is full" });
  assert.deepEqual(sender.verdicts, ["host0 failed the disk is full"]);
});

test("a refusal at one member ends the transfer at all", () => {
  const sender = new ScriptedSender(2, { blocks: [SMALL] });
  sender.start();
  sender.status(0, { phase: MemberPhase.refused, reason: "too much would be deleted" });
  assert.equal(sender.result?.aborted, "host0: too much would be deleted");
  const aborts = sender.take("abort");
  assert.deepEqual(
    aborts.map(({ to, body }) => [to, body.targets, body.reason]),
    Array(3).fill(["group", [], "host0: too much would be deleted"]),
  );
  assert.deepEqual(
    sender.verdicts,
    [0, 1].map((index) => `host${index} failed host0: too much would be deleted`),
  );
});

test("with all-or-nothing one failure ends the transfer, otherwise it goes on with the others", () => {
  for (const allOrNothing of [true, false]) {
    const sender = new ScriptedSender(2, { blocks: [SMALL] });
    sender.start({ allOrNothing });
    sender.status(0, { phase: MemberPhase.failed, reason: "the disk is full" });
    assert.equal(sender.result?.aborted, allOrNothing ? "host0: the disk is full" : undefined);
    assert.equal(sender.engine.isIdle, allOrNothing);
  }
});

test("a transfer can be cancelled until the commit, and not in it", () => {
  const cancel = { kind: "cancel-transfer", transfer: TRANSFER, reason: "interrupted" } as const;
  const early = new ScriptedSender(1, { blocks: [SMALL] });
  early.start();
  early.handle(cancel);
  assert.equal(early.result?.aborted, "interrupted");
  const ordering = ready(1);
  ordering.handle(cancel);
  assert.equal(ordering.result?.aborted, "interrupted");
  const late = ready(1);
  late.status(0, { stagedBelow: 1, phase: MemberPhase.ordered, order: 1 });
  late.handle(cancel);
  assert.equal(late.isOver, false);
});

test("a dry run ends when all have compared, and nothing is committed", () => {
  const sender = ready(2, { dryRun: true });
  assert.ok(sender.take("offer").every(({ body }) => body.dryRun));
  assert.deepEqual(sender.verdicts, ["host0 done", "host1 done"]);
  assert.deepEqual(
    sender.take("abort").map(({ body }) => body.reason),
    ["dry run"],
  );
  assert.equal(sender.take("order").length + sender.take("commit").length, 0);
});

test("entries that cannot be read end a transfer with all-or-nothing, and no other", () => {
  for (const allOrNothing of [true, false]) {
    const sender = new ScriptedSender(1, { blocks: [], last: "idle" });
    sender.start({ allOrNothing });
    const produced = {
      kind: "produced",
      transfer: TRANSFER,
      blocks: [],
      state: "more",
      failure: undefined,
    } as const;
    sender.handle({ ...produced, unreadable: 0 });
    assert.equal(sender.isOver, false);
    sender.handle({ ...produced, unreadable: 2 });
    assert.equal(sender.result?.aborted, allOrNothing ? "the sender cannot read 2 entries" : undefined);
  }
});

test("a source that fails ends the transfer with its sentence", () => {
  const sender = new ScriptedSender(1, { blocks: [], last: "idle" });
  sender.start();
  const common = { kind: "produced", transfer: TRANSFER, blocks: [], unreadable: 0 } as const;
  sender.handle({ ...common, state: "more", failure: "the disk is gone" });
  assert.equal(sender.result?.aborted, "the disk is gone");
});
