import { test } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { BlockKind, SEALED_BLOCK_BYTES } from "../../src/wire/datagram.ts";
import { MemberPhase, type Status } from "../../src/wire/status-message.ts";
import { ScriptedReceiver } from "./scripted-receiver.ts";
import { epochOf, LARGE, manifest, ScriptedSender, SMALL } from "./scripted-sender.ts";
import { compareTranscript, time } from "./transcript.ts";

/** A sender of many members, and one of many members, by what they say when: see transcript.ts. */

/** What a sender has said since the last time, a line for each moment. */
function saidBy(sender: ScriptedSender): string[] {
  const moments = new Map<number, string[]>();
  for (const { atMs, to, message } of sender.said) {
    const words = moments.get(atMs) ?? [];
    moments.set(atMs, words);
    const { type, body } = message;
    const count = type === "offer" || type === "order" || type === "commit" ? ` ${body.targets.length}` : "";
    const spread = type === "progress" ? ` ${body.spreadMs}${body.poll ? " poll" : ""}` : "";
    words.push(`${type}${count}${spread} > ${to.replace("10.0.", "")}`);
  }
  sender.said.length = 0;
  return [...moments].map(([atMs, words]) => `${time(atMs)} ${summary(words)}`);
}

/** The first and the last few of many words. */
function summary(words: readonly string[]): string {
  if (words.length <= 6) return words.join(", ");
  return [...words.slice(0, 3), `${words.length} in all`, ...words.slice(-2)].join(", ");
}

/** A transfer of one small block, all of which have it but the last few members. */
function waitingFor(members: number, hindmost: number, parts: (index: number) => Partial<Status>): string[] {
  const sender = new ScriptedSender(members, { blocks: [SMALL] });
  sender.start();
  sender.run(3);
  for (let index = 0; index < members - hindmost; index++)
    sender.status(index, { stagedBelow: 1, phase: MemberPhase.ready });
  for (let index = members - hindmost; index < members; index++) sender.status(index, parts(index));
  sender.run(2500);
  return saidBy(sender);
}

for (const [members, hindmost] of [
  [8, 1],
  [200, 1],
  [200, 64],
  [200, 65],
  [300, 75],
  [300, 76],
] as const) {
  test(`transcript: the questions to ${hindmost} of ${members} members`, () => {
    const windowEnd = (index: number) => 100 + ((index * 7) % 11);
    const lines = waitingFor(members, hindmost, (index) => ({
      windowEnd: windowEnd(index),
      stamp: index % 2,
    }));
    compareTranscript(`questions-${hindmost}-of-${members}`, lines);
  });
}

test("transcript: one of 200 members does not answer, and the source has nothing", () => {
  const sender = new ScriptedSender(200, { blocks: [], last: "idle" });
  sender.start();
  for (let index = 0; index < 199; index++) sender.status(index);
  sender.run(2500);
  const idle = saidBy(sender);
  const busy = new ScriptedSender(200, { blocks: [LARGE, LARGE, LARGE] });
  busy.start();
  for (let index = 0; index < 199; index++) busy.status(index);
  busy.run(2500);
  compareTranscript("questions-silent", ["nothing to send:", ...idle, "two blocks sent:", ...saidBy(busy)]);
});

test("transcript: one of 200 members stops after the others have got on for two seconds", () => {
  const sender = new ScriptedSender(200, { blocks: Array.from({ length: 100 }, () => LARGE), last: "idle" });
  sender.start();
  for (let round = 0; round < 40; round++) {
    for (let index = 0; index < 200; index++) sender.status(index, { windowEnd: round + 3 });
    sender.run(50);
  }
  for (let index = 0; index < 199; index++) sender.status(index, { windowEnd: 60 });
  sender.run(2500);
  compareTranscript("questions-later", saidBy(sender));
});

test("transcript: who is asked where the window of some is full, and some owe an answer", () => {
  const members = 100;
  const sender = new ScriptedSender(members, {
    blocks: [manifest(3), LARGE, LARGE, LARGE, LARGE],
    last: "idle",
  });
  sender.start();
  sender.run(3);
  const wants = [{ block: 0, entries: new Bitmap(3), differences: undefined }];
  for (let index = 0; index < members; index++)
    sender.status(index, {
      windowEnd: index % 20 === 3 ? 3 : 256,
      inFlight: index % 20 === 4 ? 100 : 10_000,
      wants: index % 20 === 5 ? [] : wants,
    });
  sender.run(1500);
  compareTranscript("questions-full-windows", saidBy(sender));
});

