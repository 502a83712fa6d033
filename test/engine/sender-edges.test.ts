import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { MemberPhase, type Status } from "../../src/wire/status-message.ts";
import {
  addressOf,
  epochOf,
  LARGE,
  manifest,
  ScriptedSender,
  SELF,
  SMALL,
  TRANSFER,
} from "./scripted-sender.ts";

/** For how long a sender waits, and for what. */

const failures = (sender: ScriptedSender) =>
  sender.events.flatMap((event) =>
    event.kind === "member-failed" ? [`${event.hostName} ${event.reason}`] : [],
  );

const STUCK = "it answers, but has not got on for 300 seconds";

/** Lets six minutes pass, in which the only member says the same again and again. */
function sixMinutes(sender: ScriptedSender, parts: Partial<Status>): string[] {
  for (let count = 0; count < 90; count++) {
    sender.nowMs += 990;
    sender.handle({ kind: "tick" });
    for (let step = 1; step < 4; step++) {
      sender.status(0, parts);
      sender.nowMs += 990;
      sender.handle({ kind: "tick" });
    }
  }
  return failures(sender);
}

test("an offer is repeated though nothing is there to be sent", () => {
  const sender = new ScriptedSender(1, { blocks: [], last: "idle" });
  sender.start();
  sender.run(100);
  assert.deepEqual(
    sender.take("offer").map(({ atMs }) => atMs - 1000),
    [0, 10, 30, 70],
  );
});

for (const [what, blocks, parts, isStuck] of [
  ["has not staged a block", [LARGE], {}, true],
  ["has staged all there is", [LARGE], { stagedBelow: 1 }, false],
  ["owes an answer to a manifest block", [manifest(1)], { stagedBelow: 1 }, true],
] as const) {
  test(`a member that ${what} ${isStuck ? "is" : "is not"} taken out when it does not get on`, () => {
    const sender = new ScriptedSender(1, { blocks: [...blocks], last: "idle" });
    sender.start();
    sender.run(3);
    assert.deepEqual(sixMinutes(sender, parts), isStuck ? [`host0 ${STUCK}`] : []);
  });
}

test("a member that has staged everything and does not get ready is taken out", () => {
  const sender = new ScriptedSender(1, { blocks: [SMALL] });
  sender.start();
  sender.run(3);
  assert.deepEqual(sixMinutes(sender, { stagedBelow: 1 }), [`host0 ${STUCK}`]);
});

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

test("time in which this process stood still is forgiven from one second on", () => {
  const silentAfter = (standstillMs: number) => {
    const sender = new ScriptedSender(1, { blocks: [SMALL] });
    sender.start();
    sender.run(100);
    sender.nowMs += standstillMs - 1;
    sender.run(7000);
    return sender.take("abort")[0]?.atMs;
  };
  const usual = silentAfter(1) ?? 0;
  assert.ok(usual >= 6000 && usual <= 6500, `${usual}`);
  assert.ok((silentAfter(999) ?? 0) <= 6500);
  assert.ok((silentAfter(1000) ?? 0) >= 7000);
});

test("while it is ordering a sender asks all members every half second, also those that have their place", () => {
  const sender = new ScriptedSender(2, { blocks: [SMALL] });
  sender.start();
  sender.run(3);
  for (const index of [0, 1]) sender.status(index, { stagedBelow: 1, phase: MemberPhase.ready });
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.ordered, order: 1 });
  sender.take("progress");
  sender.run(3000);
  assert.deepEqual(
    sender.take("progress").map(({ atMs, body }) => [atMs, body.poll]),
    [2000, 2500, 3000, 3500, 4000].map((atMs) => [atMs, true]),
  );
});

test("an answer to a manifest block that is settled already is an echo, and no mistake", () => {
  const sender = new ScriptedSender(1, { blocks: [manifest(3)], last: "idle" });
  sender.start();
  sender.run(3);
  const wants = [{ block: 0, entries: new Bitmap(3), differences: undefined }];
  sender.status(0, { wants });
  sender.status(0, { wants });
  assert.deepEqual(failures(sender), []);
  assert.equal(sender.settled.length, 1);
});

test("a member whose socket holds less than a block gets it in pieces", () => {
  const sender = new ScriptedSender(1, { blocks: [LARGE, LARGE, LARGE] });
  sender.start();
  sender.status(0, { inFlight: 10 });
  sender.run(5);
  const piece = () => {
    const before = sender.stamp;
    sender.status(0, { inFlight: 10 });
    return sender.stamp - before;
  };
  assert.deepEqual([piece(), piece(), piece(), piece(), piece()], [10, 10, 10, 4, 0]);
});

/** Lets time pass in steps of half a second from the start on; when the first member was left out. */
function leftOutMs(
  sender: ScriptedSender,
  endMs: number,
  speak: (nowMs: number) => void,
): number | undefined {
  while (sender.nowMs < endMs) {
    sender.nowMs += 500;
    sender.handle({ kind: "tick" });
    speak(sender.nowMs);
  }
  return sender.take("abort")[0]?.atMs;
}

