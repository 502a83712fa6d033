import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Protection } from "../../../src/tree/decide/protection.ts";
import { LookAlikes } from "../../../src/tree/decide/look-alikes.ts";
import { Difference, ELSEWHERE } from "../../../src/wire/differences.ts";
import { EntryType, NO_EXTRAS } from "../../../src/wire/entry.ts";
import { StageError } from "../../../src/tree/reasons/stage-error.ts";
import { failKind } from "../../disk/faults.ts";
import { finish } from "../../support/staging.ts";
import {
  content,
  directory,
  entry,
  file,
  manifestBlock,
  Member,
  type MemberOptions,
  meta,
  type Push,
  TIME_NS,
  withdrawal,
} from "./member.ts";

/** Files that a member has by other names: they come from there, if their contents are proven to be the same. */

const TEXT = "moved ".repeat(20);
const OTHER = "other ".repeat(20);
const SIZE = TEXT.length;
const TERMS = { tellsDigests: true };
const MARKED = Difference.missing | ELSEWHERE;

/** A member on which everything in `old` is superfluous, and a transfer that has said so. */
function moving(
  files: Readonly<Record<string, string>>,
  options: MemberOptions = {},
  terms = TERMS,
): { member: Member; push: Push } {
  const member = new Member(options).put(files);
  const push = member.push();
  push.plan({ terms, directories: [{ path: "", entries: [directory("new")], isComplete: true }] });
  return { member, push };
}

const differencesOf = ({ differences }: { differences: Uint8Array | undefined }) =>
  differences === undefined ? undefined : [...differences];

