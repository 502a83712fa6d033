import { reason, reasonOf } from "../../src/base/reason.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import type { Event } from "../../src/console/protocol.ts";
import type { TransferReply } from "../../src/daemon/disk/messages.ts";
import { TransferReport } from "../../src/daemon/pushes/transfer-report.ts";
import { Difference } from "../../src/wire/differences.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { FindingKind } from "../../src/wire/findings.ts";

const HOSTS = new Map([
  ["e1", "host1"],
  ["e2", "host2"],
]);

function begin(isCheck = false) {
  const events: Event[] = [];
  const log = pino({ level: "silent" });
  const report = new TransferReport(7, { isCheck }, HOSTS, (event) => events.push(event), log);
  return { report, events };
}

function produced(wantedBytes: number, unreadable = 0): TransferReply {
  return {
    kind: "produced",
    transfer: 7,
    firstBlock: 0,
    blocks: [],
    state: "more",
    failure: undefined,
    unreadable,
    notices: unreadable === 0 ? [] : [{ kind: "unreadable", path: "secret", reason: reason("EACCES") }],
    totals: { entries: 9, wantedBytes, sentEntries: 4, sentBytes: 100, savedBytes: 0 },
  };
}

const PATH: TransferReply = {
  kind: "reports",
  transfer: 7,
  reports: [
    {
      path: "a",
      updates: ["host1"],
      skips: ["host2"],
      differences: [
        { host: "host1", difference: Difference.mode | Difference.time },
        { host: "host2", difference: Difference.contents },
      ],
    },
  ],
};

test("the counts of the reading thread are taken over, and its notices told", () => {
  const { report, events } = begin();
  report.onSource(produced(500, 1));
  assert.deepEqual(events, [
    {
      event: "notice",
      kind: "unreadable",
      path: "secret",
      reason: "permission denied",
      cause: reason("EACCES"),
    },
  ]);
  assert.deepEqual(report.tally, {
    totals: { entries: 9, wantedBytes: 500, sentEntries: 4, sentBytes: 100, savedBytes: 0 },
    unreadable: 1,
    deleted: 0,
    differing: 0,
  });
});

test("only a check tells and counts how entries differ, at each host", () => {
  const push = begin();
  push.report.onSource(PATH);
  assert.deepEqual(push.events, [
    { event: "path", path: "a", updates: ["host1"], skips: ["host2"], differences: [] },
  ]);
  assert.equal(push.report.tally.differing, 0);
  const check = begin(true);
  check.report.onSource(PATH);
  const [event] = check.events;
  assert.ok(event?.event === "path");
  assert.deepEqual(
    event.differences.map(({ host, kinds }) => [host, ...kinds]),
    [
      ["host1", "mode", "time"],
      ["host2", "contents"],
    ],
  );
  assert.equal(check.report.tally.differing, 2);
});

test("deletes are counted, notes are not, and a stranger's findings are neither", () => {
  const { report, events } = begin();
  const deleted = { kind: FindingKind.superfluous, path: "old", text: "" };
  const note = { kind: FindingKind.note, path: "odd", text: "cannot be made" };
  report.onFindings("e2", [deleted, note]);
  report.onFindings("e9", [deleted]);
  report.onMemberFailed("host1", "its disk is full");
  assert.deepEqual(events, [
    { event: "superfluous", host: "host2", path: "old" },
    {
      event: "note",
      host: "host2",
      path: "odd",
      reason: "cannot be made",
      cause: reasonOf("cannot be made"),
    },
    {
      event: "member-failed",
      host: "host1",
      reason: "its disk is full",
      cause: reasonOf("its disk is full"),
    },
  ]);
  assert.equal(report.tally.deleted, 1);
});

test("progress is that of the slowest member, in bytes of contents, and never more than is wanted", () => {
  const { report, events } = begin();
  // Two blocks of a manifest, and three of contents: the last one is not full.
  const block = (kind: number) => ({ kind, sealedBytes: 100, entries: 0 }) as never;
  const made = (firstBlock: number, count: number, sentBytes: number) => {
    const reply = produced(2_500) as Extract<TransferReply, { kind: "produced" }>;
    const totals = { ...reply.totals, sentBytes };
    report.onSource({ ...reply, firstBlock, blocks: Array.from({ length: count }, () => block(2)), totals });
  };
  made(0, 2, 0);
  made(2, 2, 2_000);
  made(4, 1, 2_520);
  const at = (epoch: string, stagedBelow: number, phase: number = MemberPhase.receiving) => ({
    ...{ member: { epoch }, stagedBelow, phase },
  });
  const sender = (isCommitting: boolean, ...members: ReturnType<typeof at>[]) =>
    ({ membersProgress: members, isCommitting }) as unknown as Parameters<typeof report.progress>[0];
  report.emitProgress(sender(false, at("e1", 4), at("e2", 2)));
  report.emitProgress(sender(false, at("e1", 5, MemberPhase.ready), at("e2", 3)));
  report.onMemberFailed("host2", "its disk is full");
  report.emitProgress(sender(true, at("e1", 5, MemberPhase.done)));
  report.emitProgress(undefined);
  const common = { event: "progress", wantedBytes: 2_500, entries: 9, hosts: 2 };
  const counts = (hostsReady: number, hostsFailed: number) => ({ ...common, hostsReady, hostsFailed });
  assert.deepEqual(
    events.filter(({ event }) => event === "progress"),
    [
      { ...counts(0, 0), phase: "sending", sentBytes: 0, slowest: "host2" },
      { ...counts(1, 0), phase: "sending", sentBytes: 1_000, slowest: "host2" },
      { ...counts(1, 1), phase: "committing", sentBytes: 2_500, slowest: "host1" },
      { ...counts(0, 1), phase: "sending", sentBytes: 0, slowest: "" },
    ],
  );
  assert.equal(report.progress(undefined).memberCount, 2);
});

test("deletes that had no room in the list of a member are counted", () => {
  const { report, events } = begin();
  const text = "the list has no room for 12 more deletes and 3 more notes; the same is done with them";
  report.onFindings("e1", [
    { kind: FindingKind.superfluous, path: "a", text: "" },
    { kind: FindingKind.note, path: "", text },
  ]);
  assert.equal(report.tally.deleted, 13);
  assert.equal(events.length, 2);
});

test("of paths with problems a hundred are logged, and all are told", () => {
  const events: Event[] = [];
  const lines: string[] = [];
  const log = pino({}, { write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg) });
  const report = new TransferReport(7, { isCheck: false }, HOSTS, (event) => events.push(event), log);
  for (let count = 0; count < 80; count++) report.onSource(produced(500, 1));
  const note = { kind: FindingKind.note, path: "a", text: "no" };
  report.onFindings(
    "e1",
    Array.from({ length: 80 }, () => note),
  );
  assert.equal(events.length, 160);
  assert.equal(lines.length, 101);
  assert.equal(lines[99], "host1: no");
  assert.equal(lines[100], "transfer 7: there are more paths with problems than are logged; msync names all");
});
