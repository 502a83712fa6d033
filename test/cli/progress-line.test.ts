import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseLanguage } from "../../src/cli/language.ts";
import { bytesText, progressLine, timeText } from "../../src/cli/progress-line.ts";
import { columnsOf } from "../../src/cli/text-columns.ts";
import type { ProgressEvent } from "../../src/console/protocol.ts";

/** The line of the progress bar at several widths. */

const EVENT: ProgressEvent = {
  ...{ event: "progress", phase: "sending", sentBytes: 450_000_000, wantedBytes: 1_000_000_000 },
  ...{ slowest: "host3", entries: 1_200, hosts: 4, hostsReady: 1, hostsFailed: 0 },
};
const SPEED = { bytesPerSecond: 110_000_000, entriesPerSecond: 300 };
const line = (columns: number, more: Partial<ProgressEvent> = {}, name = "host3", isCheck = false) =>
  progressLine({ ...EVENT, ...more }, SPEED, name, columns, isCheck);

test("80 columns have bytes, rate, time left, hosts, and the slowest one", () => {
  assert.equal(line(80), "[#####-------]  45%  450MB/1.00GB  110MB/s  0:05 left  1/4 hosts  slowest host3");
});

test("no line is wider than the terminal, and the name is never cut where it has room", () => {
  const name = "web-production-frankfurt-0017";
  for (let columns = 20; columns <= 200; columns++) {
    const made = line(columns, {}, name);
    assert.ok(made.length < columns, `${made.length} of ${columns}`);
    assert.ok(made.endsWith("0017"));
    if (columns > 60) assert.ok(made.endsWith(`slowest ${name}`), `${columns}: ${made}`);
  }
  assert.equal(line(60, {}, name), ` 45%  1/4 hosts  slowest ${name}`);
});

test("a push that stands still has no time left, and one that commits says for whom it waits", () => {
  const speed = { bytesPerSecond: 0, entriesPerSecond: 0 };
  assert.equal(
    progressLine(EVENT, speed, "host3", 80, false),
    "[############--------------]  45%  450MB/1.00GB  0B/s  1/4 hosts  slowest host3",
  );
  const committing = {
    phase: "committing",
    sentBytes: 1_000_000_000,
    hostsReady: 3,
    hostsFailed: 1,
  } as const;
  assert.match(line(80, committing), /^\[#{23}\] 100%  switching  3\/4 hosts, 1 failed  waits for host3$/);
});

test("a check shows entries", () => {
  assert.equal(
    line(80, { wantedBytes: 0 }, "host3", true),
    "comparing  1200 entries  300/s  1/4 hosts  slowest host3",
  );
});

test("sizes have three digits, and times a colon", () => {
  for (const [bytes, text] of [
    [0, "0B"],
    [999, "999B"],
    [1_000, "1.00kB"],
    [12_345, "12.3kB"],
    [999_600, "1.00MB"],
    [123_456_789_000, "123GB"],
  ] as const)
    assert.equal(bytesText(bytes), text);
  for (const [seconds, text] of [
    [0, "0:00"],
    [4.1, "0:05"],
    [750, "12:30"],
    [3_723, "1:02:03"],
  ] as const)
    assert.equal(timeText(seconds), text);
});

test("in Japanese it has the same parts, and no line is wider than the terminal", async (context) => {
  context.after(() => chooseLanguage({}));
  await chooseLanguage({ LANG: "ja_JP.UTF-8" });
  assert.equal(
    line(90),
    "[###########-------------]  45%  450MB/1.00GB  110MB/s  残り 0:05  1/4 台  最も遅い host3",
  );
  assert.equal(
    line(80, { phase: "committing", hostsReady: 3, hostsFailed: 1 }),
    "[##########-------------] 100%  切り替え中  3/4 台、失敗 1 台  待っている host3",
  );
  assert.equal(line(80, { wantedBytes: 0 }, "host3", true), "比較中  1200 件  300/s  1/4 台  最も遅い host3");
  for (let columns = 2; columns <= 200; columns++) {
    const made = line(columns, {}, "web-production-frankfurt-0017");
    assert.ok(columnsOf(made) < columns, `${made} in ${columns}`);
    assert.ok(columns < 6 || made.endsWith("0017"));
  }
});
