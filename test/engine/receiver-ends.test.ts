import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { INBOUND_TRANSFERS } from "../../src/wire/limits.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { keyOf, ScriptedReceiver } from "./scripted-receiver.ts";

/** One transfer at a member from the last block on: ready, ordered, committed; and all the other ways in which it ends. */

const kinds = (node: ScriptedReceiver) => node.takeDisk().map(({ kind }) => kind);

/** How transfers have ended, and why. */
function ends(node: ScriptedReceiver): string[] {
  return node.events.flatMap((event) =>
    event.kind === "inbound-ended" ? [`${event.key.transfer} ${event.outcome} ${event.reason}`.trim()] : [],
  );
}

test("nothing is said before the disk has done it: ready, ordered, committing, done", () => {
  const node = new ScriptedReceiver();
  const phases = () => node.takeStatuses().map(({ phase, order }) => [phase, order]);
  node.receiveAll();
  assert.deepEqual(kinds(node), ["open-stage", "stage", "prepare"]);
  node.progress({ sentBlocks: 1, stamp: 1, final: true, poll: true });
  assert.ok(phases().every(([phase]) => phase === MemberPhase.receiving));
  node.prepared();
  assert.deepEqual(phases(), [[MemberPhase.ready, 0]]);
  node.order(0);
  assert.deepEqual(phases(), [[MemberPhase.ordered, 1]]);
  node.order(5);
  assert.deepEqual(phases(), [[MemberPhase.ordered, 5]]);
  node.commit(5);
  assert.deepEqual(kinds(node), ["commit"]);
  node.commit(5);
  assert.deepEqual(phases(), [[MemberPhase.committing, 5]], "the sender asks again");
  assert.deepEqual(kinds(node), []);
  node.handle({ kind: "committed", key: keyOf(), failure: undefined });
  assert.deepEqual(phases(), [[MemberPhase.done, 5]]);
  assert.deepEqual(ends(node), ["1 done"]);
  assert.ok(node.engine.isIdle);
  node.commit(5);
  assert.deepEqual(phases(), [[MemberPhase.done, 0]], "the last word may have got lost");
});

test("ORDER and COMMIT for others are not for this node", () => {
  const node = new ScriptedReceiver();
  node.becomeReady();
  node.takeStatuses();
  kinds(node);
  node.order(0, ["0".repeat(16)]);
  node.run(1);
  assert.deepEqual(node.takeStatuses(), []);
  node.order(0);
  node.takeStatuses();
  node.commit(1, ["0".repeat(16)]);
  node.run(1);
  assert.deepEqual([node.takeStatuses(), kinds(node)], [[], []]);
});

test("COMMIT is not carried out by one that has not been given a place", () => {
  const node = new ScriptedReceiver();
  node.becomeReady();
  kinds(node);
  node.commit(1);
  assert.deepEqual(kinds(node), []);
  assert.equal(node.takeStatus().phase, MemberPhase.ready);
});

test("the disk makes everything durable when the last block is staged, not when it has arrived", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.progress({ sentBlocks: 2, stamp: 2, final: true });
  node.fragments(0);
  node.fragments(1);
  node.staged([1]);
  assert.ok(!kinds(node).includes("prepare"));
  node.staged([0]);
  assert.deepEqual(kinds(node), ["prepare"]);
});

test("a transfer without blocks is prepared when the sender says that there are none", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.progress({ final: false });
  assert.deepEqual(kinds(node), ["open-stage"]);
  node.progress({ final: true });
  assert.deepEqual(kinds(node), ["prepare"]);
});

test("a dry run is ready when all is compared, and prepares nothing", () => {
  const node = new ScriptedReceiver();
  node.offer(1, true);
  node.fragments(0, { kind: 1 });
  node.compared(0, new Bitmap(1));
  node.takeStatuses();
  node.progress({ sentBlocks: 1, stamp: 1, settledBelow: 1, final: true, poll: true });
  assert.equal(node.takeStatus().phase, MemberPhase.ready);
  assert.deepEqual(kinds(node), ["open-stage", "stage"]);
});

