import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseLanguage } from "../../src/cli/language.ts";
import { columnsOf } from "../../src/cli/text-columns.ts";
import { picture } from "../../src/cli/top-picture.ts";
import type { Activity, MemberInfo, OutgoingTransfer } from "../../src/console/protocol.ts";

/** The picture of msync --top at several sizes. */

const member = (host: string, address: string, more: Partial<MemberInfo> = {}): MemberInfo => ({
  ...{ host, address, version: "2.1.0", protocol: 3, receives: true, sends: true, labels: [] },
  ...more,
});

const TRANSFER: OutgoingTransfer = {
  ...{ transfer: 7, user: "alice", request: "-r htdocs", phase: "sending", slowest: "web2" },
  ...{ sentBytes: 300_000_000, wantedBytes: 1_000_000_000, entries: 10 },
  ...{ hosts: 2, hostsReady: 1, hostsFailed: 0 },
};

const ACTIVITY: Activity = {
  ...{ host: "web1", address: "10.0.0.1", waiting: 1 },
  members: [member("web2", "10.0.0.2"), member("web3", "10.0.0.3", { receives: false })],
  problems: [
    { kind: "foreign-key", host: "", address: "10.0.0.9", count: 3, reason: "3 packets under another key" },
  ],
  outgoing: [TRANSFER],
  incoming: [{ from: "web3", dryRun: true, seconds: 4 }],
};

const before = {
  activity: { ...ACTIVITY, outgoing: [{ ...TRANSFER, sentBytes: 200_000_000 }] },
  atMs: 1_000,
};

test("members, transfers with their rate, and who is in trouble", () => {
  assert.deepEqual(picture({ activity: ACTIVITY, atMs: 2_000 }, before, 140, 50), [
    "web1 (10.0.0.1): 2 members, 1 sending, 1 waiting, 1 receiving",
    "problem: 3 packets under another key",
    "",
    "SENDING",
    "  7  [#######-----------------]  30%  300MB/1.00GB  100MB/s  0:07 left  1/2 hosts  slowest web2  alice: msync -r htdocs",
    "",
    "RECEIVING",
    "  from web3, for 4 s, as a dry run",
    "",
    "MEMBERS",
    "  web2  10.0.0.2  2.1.0  slowest",
    "  web3  10.0.0.3  2.1.0  does not receive",
  ]);
});

test("it works at any size", () => {
  for (const columns of [1, 5, 20, 40, 80, 300])
    for (const rows of [1, 2, 5, 12, 100]) {
      const lines = picture({ activity: ACTIVITY, atMs: 2_000 }, before, columns, rows);
      assert.ok(lines.length <= rows && lines.every((line) => line.length <= columns), `${columns} ${rows}`);
    }
  const lines = picture({ activity: ACTIVITY, atMs: 2_000 }, undefined, 80, 5);
  assert.equal(lines.at(-1), "(and 8 more lines)");
});

test("in Japanese it works at any size, too, and shows names as they are", async (context) => {
  context.after(() => chooseLanguage({}));
  await chooseLanguage({ LANG: "ja_JP.UTF-8" });
  // Names are byte strings.
  const request = Buffer.from("-r 画像").toString("latin1");
  const activity = { ...ACTIVITY, outgoing: [{ ...TRANSFER, request }] };
  assert.deepEqual(picture({ activity, atMs: 2_000 }, before, 150, 50), [
    "web1 (10.0.0.1): メンバー 2、送信中 1、順番待ち 1、受信中 1",
    "問題: 3 packets under another key",
    "",
    "送信中",
    "  7  [#########---------------------]  30%  300MB/1.00GB  100MB/s  残り 0:07  1/2 台  最も遅い web2  alice: msync -r 画像",
    "",
    "受信中",
    "  web3 から、4 秒間、試行",
    "",
    "メンバー",
    "  web2  10.0.0.2  2.1.0  最も遅い",
    "  web3  10.0.0.3  2.1.0  受信しない",
  ]);
  for (const columns of [1, 5, 20, 40, 80, 300])
    for (const line of picture({ activity, atMs: 2_000 }, before, columns, 100))
      assert.ok(columnsOf(line) <= columns, `${line} in ${columns}`);
});
