import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Stage } from "../../../src/tree/apply/stage.ts";
import { EntryType, NO_EXTRAS } from "../../../src/wire/entry.ts";
import { content, directory, entry, file, hardLink, manifestBlock, Member, meta, symlink } from "./member.ts";
import { carryOut, finish } from "../../support/staging.ts";

/** In which order a transfer calls its disk: what must be durable before, and what is seen of the switch. */

/** The calls since the last look, without the area's name. */
function callsOf(member: Member): string[] {
  const lines = member.disk.lines.map((line) => line.replaceAll(".makuosan/t-1", "AREA"));
  member.disk.lines.length = 0;
  return lines;
}

const TIME = "1000000007";

describe("staging", () => {
  test("an area is made new, for its owner alone, with a tree, a journal and a list of changes", () => {
    const member = new Member();
    member.push("t-1", { listsChanges: true }).entries("", [file("a", 3)]);
    assert.deepEqual(callsOf(member), [
      "make-directory .makuosan 700",
      "unlink AREA: ENOENT",
      "make-directory AREA 700",
      "make-directory AREA/tree 700",
      "unlink AREA/journal: ENOENT",
      "make-file AREA/journal 600",
      "make-file AREA/changes 600",
    ]);
  });

  test("a file that comes at once is made with its mode, and its contents are durable before its time is set", () => {
    const member = new Member();
    member.push().bring("", [file("a", 3)]);
    assert.deepEqual(callsOf(member).slice(6), [
      "make-file AREA/tree/a 644",
      "write AREA/tree/a 3 at 0",
      "sync-contents AREA/tree/a",
      `set-file-time AREA/tree/a ${TIME}`,
    ]);
  });

  test("a file that comes in pieces is made for its owner alone, and gets its owner before its mode", () => {
    const member = new Member();
    const push = member.push();
    push.entries("", [file("a", 4)]);
    push.send(content(0, "aa")).send(content(0, "bb", 2));
    assert.deepEqual(callsOf(member).slice(6), [
      "make-file AREA/tree/a 600",
      "write AREA/tree/a 2 at 0",
      "write AREA/tree/a 2 at 2",
      "set-file-owner AREA/tree/a 0:0",
      "set-file-mode AREA/tree/a 644",
      "sync-contents AREA/tree/a",
      `set-file-time AREA/tree/a ${TIME}`,
    ]);
  });

  test("a link gets its owner and its time; a FIFO its owner, its mode and its time", () => {
    const member = new Member();
    member.push().entries("", [symlink("l", "x"), entry(EntryType.fifo, "p", { metadata: meta(0o620) })]);
    assert.deepEqual(callsOf(member).slice(6), [
      "make-symlink AREA/tree/l -> x",
      "set-owner AREA/tree/l 0:0",
      `set-time AREA/tree/l ${TIME}`,
      "make-special AREA/tree/p fifo 600",
      "set-owner AREA/tree/p 0:0",
      "set-mode AREA/tree/p 620",
      `set-time AREA/tree/p ${TIME}`,
    ]);
  });

  test("a directory is made for its owner alone; the way to an entry is marked", () => {
    const member = new Member().put({ "way/": "" });
    member.push().bring("way", [file("f", 1), directory("d")]);
    const calls = callsOf(member).slice(6);
    assert.deepEqual(calls.slice(0, 2), [
      "make-directory AREA/tree/way 1700",
      "make-directory AREA/tree/way/d 700",
    ]);
  });
});