test("a failure of the disk is told at once, whatever it was doing", () => {
  const staging = new ScriptedReceiver();
  staging.offer();
  staging.fragments(0);
  staging.takeStatuses();
  const outcome = { kind: "failed", reason: "the disk is full" } as const;
  staging.handle({ kind: "staged", key: keyOf(), blocks: [0], outcome });
  const preparing = new ScriptedReceiver();
  preparing.receiveAll();
  preparing.takeStatuses();
  preparing.prepared("the disk is full");
  for (const node of [staging, preparing]) {
    const { phase, reason } = node.takeStatus();
    assert.deepEqual([phase, reason], [MemberPhase.failed, "the disk is full"]);
    assert.deepEqual(ends(node), ["1 failed the disk is full"]);
    assert.equal(kinds(node).at(-1), "discard");
    assert.ok(node.engine.isIdle);
  }
});

test("a refusal is told as one", () => {
  const node = new ScriptedReceiver();
  node.receiveAll();
  node.takeStatuses();
  node.prepared("too much would be deleted", true);
  const { phase, reason } = node.takeStatus();
  assert.deepEqual([phase, reason], [MemberPhase.refused, "too much would be deleted"]);
});

test("a commit that fails is told, and nothing is discarded", () => {
  const node = new ScriptedReceiver();
  node.becomeReady();
  node.order(0);
  node.commit(1);
  kinds(node);
  node.takeStatuses();
  node.handle({ kind: "committed", key: keyOf(), failure: "the disk is gone" });
  const { phase, reason } = node.takeStatus();
  assert.deepEqual([phase, reason], [MemberPhase.failed, "the disk is gone"]);
  assert.deepEqual(kinds(node), []);
});

const abort = (targets: readonly string[]) =>
  ({ type: "abort", body: { transfer: 1, targets, reason: "interrupted" } }) as const;

test("ABORT throws a transfer away at those it names, or at all, until COMMIT has been said", () => {
  const node = new ScriptedReceiver();
  node.becomeReady();
  node.hear(abort(["0".repeat(16)]));
  assert.deepEqual(ends(node), []);
  node.hear(abort([]));
  assert.deepEqual(ends(node), ["1 discarded interrupted"]);
  assert.equal(kinds(node).at(-1), "discard");
  const named = new ScriptedReceiver();
  named.becomeReady();
  named.hear(abort(["a".repeat(16)]));
  assert.deepEqual(ends(named), ["1 discarded interrupted"]);
  const decided = new ScriptedReceiver();
  decided.becomeReady();
  decided.order(0);
  decided.commit(1);
  decided.hear(abort([]));
  decided.hear({ type: "exit", body: null });
  assert.deepEqual(ends(decided), []);
  decided.handle({ kind: "committed", key: keyOf(), failure: undefined });
  assert.deepEqual(ends(decided), ["1 done"]);
});

test("a transfer whose sender is silent for fifteen seconds is thrown away, and not before", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.run(10_000);
  node.fragments(0);
  node.run(10_000);
  node.progress({ sentBlocks: 1, stamp: 1 });
  node.run(14_990);
  assert.deepEqual(ends(node), []);
  node.run(20);
  assert.deepEqual(ends(node), ["1 discarded the sender was silent for 15 seconds"]);
});

test("a transfer whose sender leaves is thrown away", () => {
  const node = new ScriptedReceiver(2);
  node.offer();
  node.offer(2, false, 1);
  node.hear({ type: "exit", body: null });
  assert.deepEqual(ends(node), ["1 discarded the sender left: it was stopped"]);
});

test("a ninth transfer waits until one of the others has ended", () => {
  const node = new ScriptedReceiver(2);
  for (let transfer = 1; transfer <= INBOUND_TRANSFERS; transfer++) node.offer(transfer, false, 1);
  node.run(1);
  node.takeStatuses();
  node.offer(1);
  const { phase, windowEnd, inFlight, reason, ahead, admission } = node.takeStatus();
  assert.deepEqual([phase, windowEnd, inFlight, reason], [MemberPhase.waiting, 0, 0, ""]);
  assert.deepEqual([ahead, admission], [INBOUND_TRANSFERS, INBOUND_TRANSFERS]);
  assert.equal(kinds(node).length, INBOUND_TRANSFERS);
  node.hear({ type: "abort", body: { transfer: 3, targets: [], reason: "" } }, 1);
  assert.deepEqual(kinds(node), ["discard", "open-stage"], "it is admitted without another offer");
});

test("a node that does not receive takes part in a dry run", () => {
  const node = new ScriptedReceiver(1, { receives: false });
  node.offer(undefined, true);
  assert.deepEqual(kinds(node), ["open-stage"]);
});

