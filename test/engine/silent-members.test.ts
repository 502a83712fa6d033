import assert from "node:assert/strict";
import { test } from "node:test";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { infoOf, ScriptedSender, SMALL } from "./scripted-sender.ts";

/** Runs a transfer that only the first member answers; how long the second one was waited for, and why not longer. */
function push(sender: ScriptedSender, transfer: number): [ms: number, reason: string] {
  const startMs = sender.nowMs;
  const failed = () =>
    sender.events.find((event) => event.kind === "member-failed" && event.transfer === transfer);
  sender.start({ transfer });
  while (failed() === undefined && sender.nowMs - startMs < 10_000) {
    sender.run(50);
    sender.status(0, { transfer, phase: MemberPhase.ready });
  }
  const event = failed();
  sender.handle({ kind: "cancel-transfer", transfer, reason: "enough" });
  return [
    Math.floor((sender.nowMs - startMs) / 100) * 100,
    event?.kind === "member-failed" ? event.reason : "",
  ];
}

test("a member that was silent is waited for shortly from then on, until it is heard", () => {
  const sender = new ScriptedSender(2, { blocks: [] });
  const long = [5_000, "no answer for 5 seconds"];
  const short = [1_000, "no answer to this push, nor to the one before"];
  assert.deepEqual(push(sender, 1), long);
  assert.deepEqual(push(sender, 2), short);
  assert.deepEqual(push(sender, 3), short);
  sender.hear(1, { type: "alive", body: { info: infoOf(1) } });
  assert.deepEqual(push(sender, 4), long);
});

test("a silent member is not said to be writing", () => {
  const sender = new ScriptedSender(2, { blocks: [] });
  sender.start({ transfer: 1 });
  const writing = () => sender.engine.outboundTransfer(1)?.delays.map(({ epoch }) => epoch) ?? [];
  for (const member of [0, 1]) sender.status(member, { transfer: 1, phase: MemberPhase.receiving });
  assert.equal(writing().length, 2);
  for (let count = 0; count < 60; count++) {
    sender.run(50);
    sender.status(0, { transfer: 1, phase: MemberPhase.receiving });
  }
  assert.equal(writing().length, 1);
});

test("while a silent member holds up the others, they are not said to be writing", () => {
  const sender = new ScriptedSender(2, { blocks: Array.from({ length: 64 }, () => SMALL), last: "idle" });
  sender.start({ transfer: 1 });
  const named = () => sender.engine.outboundTransfer(1)?.delays.map(({ epoch }) => epoch) ?? [];
  for (const member of [0, 1]) sender.status(member, { windowEnd: 16 });
  const runSeconds = (seconds: number) => {
    for (let count = 0; count < seconds * 20; count++) {
      sender.run(50);
      // Its last report says nothing of blocks that have arrived since.
      sender.status(0, { windowEnd: 256, stagedBelow: 8 });
    }
  };
  runSeconds(0.5);
  assert.equal(sender.blocks.length, 16);
  assert.equal(named().length, 2);
  runSeconds(3);
  assert.deepEqual(named(), []);
});
