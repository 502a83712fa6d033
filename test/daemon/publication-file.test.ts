import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { PublicationFile } from "../../src/daemon/catch-up/publication-file.ts";
import { type Here, PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import type { Publication, Scope } from "../../src/wire/publication.ts";

/** The log of publications over restarts, and files that are damaged. */

const SELF = { hostName: "web1", ip: "10.0.0.1", labels: [] };

function publication(number: number): Publication {
  const names = { nodeId: "aa".repeat(16), epoch: "bb".repeat(8), number, user: "root", host: "web3" };
  const scope: Scope = {
    ...{ paths: [`d${number}`], recursive: true, deletes: "nothing", syncs: false, sendsAttributes: true },
    ...{ isPartial: false, excludes: [], targets: [], excepts: [] },
  };
  return { ...names, place: number, timeMs: Date.now(), scope };
}

/** A state directory with a log of two publications, of which the first has a list. */
async function written(context: TestContext) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-publications-"));
  context.after(() => fs.rmSync(root, { recursive: true, force: true }));
  const [state, base] = [path.join(root, "state"), path.join(root, "base")];
  for (const directory of [state, base]) fs.mkdirSync(directory);
  fs.writeFileSync(path.join(base, "d1"), "");
  let starts = 0;
  const open = () =>
    new PublicationFile(state, base, `epoch${++starts}`, new PublicationLog(SELF), (code) =>
      assert.fail(code),
    );
  const file = open();
  const { log } = file.found;
  fs.writeFileSync(`${file.lists}one`, "");
  const here = (list: string): Here => ({ atMs: Date.now(), list, reason: "" });
  log.add(publication(1), here("one"));
  log.add(publication(2), here(""));
  await file.add(log, [...log.all]);
  await file.close();
  return { base, open, file };
}

test("a log and what has taken effect are kept over a restart", async (context) => {
  const { open } = await written(context);
  const { log, isIntact, lastEpoch, problem } = open().found;
  assert.deepEqual([isIntact, lastEpoch, problem], [true, "epoch1", undefined]);
  assert.deepEqual(
    log.all.map(({ here }) => here.list),
    ["one", ""],
  );
  assert.deepEqual(log.missing, []);
});

test("a push that is not in the log is remembered over restarts, in time also after the clock was set back", async (context) => {
  const { open } = await written(context);
  const atMs = Date.now();
  const file = open();
  await file.noteUnlogged(file.found.log, atMs);
  await file.close();
  const { found, unloggedMs } = open();
  assert.deepEqual([found.isIntact, found.problem, unloggedMs], [true, undefined, atMs]);
  assert.equal(found.log.all.length, 2);
  const again = open();
  assert.equal(again.unloggedMs, atMs, "the file was written as a whole");
  await again.noteUnlogged(again.found.log, atMs + 3_600_000);
  await again.close();
  assert.ok(open().unloggedMs < atMs + 1_800_000);
});

test("a host whose clock was set back does not hand on what it cannot tell from changes by hand", async (context) => {
  const { open } = await written(context);
  const file = open();
  const { log } = file.found;
  const inAnHour = { atMs: Date.now() + 3_600_000, list: "one", reason: "" };
  log.add(publication(3), inAnHour);
  log.add(publication(4), { ...inAnHour, atMs: Date.now() + 2_000 });
  await file.add(log, log.all.slice(2));
  await file.close();
  const { found } = open();
  assert.match(
    found.problem ?? "",
    /^the clock of this host was set back, so it does not hand on 1 of its pushes/,
  );
  const lists = found.log.all.map(({ here }) => here.list);
  assert.deepEqual(lists, ["one", "", "", "one"]);
  assert.deepEqual(found.log.missing, [], "it has them");
  assert.equal(open().found.problem, undefined, "it is said once");
});