test("a node that does not receive turns every transfer down", () => {
  const node = new ScriptedReceiver(1, { receives: false });
  for (let count = 0; count < 2; count++) {
    node.offer();
    const { phase, reason } = node.takeStatus();
    assert.deepEqual([phase, reason], [MemberPhase.failed, "it does not receive"]);
  }
  assert.deepEqual(kinds(node), []);
});

test("the sender of an ended transfer is told how it ended as often as it asks", () => {
  const node = new ScriptedReceiver();
  node.receiveAll();
  node.prepared("the disk is full");
  node.takeStatuses();
  const asks: (() => void)[] = [
    () => node.offer(),
    () => node.progress({ poll: true }),
    () => node.order(0),
    () => node.commit(1),
  ];
  for (const ask of asks) {
    ask();
    const { phase, reason } = node.takeStatus();
    assert.deepEqual([phase, reason], [MemberPhase.failed, "the disk is full"]);
  }
  node.order(0, ["0".repeat(16)]);
  node.hear(abort([]));
  node.progress({ transfer: 9, poll: true });
  assert.deepEqual(node.takeStatuses(), [], "others are asked, or nothing is");
});

test("findings are given to the sender that asks for them, from the one on that it asks for", () => {
  const node = new ScriptedReceiver();
  node.receiveAll();
  node.prepared(undefined, false, 3);
  assert.equal(node.takeStatus().findings, 3);
  kinds(node);
  for (const first of [0, 2, 3]) node.hear({ type: "inquiry", body: { transfer: 1, first } });
  const reads = node.takeDisk().map((effect) => (effect.kind === "read-findings" ? effect.first : undefined));
  assert.deepEqual(reads, [0, 2], "there is no fourth");
  const findings = Array.from(
    { length: 150 },
    (_, index) => ({ kind: 1, path: `${index}`, text: "" }) as const,
  );
  node.handle({ kind: "found", key: keyOf(), first: 7, findings });
  const told = node.said.flatMap(({ message }) => (message.type === "findings" ? [message.body] : []));
  assert.deepEqual(
    told.map(({ first, hasMore, findings: some }) => [first, hasMore, some.length]),
    [
      [7, true, 100],
      [107, false, 50],
    ],
  );
  assert.deepEqual(
    told.flatMap(({ findings: some }) => some),
    findings,
  );
});

test("commits are carried out in the order of their places, whatever comes first", () => {
  const node = new ScriptedReceiver();
  for (const transfer of [1, 2]) {
    node.offer(transfer);
    node.hear({
      type: "progress",
      body: { transfer, sentBlocks: 0, stamp: 0, settledBelow: 0, final: true, poll: false, spreadMs: 0 },
    });
    node.handle({
      kind: "prepared",
      key: keyOf(transfer, 0, transfer),
      failure: undefined,
      isRefusal: false,
      findings: 0,
    });
    node.hear({ type: "order", body: { transfer, order: 0, targets: ["a".repeat(16)] } });
  }
  kinds(node);
  node.hear({ type: "commit", body: { transfer: 2, order: 2, targets: ["a".repeat(16)] } });
  assert.deepEqual(kinds(node), [], "the first one comes before it");
  node.hear({ type: "abort", body: { transfer: 1, targets: [], reason: "interrupted" } });
  assert.deepEqual(kinds(node), ["discard", "commit"]);
});

test("one that is overtaken by another transfer fails at once, unless COMMIT has been said", () => {
  const failure = "d: another transfer has replaced it: push again";
  const overtaken = { kind: "overtaken", key: keyOf(), failure } as const;
  const until: readonly ((node: ScriptedReceiver) => void)[] = [
    (node) => node.receiveAll(),
    (node) => node.becomeReady(),
    (node) => {
      node.becomeReady();
      node.order(0);
    },
  ];
  for (const reach of until) {
    const node = new ScriptedReceiver();
    reach(node);
    kinds(node);
    node.takeStatuses();
    node.handle(overtaken);
    const { phase, reason } = node.takeStatus();
    assert.deepEqual([phase, reason], [MemberPhase.failed, failure]);
    assert.deepEqual([kinds(node), ends(node)], [["discard"], [`1 failed ${failure}`]]);
    node.handle(overtaken);
    assert.equal(ends(node).length, 1);
  }
  const node = new ScriptedReceiver();
  node.becomeReady();
  node.order(0);
  node.commit(1);
  node.takeStatuses();
  node.handle(overtaken);
  assert.deepEqual([node.takeStatuses(), ends(node)], [[], []]);
});