test("transcript: 150 members get their place, and commit", () => {
  const members = 150;
  const sender = new ScriptedSender(members, { blocks: [SMALL] });
  const all = (parts: (index: number) => Partial<Status>, first = 0) => {
    for (let index = first; index < members; index++)
      sender.status(index, { stagedBelow: 1, ...parts(index) });
  };
  sender.start();
  sender.run(3);
  all(() => ({ phase: MemberPhase.ready }));
  sender.run(50);
  all((index) => ({ phase: MemberPhase.ordered, order: index === 7 ? 5 : 2 }), 2);
  sender.run(300);
  all((index) => ({ phase: MemberPhase.ordered, order: index === 0 ? 4 : 5 }));
  sender.run(300);
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.ordered, order: 5 });
  sender.run(30);
  all(() => ({ phase: MemberPhase.done, order: 5 }), 3);
  sender.run(500);
  for (const index of [0, 1]) sender.status(index, { stagedBelow: 1, phase: MemberPhase.done });
  sender.hear(2, { type: "exit", body: null });
  const failed = sender.verdicts.filter((verdict) => !verdict.endsWith("done"));
  compareTranscript("ordering", [...saidBy(sender), ...failed]);
});

test("transcript: when one of 300 members speaks", () => {
  const node = new ScriptedReceiver(300);
  const lines: string[] = [];
  const note = (what: string) => {
    lines.push(`${time(node.nowMs)} ${what}`);
    for (const { atMs, message } of node.said) {
      if (message.type !== "status") continue;
      const { phase, stamp, received, stagedBelow, missingRuns, missingFragments, wants, order, worked } =
        message.body;
      const gaps = [
        ...missingRuns.map(({ firstBlock, blocks }) => `${firstBlock}+${blocks}`),
        ...missingFragments.map(({ block }) => `${block}`),
      ].join(" ");
      const progress = `stamp ${stamp} received ${received} staged ${stagedBelow} order ${order} worked ${worked}`;
      lines.push(
        `  ${time(atMs)} phase ${phase} ${progress} wants ${wants.length} missing ${gaps || "nothing"}`,
      );
    }
    node.said.length = 0;
  };
  const many = Array.from({ length: 128 }, (_, index) => (index === 5 ? "a".repeat(16) : epochOf(index)));
  node.hear({
    type: "offer",
    body: { transfer: 1, dryRun: false, allOrNothing: false, rank: 1, targets: many },
  });
  node.run(100);
  note("offered");
  const whole = { count: 44, sealedBytes: SEALED_BLOCK_BYTES };
  node.fragments(0, { kind: BlockKind.manifest });
  node.compared(0, new Bitmap(4));
  node.run(400);
  note("a manifest block compared, and nothing confirmed");
  node.progress({ sentBlocks: 1, stamp: 1, spreadMs: 0, poll: true });
  node.run(5);
  note("asked by name");
  node.progress({ sentBlocks: 1, stamp: 1, settledBelow: 1, spreadMs: 40, poll: true });
  node.run(100);
  note("confirmed, and asked like all");
  node.fragments(1, { ...whole, stamp: 1 });
  node.fragments(4, { ...whole, stamp: 133 });
  node.run(150);
  note("a gap");
  node.fragments(2, { ...whole, stamp: 177, count: 30 });
  node.fragments(7, { ...whole, stamp: 207, count: 1 });
  node.run(150);
  note("another gap, and the first partly closed");
  node.fragments(2, { ...whole, first: 30, count: 14, stamp: 208 });
  node.fragments(3, { ...whole, stamp: 222 });
  node.staged([1, 2, 3, 4]);
  node.run(60);
  note("some staged");
  node.handle({ kind: "worked", key: { epoch: epochOf(0), transfer: 1, admission: 1 } });
  node.fragments(5, { ...whole, stamp: 266 });
  node.fragments(6, { ...whole, stamp: 310 });
  node.fragments(7, { ...whole, first: 1, count: 43, stamp: 354 });
  node.staged([5, 6, 7]);
  node.progress({ sentBlocks: 8, stamp: 397, settledBelow: 8, final: true, spreadMs: 40 });
  node.prepared();
  node.run(100);
  note("ready");
  node.order(3, many);
  node.run(100);
  note("ordered with all");
  node.order(4);
  node.run(100);
  note("ordered alone");
  node.commit(4, many);
  node.handle({
    kind: "committed",
    key: { epoch: epochOf(0), transfer: 1, admission: 1 },
    failure: undefined,
  });
  node.run(100);
  note("committed");
  compareTranscript("answers", lines);
});