test("a log that is damaged, cut off, or from a newer version is said, and its host is behind", async (context) => {
  for (const [what, spoil, sentence, missing] of [
    [
      "a damaged line",
      (text: string) => text.replace('"list":"one"', '"list":"two"'),
      /\.jsonl is damaged: this host gets all pushes once more$/,
      1,
    ],
    ["no header", () => "?\n", /\.jsonl is damaged, and is .*\.unread now: this host gets all/, 0],
    [
      "a newer version",
      (text: string) => text.replace('"format":1', '"format":2'),
      /\.jsonl is from a newer version, and is .*\.unread now: this host gets all/,
      0,
    ],
    [
      "a line without its end",
      (text: string) => text.slice(0, -5),
      /\.jsonl ends in the middle of a line: the last push may come once more$/,
      0,
    ],
  ] as const) {
    const { open, file } = await written(context);
    fs.writeFileSync(file.path, spoil(fs.readFileSync(file.path, "latin1")), "latin1");
    const { log, problem } = open().found;
    assert.match(problem ?? "", sentence, what);
    assert.equal(log.missing.length, missing, what);
    assert.equal(open().found.problem, undefined, "it is written anew");
  }
});

test("something else in the place of the log is put aside unread, also where something was put aside before", async (context) => {
  const kinds: Record<string, (place: string) => void> = {
    fifo: (place) => execFileSync("mkfifo", [place]),
    device: (place) => fs.symlinkSync("/dev/zero", place),
    directory: (place) => fs.mkdirSync(`${place}/sub`, { recursive: true }),
    huge: (place) => {
      fs.writeFileSync(place, "");
      fs.truncateSync(place, 3 * 1024 ** 3);
    },
  };
  for (const [kind, make] of Object.entries(kinds)) {
    const { open, file } = await written(context);
    fs.rmSync(file.path);
    make(file.path);
    fs.mkdirSync(`${file.path}.unread/sub`, { recursive: true });
    const { found } = open();
    assert.match(
      found.problem ?? "",
      /is no file, or a huge one, and is .*\.unread now: this host gets/,
      kind,
    );
    assert.deepEqual([found.isIntact, found.log.all.length], [false, 0], kind);
    assert.equal(open().found.isIntact, true, kind);
  }
});

test("a log that is gone while its lists are there is told", async (context) => {
  const { open, file } = await written(context);
  fs.rmSync(file.path);
  const { problem } = open().found;
  assert.match(problem ?? "", /is gone: this host gets all pushes once more/);
});

test("a log that is cut off or changed at any byte never has more than was written", async (context) => {
  const { open, file } = await written(context);
  const whole = fs.readFileSync(file.path);
  const all = { 1: "one", 2: "" };
  const ends = [...whole.keys()].filter((at) => whole[at] === 10).map((at) => at + 1);
  const found = (bytes: Buffer) => {
    fs.writeFileSync(file.path, bytes);
    const { log, problem } = open().found;
    const has = log.all.filter(({ here }) => here.atMs !== undefined);
    for (const { publication: one, here } of has)
      assert.equal(here.list, all[one.number as 1 | 2], `${one.number}`);
    return { has: has.length, problem };
  };
  for (let at = 1; at <= whole.length; at++) {
    const { has, problem } = found(whole.subarray(0, at));
    assert.equal(has, Math.max(0, ends.filter((end) => end <= at).length - 1), `cut at ${at}`);
    assert.equal(problem === undefined, ends.includes(at), `cut at ${at}`);
  }
  let noticed = 0;
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at] = (whole[at] as number) ^ 1;
    const { has, problem } = found(changed);
    // Some bytes have no meaning, such as the blank after a checksum; all others are noticed. Without the last one the last line has no end.
    if (problem === undefined) assert.equal(has, 2, `changed at ${at}`);
    else assert.equal(has, at === whole.length - 1 ? 1 : 0, `changed at ${at}`);
    noticed += problem === undefined ? 0 : 1;
  }
  assert.ok(noticed > whole.length - (ends[0] as number), `${noticed} of ${whole.length}`);
});

test("a log without its file, or of another base directory, makes the host behind in everything", async (context) => {
  const { base, open, file } = await written(context);
  const aside = `${base}-aside`;
  fs.renameSync(base, aside);
  fs.mkdirSync(base);
  const moved = open().found;
  assert.match(moved.problem ?? "", /is about another base directory/);
  assert.deepEqual(moved.log.missing, [0, 1]);
  fs.rmSync(file.path);
  const lost = open().found;
  assert.deepEqual([lost.isIntact, lost.lastEpoch, lost.log.all.length], [false, undefined, 0]);
});

test("a host whose base directory was emptied while it was down is behind in everything", async (context) => {
  const { base, open } = await written(context);
  fs.rmSync(path.join(base, "d1"));
  fs.mkdirSync(path.join(base, ".makuosan"));
  const { log, isIntact, problem } = open().found;
  assert.match(problem ?? "", /tells of pushes, and the base directory .* is empty: this host gets all/);
  assert.deepEqual([isIntact, log.missing], [false, [0, 1]]);
});

