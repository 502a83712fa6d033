import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { giveState, History, HISTORY_ENTRIES } from "../../src/daemon/pushes/history.ts";
import { parseHistoryLine } from "../../src/daemon/pushes/history-lines.ts";
import type { HistoryEntry } from "../../src/console/protocol.ts";

function makeDirectory(context: TestContext): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-history-"));
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function open(directory: string, base = "/srv", failures: string[] = []): History {
  return History.open({ directory, isRequired: true, isManaged: false }, base, (reason) =>
    failures.push(reason),
  );
}

function entry(number: number, hosts: HistoryEntry["hosts"] = []): HistoryEntry {
  const counts = { entries: number, bytes: 10 * number, savedBytes: number, durationMs: 5, exitStatus: 0 };
  return {
    time: "2026-11-24T04:40:12.000Z",
    direction: "sent",
    transfer: `e-${number}`,
    from: "host1",
    ...counts,
    hosts,
  };
}

const numbers = (history: History, count = 2_000) => history.last(count).map(({ entries }) => entries);
const theFile = (directory: string) => path.join(directory, fs.readdirSync(directory).sort()[0] ?? "");

/** A file of 1 TiB without a byte in it. */
function makeEndless(file: string): void {
  fs.writeFileSync(file, "");
  fs.truncateSync(file, 2 ** 40);
}

test("entries are kept across a new start, a history for each base directory", async (context) => {
  const directory = makeDirectory(context);
  const history = open(directory);
  for (const number of [1, 2, 3])
    history.add(entry(number, [{ host: "host2", outcome: "done", reason: "" }]));
  await history.flush();
  assert.deepEqual(numbers(open(directory)), [1, 2, 3]);
  assert.deepEqual(open(directory).last(1), [entry(3, [{ host: "host2", outcome: "done", reason: "" }])]);
  assert.deepEqual(open(directory).last(0), []);
  assert.deepEqual(numbers(open(directory, "/other")), []);
});

test("damaged lines are left out, and what comes after them is read", async (context) => {
  const directory = makeDirectory(context);
  const history = open(directory);
  history.add(entry(1));
  await history.flush();
  fs.appendFileSync(theFile(directory), `garbage\n[]\nnull\n${JSON.stringify(entry(2))}\n{"time":"2026`);
  const again = open(directory);
  assert.deepEqual(numbers(again), [1, 2]);
  again.add(entry(3));
  await again.flush();
  assert.deepEqual(numbers(open(directory)), [1, 2, 3]);
});

test("memory and file are bounded, in entries and in bytes", async (context) => {
  const directory = makeDirectory(context);
  const history = open(directory);
  for (let number = 1; number <= 3 * HISTORY_ENTRIES; number++) {
    history.add(entry(number));
    if (number % 100 === 0) await history.flush();
  }
  await history.flush();
  assert.equal(numbers(history, 10_000).length, HISTORY_ENTRIES);
  const lines = fs.readFileSync(theFile(directory), "utf8").trimEnd().split("\n").length;
  assert.ok(lines <= 2 * HISTORY_ENTRIES, `${lines} lines`);
  assert.deepEqual(numbers(open(directory), 2), [3 * HISTORY_ENTRIES - 1, 3 * HISTORY_ENTRIES]);
  assert.deepEqual(
    fs.readdirSync(directory).filter((name) => name.endsWith(".new")),
    [],
  );
  const long = Array.from(
    { length: 4_000 },
    () => ({ host: "h".repeat(64), outcome: "failed", reason: "r".repeat(500) }) as const,
  );
  for (let number = 1; number <= 10; number++) history.add(entry(number, long));
  await history.flush();
  assert.ok(history.last(1000).length < 10, "of long ones fewer are kept");
});

test("without a directory it lives in memory, unless the directory was asked for", (context) => {
  const directory = path.join(makeDirectory(context), "missing");
  const history = History.open({ directory, isRequired: false, isManaged: false }, "/srv", () => undefined);
  history.add(entry(1));
  assert.deepEqual(numbers(history), [1]);
  assert.equal(history.place, `in memory only: ${directory} cannot be written (ENOENT)`);
  assert.throws(
    () => open(directory),
    (error) => error instanceof UserError && /name another with --state$/.test(error.message),
  );
});

