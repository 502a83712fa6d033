import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";
import {
  addressOf,
  epochOf,
  hostOf,
  LARGE,
  manifest,
  ScriptedSender,
  SMALL,
  TRANSFER,
} from "./scripted-sender.ts";

/** One transfer at its sender, by what it says and sends when members say this or that. */

const large = (count: number) => Array.from({ length: count }, () => LARGE);
const FRAGMENTS = 44;

/** A want of some of so many entries. */
function want(block: number, size: number, wanted: readonly number[] = []) {
  const entries = new Bitmap(size);
  for (const index of wanted) entries.set(index);
  return { block, entries, differences: undefined };
}

test("two blocks go out before the first answer, and no more", () => {
  const sender = new ScriptedSender(2, { blocks: large(10) });
  sender.start();
  sender.run(100);
  assert.deepEqual(sender.blocks, [0, 1]);
  sender.status(0);
  sender.run(100);
  assert.deepEqual(sender.blocks, [0, 1], "one of two has answered");
  sender.status(1);
  sender.run(1);
  assert.deepEqual(sender.blocks, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("no more is under way than the smallest socket holds", () => {
  const sender = new ScriptedSender(2, { blocks: large(20) });
  sender.start();
  sender.status(0, { inFlight: 3 * FRAGMENTS });
  sender.status(1, { inFlight: 5 * FRAGMENTS });
  sender.run(100);
  assert.equal(sender.stamp, 5 * FRAGMENTS, "three blocks beyond the two that both have seen");
  sender.status(0, { inFlight: 3 * FRAGMENTS });
  sender.run(5);
  assert.equal(sender.stamp, 7 * FRAGMENTS, "now the other one is behind");
});

test("no block goes out that has no place in the window of some member", () => {
  const sender = new ScriptedSender(2, { blocks: large(20) });
  sender.start();
  sender.status(0, { windowEnd: 7 });
  sender.status(1, { windowEnd: 5 });
  sender.run(100);
  assert.equal(sender.blocks.at(-1), 4);
  sender.status(1, { windowEnd: 9 });
  sender.run(5);
  assert.equal(sender.blocks.at(-1), 6);
});

test("a stamp that was never given does not let the sender go further than its members can take", () => {
  for (const ahead of [1, 1000, 2 ** 30]) {
    const sender = new ScriptedSender(1, { blocks: large(40) });
    sender.start();
    const inFlight = 2 * FRAGMENTS;
    sender.status(0, { inFlight });
    sender.run(20);
    const before = sender.stamp;
    // Somebody has forged a fragment, and the member has seen its stamp.
    sender.status(0, { inFlight, stamp: before + ahead });
    sender.run(20);
    assert.equal(sender.stamp, before + inFlight, `${ahead} ahead`);
    sender.status(0, { inFlight, stamp: before });
    sender.run(20);
    assert.equal(sender.stamp, before + inFlight, "an older stamp brings nothing further");
  }
});

test("a stamp that was never given does not bring out again what is still on its way", () => {
  const sender = new ScriptedSender(1, { blocks: large(2) });
  sender.start();
  sender.status(0, { stamp: 0, received: 0, missingRuns: [{ firstBlock: 0, blocks: 2 }] });
  sender.run(5);
  assert.equal(sender.stamp, 2 * FRAGMENTS, "what the member has not seen is under way");
  sender.status(0, { stamp: 200 + 2 ** 31, received: 0, missingRuns: [{ firstBlock: 0, blocks: 2 }] });
  sender.run(5);
  assert.equal(sender.stamp, 2 * FRAGMENTS, "a stamp from behind is no stamp from ahead");
});

test("what a member has seen pass by and misses is sent again, once", () => {
  const sender = new ScriptedSender(1, { blocks: large(3) });
  sender.start();
  sender.status(0);
  sender.run(5);
  const first = sender.sent.length;
  const stamp = sender.stamp;
  const missing = { missingFragments: [{ block: 1, maskLow: 0b1010, maskHigh: 0b100 }] };
  sender.status(0, { stamp, ...missing });
  sender.status(0, { stamp, ...missing });
  sender.run(5);
  const repairs = sender.sent.slice(first).map(({ block, maskLow, maskHigh }) => [block, maskLow, maskHigh]);
  assert.deepEqual(repairs, [[1, 0b1010, 0b100]]);
  // The repair itself got lost: the member has seen something newer.
  sender.status(0, { stamp: stamp + 3, ...missing });
  sender.run(5);
  assert.equal(sender.sent.length, first + 2);
});

/** What is sent to members that miss different fragments of block 0: its masks. */
function repairsFor(members: number, protocolOfLast: number, misses: readonly number[]) {
  const sender = new ScriptedSender(members, { blocks: large(3) });
  const targets = [...sender.engine.membership.members].map((member, index) =>
    index === members - 1 ? { ...member, info: { ...member.info, protocol: protocolOfLast } } : member,
  );
  sender.start({ targets });
  for (let index = 0; index < members; index++) sender.status(index);
  sender.run(5);
  const first = sender.sent.length;
  const stamp = sender.stamp;
  for (const [index, maskLow] of misses.entries())
    sender.status(index, { stamp, missingFragments: [{ block: 0, maskLow, maskHigh: 0 }] });
  sender.run(5);
  return sender.sent.slice(first).map(({ maskLow, maskHigh }) => [maskLow, maskHigh]);
}

test("to several members parity goes in place of what each of them misses", () => {
  const first = 1 << 12;
  const two = [
    [0, first],
    [0, 2 * first],
  ];
  assert.deepEqual(repairsFor(2, 3, [0b1, 0b110]), two);
  assert.deepEqual(repairsFor(3, 4, [0b1, 0b110, 0b1000]), two);
});

test("a member that knows no parity, or is alone, gets the fragments", () => {
  assert.deepEqual(repairsFor(2, 2, [0b1, 0b110]), [
    [0b1, 0],
    [0b110, 0],
  ]);
  assert.deepEqual(repairsFor(1, 3, [0b110]), [[0b110, 0]]);
});

test("a member that reports blocks that were never sent is taken out", () => {
  const sender = new ScriptedSender(2, { blocks: large(2) });
  sender.start();
  sender.status(0, { stagedBelow: 2 });
  sender.status(1, { stagedBelow: 3 });
  const reason = "it reports blocks that were never sent";
  const failed = sender.events.find(({ kind }) => kind === "member-failed");
  assert.deepEqual(failed, {
    kind: "member-failed",
    transfer: TRANSFER,
    epoch: epochOf(1),
    hostName: hostOf(1),
    reason,
  });
  assert.deepEqual(
    sender.take("abort").map(({ to, body }) => [to, body.targets]),
    [[addressOf(1).ip, [epochOf(1)]]],
  );
});

test("a member that answers for more or fewer entries than a block has is taken out", () => {
  for (const size of [2, 4]) {
    const sender = new ScriptedSender(1, { blocks: [manifest(3)], last: "idle" });
    sender.start();
    sender.status(0, { wants: [want(0, size)] });
    assert.deepEqual(sender.verdicts, ["host0 failed it answers a manifest that was never sent"]);
    assert.ok(sender.isSourceClosed);
  }
});

test("a manifest block is settled when all have answered, with what any of them wants", () => {
  const sender = new ScriptedSender(2, { blocks: [manifest(3), manifest(2)], last: "idle" });
  sender.start();
  sender.run(5);
  sender.status(0, { wants: [want(0, 3, [0]), want(1, 2)] });
  assert.equal(sender.settled.length, 0);
  sender.status(1, { wants: [want(1, 2, [1])] });
  assert.deepEqual(
    sender.settled.map(({ block, union, contents }) => [block, [...union.bytes], [...contents.bytes]]),
    [[1, [0b10], [0b10]]],
  );
  assert.equal(sender.take("progress").at(-1)?.body.settledBelow, 0, "the block before is not settled");
  // Differences in attributes alone need no contents.
  const differences = new Uint8Array([0, 8, 4]);
  const entries = new Bitmap(3, new Uint8Array([0b110]));
  sender.status(1, { wants: [{ block: 0, entries, differences }] });
  const settled = sender.settled.at(-1);
  assert.deepEqual([settled?.block, [...(settled?.union.bytes ?? [])]], [0, [0b111]]);
  assert.deepEqual([...(settled?.contents.bytes ?? [])], [0b101]);
  assert.equal(sender.take("progress").at(-1)?.body.settledBelow, 2);
  sender.status(0, { wants: [want(0, 3, [2])] });
  assert.equal(sender.settled.length, 2, "an echo changes nothing");
});

test("a member that has no place yet is offered the transfer again, and does not count as silent", () => {
  const sender = new ScriptedSender(2, { blocks: large(1) });
  sender.start();
  sender.status(0);
  sender.take("offer");
  sender.runWith(6000, 500, (index) =>
    index === 0 ? {} : { phase: MemberPhase.waiting, windowEnd: 0, inFlight: 0 },
  );
  assert.equal(sender.events.filter(({ kind }) => kind === "member-failed").length, 0);
  const offers = sender.take("offer");
  assert.ok(offers.length > 10);
  for (const { body } of offers) assert.deepEqual(body.targets, [epochOf(1)], "the other one has answered");
});

test("a member that is silent for five seconds is taken out, and not before", () => {
  const sender = new ScriptedSender(2, { blocks: large(1) });
  sender.start();
  sender.runWith(4900, 100, (index) => (index === 0 ? { stagedBelow: 1 } : undefined));
  assert.equal(sender.events.filter(({ kind }) => kind === "member-failed").length, 0);
  sender.runWith(700, 100, (index) => (index === 0 ? { stagedBelow: 1 } : undefined));
  const failed = sender.events.filter((one) => one.kind === "member-failed");
  assert.deepEqual(
    failed.map(({ hostName, reason }) => [hostName, reason]),
    [["host1", "no answer for 5 seconds"]],
  );
});

test("a member that answers and does not get on is taken out after five minutes, one that works is not", () => {
  const sender = new ScriptedSender(3, { blocks: large(1) });
  sender.start();
  let worked = 0;
  // The last one has everything: nobody waits for it.
  const parts = (index: number) =>
    [{ stagedBelow: 0 }, { worked: ++worked }, { stagedBelow: 1, phase: MemberPhase.ready }][index];
  sender.runWith(295_000, 1000, parts);
  assert.equal(sender.events.filter(({ kind }) => kind === "member-failed").length, 0);
  sender.runWith(10_000, 1000, parts);
  const failed = sender.events.filter((one) => one.kind === "member-failed");
  assert.deepEqual(
    failed.map(({ hostName, reason }) => [hostName, reason]),
    [["host0", "it answers, but has made no progress for 300 seconds"]],
  );
});

test("silence while this process stood still is nobody's fault", () => {
  const sender = new ScriptedSender(1, { blocks: large(1) });
  sender.start();
  sender.run(100);
  sender.nowMs += 20_000;
  sender.run(4000);
  assert.equal(sender.events.filter(({ kind }) => kind === "member-failed").length, 0);
});

test("members are asked again and again, each time later, up to four times a second", () => {
  const sender = new ScriptedSender(1, { blocks: [SMALL] });
  sender.start();
  sender.run(5);
  sender.status(0);
  sender.take("progress");
  const startMs = sender.nowMs;
  sender.run(2000);
  const asked = sender.take("progress").filter(({ body }) => body.poll);
  const gaps = asked.map(({ atMs }, index) => atMs - (asked[index - 1]?.atMs ?? startMs));
  assert.deepEqual(gaps.slice(-3), [250, 250, 250]);
  assert.ok(gaps.slice(0, 5).every((gap, index, all) => index === 0 || gap >= (all[index - 1] ?? 0)));
  assert.ok((gaps[0] ?? 99) <= 40, `${gaps[0]}`);
  assert.ok(asked.every(({ body }) => body.final && body.sentBlocks === 1 && body.stamp === 1));
});

test("an offer to more members than one message names is several", () => {
  const sender = new ScriptedSender(129, { blocks: [SMALL] });
  sender.start();
  // They are repeated with the question that follows the only block.
  const offers = sender.take("offer").slice(0, 2);
  assert.deepEqual(
    offers.map(({ body }) => body.targets.length),
    [128, 1],
  );
  assert.equal(new Set(offers.flatMap(({ body }) => body.targets)).size, 129);
});

test("findings are read piece by piece before the members agree, and each is told once", () => {
  const sender = new ScriptedSender(1, { blocks: [SMALL] });
  sender.start();
  sender.run(5);
  sender.status(0, { stagedBelow: 1, phase: MemberPhase.ready, findings: 3 });
  assert.deepEqual(
    sender.take("inquiry").map(({ to, body }) => [to, body.first]),
    [[addressOf(0).ip, 0]],
  );
  sender.run(150);
  assert.equal(sender.take("inquiry").length, 0);
  sender.run(60);
  assert.equal(sender.take("inquiry").length, 1, "the answer may have got lost");
  const finding = (path: string) => ({ kind: 1, path, text: "" }) as const;
  const answer = (first: number, hasMore: boolean, paths: readonly string[]) => {
    const findings = paths.map(finding);
    const body = { sender: "a".repeat(16), transfer: TRANSFER, first, hasMore, findings };
    sender.hear(0, { type: "findings", body });
  };
  answer(0, false, ["a", "b"]);
  answer(0, false, ["a", "b"]);
  answer(1, false, ["b", "c"]);
  assert.equal(sender.take("order").length, 0);
  assert.deepEqual(sender.take("inquiry").at(-1)?.body.first, 2);
  answer(2, false, ["c"]);
  const told = sender.events.flatMap((one) =>
    one.kind === "findings" ? one.findings.map(({ path }) => path) : [],
  );
  assert.deepEqual(told, ["a", "b", "c"]);
  assert.equal(sender.take("order").length, 1);
});

/** Whom a sender asks by name while it sends so many blocks, of which all but the last member report in between. */
function askedWhileSending(members: number, blocks: number, window = {}) {
  const sender = new ScriptedSender(members, { blocks: large(400) });
  sender.isSocketFree = false;
  sender.start();
  for (let index = 0; index < members; index++) sender.status(index, window);
  const sendUpTo = (end: number) => {
    while (sender.sent.length < end) {
      sender.nowMs++;
      const before = sender.sent.length;
      sender.handle({ kind: "sent", transfer: TRANSFER });
      if (sender.sent.length === before && before >= 4) break;
    }
  };
  sendUpTo(180);
  for (let index = 0; index < members - 1; index++)
    sender.status(index, { stagedBelow: 170, windowEnd: 426, ...window });
  sender.take("progress");
  sendUpTo(blocks);
  const named = sender.take("progress").filter(({ body }) => body.poll && body.spreadMs === 0);
  return { sent: sender.sent.length, named: named.map(({ to }) => to) };
}

test("of many members the one whose report got lost is asked before its window closes, until it answers", () => {
  const last = addressOf(19).ip;
  // Its window ends with block 256, and its socket takes 10,000 fragments, which are 227 blocks.
  assert.deepEqual(askedWhileSending(20, 190), { sent: 190, named: [] });
  assert.deepEqual(askedWhileSending(20, 215), { sent: 215, named: [last, last] });
  const roomy = { inFlight: 100_000 };
  assert.deepEqual(askedWhileSending(20, 220, roomy), { sent: 220, named: [] });
  assert.deepEqual(askedWhileSending(20, 235, roomy), { sent: 235, named: [last] });
  assert.deepEqual(askedWhileSending(20, 245, roomy), { sent: 245, named: [last, last] });
  assert.deepEqual(askedWhileSending(8, 245, roomy).named, [], "few members report often enough");
});