describe("a file that has moved", () => {
  test("is marked, comes from the old one when its digest is told, and the old one stays until the commit", () => {
    const { member, push } = moving({ "old/a": TEXT });
    assert.deepEqual(differencesOf(push.entries("new", [file("a", SIZE)])), [MARKED]);
    assert.deepEqual(push.tell({ 1: TEXT }), []);
    push.prepare();
    assert.equal(member.text("old/a"), TEXT);
    push.commit();
    assert.deepEqual(member.tree(), { "new/": "", "new/a": TEXT });
    assert.equal(member.stats("new/a")?.mtimeNs, TIME_NS);
  });

  test("is a new file: it gets the mode that is sent, and the old one is not touched", () => {
    const { member, push } = moving({ "old/a": TEXT });
    const old = member.stats("old/a")?.inode;
    push.entries("new", [file("a", SIZE, { metadata: meta(0o600) })]);
    push.tell({ 1: TEXT });
    push.prepare();
    assert.equal(member.rights("old/a"), "644 0:0");
    push.commit();
    assert.equal(member.rights("new/a"), "600 0:0");
    assert.notEqual(member.stats("new/a")?.inode, old);
  });

  test("is found in its own directory before the end of it", () => {
    const member = new Member().put({ "before.txt": TEXT, stays: "x" });
    const push = member.push();
    const entries = [file("after.txt", SIZE), file("stays", 1)];
    const plan = push.plan({ terms: TERMS, directories: [{ path: "", entries, isComplete: true }] });
    assert.deepEqual(differencesOf(plan), [MARKED, 0]);
    assert.deepEqual(push.tell({ 0: TEXT }), []);
    push.prepare().commit();
    assert.deepEqual(member.tree(), { "after.txt": TEXT, stays: "x" });
  });

  test("is found at a path that is gone", () => {
    const member = new Member().put({ "d/before": TEXT });
    const push = member.push();
    const entries = [file("after", SIZE), entry(EntryType.gone, "before")];
    const plan = push.plan({ terms: TERMS, directories: [{ path: "d", entries }] });
    assert.deepEqual(differencesOf(plan), [MARKED, 0]);
    push.tell({ 0: TEXT });
    push.prepare().commit();
    assert.deepEqual(member.tree(), { "d/": "", "d/after": TEXT });
  });

  test("is found where another one replaces it: names that move on by one", () => {
    const member = new Member().put({ "log.1": TEXT, "log.2": OTHER });
    const later = TIME_NS + 1n;
    member.in("", (root, disk) => disk.setTime(root, "log.1", later));
    const push = member.push();
    const entries = [file("log.1", 200), file("log.2", SIZE, { metadata: meta(0o644, { mtimeNs: later }) })];
    const found = push.plan({ terms: TERMS, directories: [{ path: "", entries }] });
    const time = Difference.contents | Difference.time;
    assert.deepEqual(differencesOf(found), [time, time | ELSEWHERE]);
    assert.deepEqual(push.tell({ 1: TEXT }), []);
    push
      .send(content(0, "n".repeat(200)))
      .prepare()
      .commit();
    assert.deepEqual(member.tree(), { "log.1": "n".repeat(200), "log.2": TEXT });
  });

  test("is found in a directory that comes later, also deep in it", () => {
    const member = new Member().put({ "a/stays": "x", "z/stays": "x", "z/y/moved": TEXT });
    const push = member.push();
    const both = [directory("a"), directory("z")];
    push.plan({ terms: TERMS, directories: [{ path: "", entries: both, isComplete: true }] });
    const first = [file("moved", SIZE), file("stays", 1)];
    assert.deepEqual(differencesOf(push.entries("a", first, { isComplete: true })), [MARKED, 0]);
    assert.deepEqual(push.tell({ 2: TEXT }), []);
    push.entries("z", [file("stays", 1)], { isComplete: true });
    push.prepare().commit();
    assert.deepEqual(member.tree(), { "a/": "", "a/moved": TEXT, "a/stays": "x", "z/": "", "z/stays": "x" });
  });

  test("is looked for ahead no longer than it is worth", () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`y/f${index}`, "x"]));
    const member = new Member({ withLooks: true }).put({ "a/stays": "x", ...many, "z/moved": TEXT });
    const push = member.push();
    const all = [directory("a"), directory("y"), directory("z")];
    push.plan({ terms: TERMS, directories: [{ path: "", entries: all, isComplete: true }] });
    assert.equal(push.entries("a", [file("moved", SIZE)]).differences, undefined);
    assert.equal(push.entries("a", [file("other", 110 * 32 * 1024)]).differences, undefined);
    assert.deepEqual(differencesOf(push.entries("a", [file("again", SIZE)])), [MARKED]);
    push.stage.clean();
  });

  test("is not looked for in what is excluded on either side, nor in what is mounted there", () => {
    const files = { "a/stays": "x", "z/own/deep/f": TEXT, "z/theirs/f": TEXT, "z/mounted/": "" };
    const member = new Member({ withLooks: true }).put(files);
    member.in("z", (parent, disk) => disk.mount(parent, "mounted"));
    const push = member.push("t-1", { protection: Protection.of(["own/"], "/") });
    const both = [directory("a"), directory("z")];
    push.plan({ terms: TERMS, excludes: ["theirs"] });
    push.plan({ directories: [{ path: "", entries: both, isComplete: true }] });
    member.disk.lines.length = 0;
    assert.equal(push.entries("a", [file("f", SIZE)]).differences, undefined);
    const listed = member.disk.lines.filter((call) => call.startsWith("list z"));
    assert.deepEqual(listed, ["list z"]);
    push.stage.clean();
  });

  test("may be the one of several look-alikes", () => {
    const { member, push } = moving({ "old/b": OTHER, "old/c": TEXT, "old/d": OTHER });
    push.entries("new", [file("a", SIZE)]);
    assert.deepEqual(push.tell({ 1: TEXT }), []);
    push.prepare().commit();
    assert.equal(member.text("new/a"), TEXT);
  });

  test("of many pieces comes step by step", () => {
    const large = "0123456789abcdef".repeat(700_000);
    const { member, push } = moving({ "old/a": large });
    push.entries("new", [file("a", large.length)]);
    assert.deepEqual(push.tell({ 1: large }), []);
    push.prepare().commit();
    assert.equal(member.text("new/a") === large, true);
  });
});