describe("prepare", () => {
  test("links, the list of changes, attributes of directories, then the journal: durable before its name is", () => {
    const member = new Member();
    const push = member.push("t-1", { listsChanges: true });
    push.bring("", [directory("d")]);
    const names = { ...NO_EXTRAS, hasOtherNames: true };
    push.bring("d", [file("a", 1, { extras: names }), hardLink("b", "d/a")]);
    callsOf(member);
    push.prepare();
    assert.deepEqual(
      callsOf(member).map((line) => line.replace(/(changes|journal) [1-9]\d* at \d+$/, "$1 all")),
      [
        "link AREA/tree/d/a -> AREA/tree/d/b",
        "write AREA/changes all",
        "write AREA/journal all",
        "set-owner AREA/tree/d 0:0",
        "set-mode AREA/tree/d 755",
        `set-time AREA/tree/d ${TIME}`,
        "write AREA/journal 0 at 52",
        "sync-file AREA/journal",
        "rename AREA/journal -> AREA/ready",
        "sync-directory AREA",
        "sync-directory .makuosan",
      ],
    );
  });

  test("up to eight files are made durable one by one; with the ninth, the whole file system is before the journal", () => {
    for (const count of [8, 9]) {
      const member = new Member();
      const push = member.push();
      push.bring(
        "",
        Array.from({ length: count }, (_, index) => file(`f${index}`, 1)),
      );
      const single = callsOf(member).filter((line) => line.startsWith("sync-contents"));
      assert.equal(single.length, 8);
      push.prepare();
      const whole = callsOf(member);
      assert.equal(whole.includes("sync-file-system ."), count === 9);
      if (count === 9)
        assert.ok(whole.indexOf("sync-file-system .") < whole.indexOf("sync-file AREA/journal"));
    }
  });

  test("a file system without an order is made durable as a whole, before the journal and before the end", () => {
    const member = new Member({ crashModel: "unordered" });
    const push = member.push().bring("", [file("a", 1)]);
    callsOf(member);
    push.prepare();
    const calls = callsOf(member);
    assert.deepEqual(calls.slice(1), [
      "sync-file-system .",
      "write AREA/journal 0 at 26",
      "sync-file AREA/journal",
      "rename AREA/journal -> AREA/ready",
      "sync-directory AREA",
      "sync-directory .makuosan",
    ]);
    push.stage.commit();
    assert.deepEqual(callsOf(member).slice(-4), [
      "sync-file-system .",
      "rename AREA/commit -> AREA/done",
      "sync-directory AREA",
      "sync-directory .makuosan",
    ]);
  });

  test("where nothing differs, nothing is called that changes something", () => {
    const member = new Member().put({ a: "a" });
    const push = member.push("t-1", { listsChanges: true }).bring("", [file("a", 1)]);
    push.prepare();
    assert.equal(push.stage.isListed, false);
    assert.deepEqual([...push.stage.steps()], []);
    push.commit();
    assert.deepEqual(callsOf(member), []);
  });
});