test("a directory in the place of the file is named, and not the state directory", async (context) => {
  const directory = makeDirectory(context);
  await open(directory).flush();
  const file = theFile(directory);
  fs.rmSync(file);
  fs.mkdirSync(file);
  assert.throws(
    () => open(directory),
    (error) =>
      error instanceof UserError &&
      error.message.startsWith(`the history ${file} cannot be written (EISDIR): make space, remove what is`),
  );
  const kept = History.open({ directory, isRequired: false, isManaged: false }, "/srv", () => undefined);
  assert.equal(kept.place, `in memory only: ${file} cannot be written (EISDIR)`);
});

test("a state directory that cannot be given to the daemon's user does not stop the start", (context) => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-state-"));
  context.after(() => fs.rmSync(home, { recursive: true }));
  const directory = path.join(home, "file");
  fs.writeFileSync(directory, "");
  const state = { directory, isRequired: false, isManaged: true };
  giveState(state, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  assert.match(
    History.open(state, "/base", () => undefined).place,
    /^in memory only: \S+ cannot be written \(\w+\)$/,
  );
});

test("a directory that vanishes is told, and nothing else happens", async (context) => {
  const directory = makeDirectory(context);
  const failures: string[] = [];
  const history = open(directory, "/srv", failures);
  fs.rmSync(directory, { recursive: true });
  history.add(entry(1));
  await history.flush();
  assert.deepEqual(failures, ["ENOENT"]);
  assert.deepEqual(numbers(history), [1]);
});

test("a line with anything but what is written there is left out, and so is what is no field", () => {
  const whole = JSON.stringify(entry(1, [{ host: "host2", outcome: "done", reason: "" }]));
  const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
  const further = parseHistoryLine(whole.replace("{", `{"other":${deep},"by":{"user":"a","uid":1,"pid":2},`));
  assert.ok(further !== undefined);
  const { by, ...rest } = further;
  assert.deepEqual(by, { user: "a", uid: 1, pid: 2 });
  assert.deepEqual(rest, JSON.parse(whole));
  assert.deepEqual(Object.keys(further), [
    ...Object.keys(rest).slice(0, 4),
    "by",
    ...Object.keys(rest).slice(4),
  ]);
  for (const [from, to] of [
    ['"host1"', deep],
    ['"2026-11-24T04:40:12.000Z"', '"+275760-09-13T00:00:00.000Z"'],
    ['"savedBytes":1', '"savedBytes":null'],
    ['"durationMs":5', '"durationMs":"5"'],
    ['"sent"', '"lost"'],
    ['"exitStatus":0', '"exitStatus":null'],
    ['{"host":"host2","outcome":"done","reason":""}', "null"],
    ['"done"', '"\\u001b[2J"'],
    ['"hosts":', '"others":'],
  ] as const) {
    assert.ok(whole.includes(from), from);
    assert.equal(parseHistoryLine(whole.replace(from, to)), undefined, to.slice(0, 40));
  }
});

test("what stands in place of the file is replaced: a link, a FIFO, a file without end", async (context) => {
  const directory = makeDirectory(context);
  open(directory);
  const file = theFile(directory);
  const secret = path.join(directory, "secret");
  fs.writeFileSync(secret, `${JSON.stringify(entry(1))}\n`);
  for (const make of [
    () => fs.symlinkSync(secret, file),
    () => fs.symlinkSync("/dev/zero", file),
    () => execFileSync("mkfifo", [file]),
    () => makeEndless(file),
  ]) {
    fs.rmSync(file);
    make();
    assert.deepEqual(numbers(open(directory)), []);
    assert.equal(fs.lstatSync(file).isFile(), true);
    assert.equal(fs.statSync(file).size, 0);
  }
  const failures: string[] = [];
  const history = open(directory, "/srv", failures);
  fs.rmSync(file);
  execFileSync("mkfifo", [file]);
  history.add(entry(1));
  await history.flush();
  assert.deepEqual(failures, ["ENXIO"]);
});