describe("contents that only look alike", () => {
  test("are asked for, and nothing is left of the look-alike", () => {
    const { member, push } = moving({ "old/a": OTHER });
    push.entries("new", [file("a", SIZE)]);
    assert.deepEqual(push.tell({ 1: TEXT }), [1]);
    push.send(content(1, TEXT)).prepare().commit();
    assert.deepEqual(member.tree(), { "new/": "", "new/a": TEXT });
  });

  test("of many pieces leave nothing where the sender has a hole", () => {
    const large = "0123456789abcdef".repeat(700_000);
    const { member, push } = moving({ "old/a": large });
    push.entries("new", [file("a", large.length)]);
    assert.deepEqual(push.tell({ 1: "something else" }), [1]);
    push.send(content(1, "head"), (writer) => void writer.addHole(1, 4, large.length - 4));
    push.prepare().commit();
    assert.equal(member.text("new/a") === `head${"\0".repeat(large.length - 4)}`, true);
  });

  test("are asked for if the look-alike has changed, has gone, or has become something else", () => {
    const changes: ((member: Member) => unknown)[] = [
      () => undefined,
      (member) => member.put({ "old/a": OTHER }),
      (member) => member.put({ "old/a": `${TEXT}!` }),
      (member) => member.put({ "old/b": TEXT, "old/a": "-> b" }),
      (member) => member.put({ "old/a/": "", "old/a/b": "x" }),
      (member) =>
        member.in("old", (old, disk) => disk.makeSpecial(old, "a", "fifo", 0o644, { major: 0, minor: 0 })),
    ];
    for (const change of changes) {
      const { member, push } = moving({ "old/a": TEXT });
      push.entries("new", [file("a", SIZE)]);
      member.in("old", (old, disk) => disk.unlink(old, "a"));
      change(member);
      assert.deepEqual(push.tell({ 1: TEXT }), [1], String(change));
    }
  });

  test("do not only look alike if another file has taken the place of the one that was seen, with the same contents", () => {
    const { member, push } = moving({ "old/a": OTHER });
    push.entries("new", [file("a", SIZE)]);
    member.in("old", (old, disk) => disk.unlink(old, "a"));
    member.put({ "old/a": TEXT });
    assert.deepEqual(push.tell({ 1: TEXT }), []);
  });

  test("are asked for if the look-alike cannot be read", () => {
    const { member, push } = moving({ "old/a": TEXT });
    push.entries("new", [file("a", SIZE)]);
    member.memory.before = failKind("read", "EIO");
    assert.deepEqual(push.tell({ 1: TEXT }), [1]);
  });
});

describe("nothing is marked", () => {
  const marks = (files: Readonly<Record<string, string>>, one = file("a", SIZE), terms = TERMS) =>
    differencesOf(moving(files, {}, terms).push.entries("new", [one]));

  test("without a file that goes, of another size, of another time, and if it is small", () => {
    assert.equal(marks({ kept: TEXT.slice(1), "old/a": `${TEXT}!` }), undefined);
    assert.equal(
      marks({ "old/a": TEXT }, file("a", SIZE, { metadata: meta(0o644, { mtimeNs: 7n }) })),
      undefined,
    );
    assert.equal(marks({ "old/a": "x".repeat(63) }, file("a", 63)), undefined);
    assert.deepEqual(marks({ "old/a": "x".repeat(64) }, file("a", 64)), [MARKED]);
  });

  test("if the sender tells no digests, or the file has holes", () => {
    assert.equal(marks({ "old/a": TEXT }, undefined, { tellsDigests: false }), undefined);
    assert.equal(
      marks({ "old/a": TEXT }, file("a", SIZE, { extras: { ...NO_EXTRAS, allocated: 8 } })),
      undefined,
    );
  });

  test("for links and directories", () => {
    const push = moving({ "old/a": TEXT }).push;
    assert.equal(differencesOf(push.entries("new", [directory("d"), entry(EntryType.fifo, "f")])), undefined);
  });
});