describe("commit", () => {
  test("everything new comes into its place, then the old goes, then directories get their attributes, then it is durable, and the old is gone", () => {
    const member = new Member().put({ "d/x": "x", "e/y": "y", old: "o", "gone/z": "z" });
    const push = member.push();
    push.plan({ terms: {} });
    push.bring("", [directory("d", { metadata: meta(0o750) }), directory("e"), file("f", 1), file("g", 2)], {
      isComplete: true,
    });
    push.bring("d", [file("x", 2)], { metadata: meta(0o750), isComplete: true });
    push.prepare();
    callsOf(member);
    assert.equal(carryOut(push.stage), undefined);
    assert.deepEqual(
      callsOf(member).map((line) => line.replace(/discarded-step\d+/, "discarded")),
      [
        "rename AREA/ready -> AREA/commit",
        "rename AREA/tree/f -> f",
        "rename AREA/tree/g -> g",
        "rename AREA/tree/d/x -> d/x",
        "rename old -> AREA/discarded",
        "rename gone -> AREA/discarded",
        "set-owner d 0:0",
        "set-mode d 750",
        `set-time d ${TIME}`,
        "set-owner d 0:0",
        "set-mode d 750",
        `set-time d ${TIME}`,
        "rename AREA/commit -> AREA/done",
        "sync-directory AREA",
        "sync-directory .makuosan",
        "unlink AREA/discarded",
        "unlink AREA/discarded: EISDIR",
        "unlink AREA/discarded/z",
        "remove-directory AREA/discarded",
      ],
    );
  });

  test("a directory and a file that take each other's place are exchanged, and the old is put out of the way", () => {
    const member = new Member().put({ "a/x": "x", b: "b" });
    const push = member.push();
    push.plan({ terms: {} });
    push.bring("", [file("a", 1), directory("b")]);
    push.prepare();
    callsOf(member);
    push.stage.commit();
    const calls = callsOf(member).map((line) => line.replace(/discarded-step\d+/, "discarded"));
    assert.deepEqual(calls.slice(1, 7), [
      "rename AREA/tree/b -> b: ENOTDIR",
      "exchange AREA/tree/b <-> b",
      "rename AREA/tree/b -> AREA/discarded",
      "rename AREA/tree/a -> a: EISDIR",
      "exchange AREA/tree/a <-> a",
      "rename AREA/tree/a -> AREA/discarded",
    ]);
    finish(push.stage.clean());
    assert.deepEqual(member.tree(), { a: "a", "b/": "" });
  });

  test("where entries cannot be exchanged, the old goes first", () => {
    const member = new Member({ canExchange: false }).put({ "a/x": "x" });
    const push = member.push();
    push.plan({ terms: {} });
    push.bring("", [file("a", 1)]).prepare();
    callsOf(member);
    push.stage.commit();
    const calls = callsOf(member).map((line) => line.replace(/discarded-step\d+/, "discarded"));
    assert.deepEqual(calls.slice(1, 5), [
      "rename AREA/tree/a -> a: EISDIR",
      "exchange AREA/tree/a <-> a: no",
      "rename a -> AREA/discarded",
      "rename AREA/tree/a -> a",
    ]);
    finish(push.stage.clean());
    assert.deepEqual(member.tree(), { a: "a" });
  });
});

test("the area goes: first what could look like a commit", () => {
  const member = new Member();
  const push = member.push().bring("", [file("a", 1)]);
  push.prepare();
  callsOf(member);
  finish(push.stage.clean());
  const calls = callsOf(member);
  assert.deepEqual(calls.slice(0, 3), [
    "unlink AREA/journal: ENOENT",
    "unlink AREA/ready",
    "unlink AREA/commit: ENOENT",
  ]);
  assert.equal(calls.at(-1), "remove-directory .makuosan");
  assert.equal(member.has(".makuosan"), false);
});

test("every directory and every file that a transfer opens is closed at its end", () => {
  const member = new Member({ withLooks: true }).put({ "d/e/x": "x", "gone/y/z": "z", kept: "k" });
  const push = member.push("t-1", { listsChanges: true });
  push.plan({ terms: {} });
  push.bring("", [directory("d"), file("kept", 1, { metadata: meta(0o600) }), file("f", 3)], {
    isComplete: true,
  });
  push.bring("d/e", [file("x", 2)]);
  push.send(content(2, "f", 1));
  push.stage.prepare();
  push.commit();
  assert.deepEqual(member.tree(), { "d/": "", "d/e/": "", "d/e/x": "xx", f: "fff", kept: "k" });
  // The base directory stays open: it is the daemon's.
  assert.equal(member.openHandles, 1);
});

test("a transfer looks directories up again, whatever was known of them before", () => {
  const member = new Member().put({ "a/b/f": "old" });
  const { base, rules } = member;
  assert.equal(base.stat("a/b/f")?.size, 3);
  member.in("", (root, disk) => disk.rename(root, "a", root, "moved"));
  member.put({ "a/b/f": "newer" });
  const stage = new Stage(base, rules, "t-1", true);
  const plan = finish(stage.plan(manifestBlock({ directories: [{ path: "a/b", entries: [file("f", 5)] }] })));
  assert.equal(plan.wants.count(), 0);
});

test("nothing lists what changes where nobody asks for it", () => {
  const member = new Member();
  const stage = new Stage(member.base, member.rules, "t-1", false);
  finish(stage.plan(manifestBlock({ directories: [{ path: "", entries: [file("f", 0)] }] })));
  stage.prepare();
  assert.deepEqual([stage.isListed, member.has(".makuosan/t-1/changes")], [false, false]);
});
