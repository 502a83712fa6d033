import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { MemberPhase, type Status } from "../../src/wire/status-message.ts";
import { epochOf, LARGE, manifest, ScriptedSender, SMALL, TRANSFER } from "./scripted-sender.ts";

/** For how long a sender waits, and for what. */

const failures = (sender: ScriptedSender) =>
  sender.events.flatMap((event) =>
    event.kind === "member-failed" ? [`${event.hostName} ${event.reason}`] : [],
  );

const STUCK = "it answers, but has made no progress for 300 seconds";

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

test("a forged stamp counts as the newest one, and not as one more", () => {
  const small = Array.from({ length: 60 }, () => SMALL);
  const sender = new ScriptedSender(1, { blocks: [LARGE, LARGE, ...small] });
  sender.start();
  sender.status(0, { inFlight: 10 });
  sender.run(5);
  const before = sender.stamp;
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

test("a process that stands still right after the start blames nobody either", () => {
  const sender = new ScriptedSender(1, { blocks: [SMALL] });
  sender.start();
  sender.nowMs += 20_000;
  sender.run(4000);
  assert.deepEqual(failures(sender), []);
});

test("one entry that cannot be read ends a transfer with all-or-nothing", () => {
  const sender = new ScriptedSender(1, { blocks: [], last: "idle" });
  sender.start({ allOrNothing: true });
  const common = { transfer: TRANSFER, blocks: [], state: "more", failure: undefined } as const;
  sender.handle({ kind: "produced", unreadable: 1, ...common });
  assert.equal(sender.result?.aborted, "the sender cannot read 1 entries");
});

test("one free place in the window is enough for the next block", () => {
  const sender = new ScriptedSender(1, { blocks: Array.from({ length: 300 }, () => LARGE) });
  sender.start();
  const parts = { windowEnd: 400, inFlight: 100_000 };
  sender.status(0, parts);
  sender.run(3);
  assert.equal(sender.blocks.length, 256);
  sender.status(0, { ...parts, stagedBelow: 1 });
  assert.equal(sender.blocks.length, 257);
});

test("the members of a transfer are told for the display of its progress", () => {
  const sender = new ScriptedSender(2, { blocks: [LARGE] });
  sender.start();
  sender.status(1, { stagedBelow: 1 });
  const progress = [...(sender.engine.outboundTransfer(TRANSFER)?.membersProgress ?? [])];
  assert.deepEqual(
    progress.map(({ member, stagedBelow }) => [member.epoch, stagedBelow]),
    [
      [epochOf(0), 0],
      [epochOf(1), 1],
    ],
  );
});

test("with up to 64 members a repair brings the transfer on, and they are asked soon after it", () => {
  for (const [members, isSoon] of [
    [64, true],
    [65, false],
  ] as const) {
    const sender = new ScriptedSender(members, { blocks: [LARGE, LARGE, LARGE], last: "idle" });
    sender.start();
    for (let index = 0; index < members; index++) sender.status(index, { windowEnd: 3 });
    sender.run(700);
    sender.take("progress");
    const missing = [{ block: 0, maskLow: 1, maskHigh: 0 }];
    for (let index = 0; index < members; index++)
      sender.status(index, { windowEnd: 3, missingFragments: missing });
    const askedMs = sender.nowMs;
    sender.run(30);
    const first = sender.take("progress")[0]?.atMs;
    assert.equal(first === askedMs + 10, isSoon, `${members}: ${first} after ${askedMs}`);
  }
});

test("two members that are lost at once end a transfer with all-or-nothing once", () => {
  const sender = new ScriptedSender(2, { blocks: [SMALL] });
  sender.start({ allOrNothing: true });
  sender.run(7000);
  const reason = "host0: no answer for 5 seconds";
  assert.deepEqual(sender.verdicts, ["host0 failed no answer for 5 seconds", `host1 failed ${reason}`]);
  assert.equal(sender.result?.aborted, reason);
  assert.equal(failures(sender).length, 1);
});

test("the answer of a member that has left does not stand for that of another", () => {
  const sender = new ScriptedSender(2, { blocks: [manifest(3)], last: "idle" });
  sender.start();
  sender.run(3);
  const wants = [{ block: 0, entries: new Bitmap(3), differences: undefined }];
  sender.status(0, { wants });
  sender.hear(0, { type: "exit", body: null });
  sender.run(3);
  assert.equal(sender.settled.length, 0);
  sender.status(1, { wants });
  assert.deepEqual(
    sender.settled[0]?.wants.map(({ epoch }) => epoch),
    [epochOf(1)],
  );
});