/** A log that is open, with the codes of writes that have failed. */
async function writing(context: TestContext) {
  const { base, file: former } = await written(context);
  const failures: string[] = [];
  const state = path.dirname(former.path);
  const open = () =>
    new PublicationFile(state, base, "epoch", new PublicationLog(SELF), (code) => failures.push(code));
  const file = open();
  const { log } = file.found;
  const add = async (number: number) => {
    const one = publication(number);
    log.add(one, { atMs: Date.now(), list: "", reason: "" });
    await file.add(log, log.all.slice(-1));
  };
  context.after(() => file.close());
  /** How many publications another start would find. */
  const found = () => {
    const { problem, log: read } = open().found;
    assert.equal(problem, undefined);
    return read.all.length;
  };
  return { state, file, failures, add, found };
}

test("a line that a full disk has cut off does not spoil those after it", async (context) => {
  const { file, failures, add, found } = await writing(context);
  const real = fs.promises.open.bind(fs.promises);
  const opening = context.mock.method(fs.promises, "open", async (...args: Parameters<typeof real>) => {
    const handle = await real(...args);
    context.mock.method(handle, "write", (bytes: Uint8Array) => {
      fs.appendFileSync(file.path, bytes.subarray(0, 20));
      return Promise.resolve({ bytesWritten: 20, buffer: bytes });
    });
    return handle;
  });
  await add(3);
  assert.deepEqual(failures, ["ENOSPC"]);
  opening.mock.restore();
  // There is space again.
  await add(4);
  await add(5);
  assert.deepEqual([failures.length, found()], [1, 5]);
});

test("a log whose directory was removed while it is open is told, and written as a whole when there is one", async (context) => {
  const { state, failures, add, found } = await writing(context);
  await add(3);
  fs.rmSync(state, { recursive: true });
  await add(4);
  assert.deepEqual(failures, ["ENOENT"]);
  fs.mkdirSync(state);
  await add(5);
  assert.deepEqual([failures.length, found()], [1, 5]);
});

test("a list that is lost is not handed on, and one that nobody needs is removed", async (context) => {
  const { open, file } = await written(context);
  const old = new Date(Date.now() - 3_600_000);
  fs.writeFileSync(`${file.lists}other`, "");
  for (const name of ["one", "other"]) fs.utimesSync(`${file.lists}${name}`, old, old);
  open();
  assert.equal(fs.existsSync(`${file.lists}other`), false);
  assert.equal(fs.existsSync(`${file.lists}one`), true);
  fs.rmSync(`${file.lists}one`);
  const { log } = open().found;
  assert.deepEqual([log.missing, log.servable([0, 1], [SELF])], [[], []]);
});

test("what was covered, and what an undo has removed, are kept over a restart", async (context) => {
  const { open } = await written(context);
  const file = open();
  const { log } = file.found;
  const { nodeId, epoch, number, scope } = publication(1);
  const undoes = { nodeId, epoch, number };
  log.addFormer({ publication: publication(1), here: { atMs: 1, list: "one", reason: "" } });
  const undo = { ...publication(3), scope, undoes };
  log.add(undo, { atMs: 2, list: "three", reason: "" });
  fs.writeFileSync(`${file.lists}three`, "");
  fs.writeFileSync(`${file.lists}three.removed`, "d1/a\0d1/b\0");
  await file.add(log, [...log.all]);
  await file.close();
  const first = open();
  assert.deepEqual(first.removedBy("three"), ["d1/a", "d1/b"]);
  assert.deepEqual(first.removedBy("none"), []);
  assert.deepEqual(first.found.log.all.at(-1)?.publication, undo);
  // The first start reads the lines as they were added, and every further one those that the one before has written.
  first.found.log.addFormer({ publication: publication(7), here: { atMs: 1, list: "", reason: "" } });
  for (let index = 0; index < 300; index++) await first.add(first.found.log, [...first.found.log.all]);
  await first.close();
  const { log: found } = open().found;
  assert.deepEqual(
    [found.former, found.all].map((kept) => kept.map(({ publication: { number: one } }) => one)),
    [[7], [1, 2, 3]],
  );
});