describe("a sender that breaks the rules", () => {
  test("tells digests of anything: they change nothing, and nothing is asked for", () => {
    const { member, push } = moving({ "old/a": TEXT, same: TEXT });
    push.entries("new", [file("a", SIZE)]);
    assert.deepEqual(push.tell({ 0: TEXT, 2: TEXT, 4294967295: TEXT }), []);
    assert.deepEqual(push.tell({ 1: TEXT }), []);
    assert.deepEqual(push.tell({ 1: OTHER }), [], "it is whole already");
    push.prepare().commit();
    assert.equal(member.text("new/a"), TEXT);
  });

  test("sends contents before the digest: nothing is mixed with them", () => {
    const { member, push } = moving({ "old/a": TEXT });
    push.entries("new", [file("a", SIZE)]);
    push.send(content(1, OTHER.slice(0, 10)));
    assert.deepEqual(push.tell({ 1: TEXT }), [1]);
    push
      .send(content(1, OTHER.slice(10), 10))
      .prepare()
      .commit();
    assert.equal(member.text("new/a"), OTHER);
  });

  test("sends contents while the look-alike is read: they are not taken, and a withdrawal ends it", () => {
    const large = "0123456789abcdef".repeat(700_000);
    for (const isWithdrawn of [false, true]) {
      const { member, push } = moving({ "old/a": large });
      push.entries("new", [file("a", large.length)]);
      const steps = push.stage.plan(push.told({ 1: large }));
      assert.notEqual(steps.next().done, true);
      push.send(isWithdrawn ? withdrawal(1) : content(1, OTHER));
      finish(steps);
      push.prepare().commit();
      assert.equal(member.has("new/a"), !isWithdrawn);
      if (!isWithdrawn) assert.equal(member.text("new/a") === large, true);
    }
  });

  test("never tells the digest, nor sends contents: the transfer fails", () => {
    const { push } = moving({ "old/a": TEXT });
    push.entries("new", [file("a", SIZE)]);
    assert.throws(() => push.prepare(), StageError);
  });
});

test("a dry run recognizes nothing and needs nothing", () => {
  const member = new Member().put({ "old/a": TEXT });
  const push = member.push("t-1", { dryRun: true });
  push.plan({ terms: TERMS, directories: [{ path: "", entries: [directory("new")], isComplete: true }] });
  push.entries("new", [file("a", SIZE)]);
  assert.deepEqual(push.tell({ 1: TEXT }), []);
  push.stage.clean();
  assert.deepEqual(member.tree(), { "old/": "", "old/a": TEXT });
});

test("look-alikes are eight of one size, time and name, and eight of one size and time, each of them once", () => {
  const pathOf = (index: number) => `d${index}/f${index % 3}`;
  const member = new Member().put(
    Object.fromEntries(Array.from({ length: 40 }, (_, index) => [pathOf(index), TEXT])),
  );
  const found = new LookAlikes(member.base, () => false);
  found.isUsed = true;
  for (let round = 0; round < 2; round++)
    for (let index = 0; index < 40; index++) found.note(pathOf(index), member.stats(pathOf(index))!);
  const paths = found.of(file("f1", SIZE), () => false);
  const named = [1, 4, 7, 10, 13, 16, 19, 22];
  assert.deepEqual(paths, [...named, 0, 2, 3, 5, 6].map(pathOf));
});

test("digests in a manifest have the number that comes next", () => {
  const { push } = moving({ "old/a": TEXT });
  const block = manifestBlock({ digests: [{ entry: 0, digest: new Uint8Array(16) }] }, 5);
  assert.throws(() => finish(push.stage.plan(block)), StageError);
});
