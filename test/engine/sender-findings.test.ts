import assert from "node:assert/strict";
import { test } from "node:test";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { addressOf, ScriptedSender, SELF, SMALL, TRANSFER } from "./scripted-sender.ts";

/** How a sender reads the findings of its members, and for how long it waits for them. */

const failures = (sender: ScriptedSender) =>
  sender.events.flatMap((event) =>
    event.kind === "member-failed" ? [`${event.hostName} ${event.reason}`] : [],
  );

const STUCK = "it answers, but has made no progress for 300 seconds";

test("a member that does not tell its findings is taken out, and with it what was still to be read", () => {
  const sender = new ScriptedSender(2, { blocks: [SMALL] });
  sender.start();
  sender.run(3);
  const ready = { stagedBelow: 1, phase: MemberPhase.ready };
  sender.status(1, ready);
  for (let count = 0; count < 320 && failures(sender).length === 0; count++) {
    sender.status(0, { ...ready, findings: 1 });
    sender.status(1, ready);
    sender.nowMs += 980;
    sender.handle({ kind: "tick" });
  }
  assert.deepEqual(failures(sender), [`host0 ${STUCK}`]);
  assert.ok(sender.take("order").length > 0, "the other one goes on");
});

test("no more than eight members are asked for their findings at a time", () => {
  const sender = new ScriptedSender(10, { blocks: [SMALL] });
  sender.start();
  sender.run(3);
  for (let index = 0; index < 10; index++)
    sender.status(index, { stagedBelow: 1, phase: MemberPhase.ready, findings: 1 });
  assert.equal(sender.take("inquiry").length, 8);
  const answer = (index: number, first = 0) => {
    const findings = [{ kind: 1, path: "a", text: "" } as const];
    const body = { sender: SELF.epoch, transfer: TRANSFER, first, hasMore: false, findings };
    sender.hear(index, { type: "findings", body });
  };
  answer(3);
  assert.deepEqual(
    sender.take("inquiry").map(({ to }) => to),
    [addressOf(8).ip],
  );
  answer(3);
  assert.equal(sender.take("inquiry").length, 0, "it has told everything");
});

test("a member that reports more findings than it can have is not asked for them", () => {
  for (const [findings, isAsked] of [
    [0, false],
    [1, true],
    [1_677_722, true],
    [1_677_723, false],
  ] as const) {
    const sender = new ScriptedSender(1, { blocks: [SMALL] });
    sender.start();
    sender.run(3);
    sender.status(0, { stagedBelow: 1, phase: MemberPhase.ready, findings });
    assert.equal(sender.take("inquiry").length === 1, isAsked, `${findings}`);
  }
});

test("a member that goes on telling findings is neither silent nor stuck", () => {
  const sender = new ScriptedSender(1, { blocks: [SMALL] });
  sender.start();
  sender.run(3);
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.ready, findings: 10_000 });
  for (let first = 0; first < 100; first++) {
    for (let step = 0; step < 4; step++) {
      sender.nowMs += 990;
      sender.handle({ kind: "tick" });
    }
    const findings = [{ kind: 1, path: "a", text: "" } as const];
    const body = { sender: SELF.epoch, transfer: TRANSFER, first, hasMore: false, findings };
    sender.hear(0, { type: "findings", body });
  }
  assert.deepEqual(failures(sender), []);
  // From now on it tells the same again: it is alive, and does not get on.
  for (let count = 0; count < 330; count++) {
    sender.nowMs += 990;
    sender.handle({ kind: "tick" });
    const body = { sender: SELF.epoch, transfer: TRANSFER, first: 0, hasMore: false, findings: [] };
    sender.hear(0, { type: "findings", body });
  }
  assert.deepEqual(failures(sender), [`host0 ${STUCK}`]);
});

test("a member is asked for its findings every 200 ms until it answers, and what is empty or not expected is no answer", () => {
  const sender = new ScriptedSender(2, { blocks: [SMALL] });
  sender.start();
  sender.run(3);
  sender.status(1, { stagedBelow: 1 });
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.ready, findings: 2 });
  sender.run(601);
  const asked = sender.take("inquiry").map(({ atMs }) => atMs - 1003);
  assert.deepEqual(asked, [0, 200, 400, 600]);
  const answer = (index: number, hasMore: boolean, paths: readonly string[]) => {
    const findings = paths.map((path) => ({ kind: 1, path, text: "" }) as const);
    const body = { sender: SELF.epoch, transfer: TRANSFER, first: 0, hasMore, findings };
    sender.hear(index, { type: "findings", body });
  };
  answer(0, true, []);
  answer(1, false, ["a"]);
  const told = () =>
    sender.events.filter((one) => one.kind === "findings" && one.transfer === TRANSFER).length;
  assert.equal(told(), 0);
  answer(0, true, ["a"]);
  assert.equal(told(), 1);
  assert.equal(sender.take("inquiry").length, 0, "more is under way");
  sender.hear(0, { type: "exit", body: null });
  answer(0, false, ["a"]);
  assert.equal(told(), 1, "it has left");
});

test("findings of a member that has none to be read are no sign that it gets on", () => {
  const sender = new ScriptedSender(1, { blocks: [SMALL] });
  sender.start();
  sender.run(3);
  sender.status(0, { stagedBelow: 0 });
  for (let count = 0; count < 330; count++) {
    sender.nowMs += 990;
    sender.handle({ kind: "tick" });
    const body = { sender: SELF.epoch, transfer: TRANSFER, first: 0, hasMore: false, findings: [] };
    sender.hear(0, { type: "findings", body });
  }
  assert.deepEqual(failures(sender), [`host0 ${STUCK}`]);
});

test("findings of a member that has failed are not heard", () => {
  const sender = new ScriptedSender(2, { blocks: [SMALL] });
  sender.start();
  sender.run(3);
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.ready, findings: 1 });
  sender.status(0, { phase: MemberPhase.failed, reason: "full" });
  const findings = [{ kind: 1, path: "a", text: "" } as const];
  const body = { sender: SELF.epoch, transfer: TRANSFER, first: 0, hasMore: false, findings };
  sender.hear(0, { type: "findings", body });
  assert.deepEqual(
    sender.events.filter(({ kind }) => kind === "findings"),
    [],
  );
});