test("a member is silent after exactly five seconds, and stuck after exactly five minutes", () => {
  const silent = new ScriptedSender(1, { blocks: [SMALL] });
  silent.start();
  assert.equal(
    leftOutMs(silent, 20_000, (nowMs) => nowMs === 3000 && silent.status(0)),
    8000,
  );
  const stuck = new ScriptedSender(1, { blocks: [SMALL] });
  stuck.start();
  assert.equal(
    leftOutMs(stuck, 310_000, (nowMs) => nowMs >= 3000 && stuck.status(0)),
    303_000,
  );
});

/** A transfer that its members are to commit. */
function committing(members: number): ScriptedSender {
  const sender = new ScriptedSender(members, { blocks: [SMALL] });
  sender.start();
  sender.run(3);
  for (const phase of [MemberPhase.ready, MemberPhase.ordered])
    for (let index = 0; index < members; index++) sender.status(index, { stagedBelow: 1, phase, order: 1 });
  assert.equal(sender.take("commit").length, 1);
  return sender;
}

test("a member that commits for more than five minutes is unconfirmed, unless it works", () => {
  for (const isWorking of [false, true]) {
    const sender = committing(1);
    for (let count = 0; count < 340; count++) {
      sender.nowMs += 980;
      sender.handle({ kind: "tick" });
      const worked = isWorking ? count >> 3 : 0;
      sender.status(0, { stagedBelow: 1, phase: MemberPhase.committing, order: 1, worked });
    }
    assert.deepEqual(sender.verdicts, isWorking ? [] : [`host0 unconfirmed ${STUCK}`]);
  }
});

test("nothing but DONE in the commit is DONE", () => {
  const early = new ScriptedSender(1, { blocks: [SMALL] });
  early.start();
  early.run(3);
  early.status(0, { stagedBelow: 1, phase: MemberPhase.done });
  assert.deepEqual(early.verdicts, []);
  const sender = committing(1);
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.committing, order: 1 });
  assert.deepEqual(sender.verdicts, []);
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.done, order: 1 });
  assert.deepEqual(sender.verdicts, ["host0 done"]);
});

test("a member is asked for its findings every 200 ms until it answers, and what is empty or not expected is no answer", () => {
  const sender = new ScriptedSender(2, { blocks: [SMALL] });
  sender.start();
  sender.run(3);
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
  const told = () => sender.events.filter(({ kind }) => kind === "findings").length;
  assert.equal(told(), 0);
  answer(0, true, ["a"]);
  assert.equal(told(), 1);
  assert.equal(sender.take("inquiry").length, 0, "more is under way");
  sender.hear(0, { type: "exit", body: null });
  answer(0, false, ["a"]);
  assert.equal(told(), 1, "it has left");
});

test("a forged stamp counts as the newest one, and not as one more", () => {
  const sender = new ScriptedSender(1, { blocks: [LARGE, LARGE, LARGE] });
  sender.start();
  sender.status(0, { inFlight: 10 });
  const before = sender.stamp;
  sender.status(0, { inFlight: 10, stamp: before + 5 });
  sender.status(0, { inFlight: 10, stamp: before + 5 });
  assert.equal(sender.stamp, before + 10);
});

test("what waits to be sent again is dropped when all have it by then", () => {
  const sender = new ScriptedSender(2, { blocks: Array.from({ length: 12 }, () => LARGE), last: "idle" });
  sender.start();
  sender.status(0, { windowEnd: 12 });
  sender.status(1, { windowEnd: 12 });
  sender.run(3);
  sender.isSocketFree = false;
  const missing = (block: number) => [{ block, maskLow: 1, maskHigh: 0 }];
  for (const block of [0, 1, 2, 3, 4, 5]) sender.status(0, { missingFragments: missing(block) });
  assert.equal(sender.blocks.length, 12 + 4, "four wait in the socket, two before it");
  for (const index of [0, 1]) sender.status(index, { stagedBelow: 5 });
  sender.isSocketFree = true;
  for (let count = 0; count < 4; count++) sender.handle({ kind: "sent", transfer: TRANSFER });
  assert.deepEqual(sender.blocks.slice(12), [0, 1, 2, 3, 5]);
});

test("a settled manifest block tells what each member wants, and how it differs", () => {
  const sender = new ScriptedSender(2, { blocks: [manifest(2)], last: "idle" });
  sender.start();
  sender.run(3);
  const entries = new Bitmap(2, new Uint8Array([0b01]));
  sender.status(0, { wants: [{ block: 0, entries, differences: undefined }] });
  const differences = new Uint8Array([0, 4]);
  const other = new Bitmap(2, new Uint8Array([0b10]));
  sender.status(1, { wants: [{ block: 0, entries: other, differences }] });
  assert.deepEqual(sender.settled[0]?.wants, [
    { epoch: epochOf(0), entries, differences: undefined },
    { epoch: epochOf(1), entries: other, differences },
  ]);
});
