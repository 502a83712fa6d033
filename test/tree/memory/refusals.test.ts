import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FileStats } from "../../../src/sys/stat.ts";
import { Obstacles } from "../../../src/tree/decide/obstacles.ts";
import { ITSELF } from "../../../src/tree/disk/disk.ts";
import { failKind } from "../../disk/faults.ts";
import { EntryType } from "../../../src/wire/entry.ts";
import {
  directory,
  hardLink,
  entry,
  file,
  Member,
  meta,
  type Push,
  symlink,
  plainMember,
  reasonOf,
} from "./member.ts";

/** What could not be committed is refused before the barrier. */

describe("what could not be committed is refused before", () => {
  const refusals = (push: Push) => push.findings.filter((text) => !/^[a-z/]*$/.test(text));

  test("a directory of another file system, and one in which this process may not write", () => {
    const member = new Member().put({ "m/": "" });
    member.in("", (root, disk) => disk.mount(root, "m"));
    assert.equal(
      reasonOf(() => member.push().entries("m", [file("a", 1)])),
      "m: EXDEV",
    );
    const closed = plainMember(0o777, 0).put({ "d/": "" });
    closed.memory.actAs(1000);
    assert.equal(
      reasonOf(() => closed.push().entries("d", [file("a", 1)])),
      "d: EACCES",
    );
  });

  test("a delete in a directory in which this process may not write, or of a directory that it may not change", () => {
    const member = plainMember(0o777, 0).put({ "d/x": "x", f: "f" });
    member.memory.actAs(1000);
    const push = member.push("t-1");
    push.plan({ terms: {} });
    assert.equal(
      reasonOf(() => push.entries("", [entry(EntryType.gone, "d")])),
      "d: EACCES",
    );
    const below = plainMember(0o777, 0).put({ "d/e/x": "x" });
    below.in("", (root, disk) => disk.setOwner(root, "d", 1000, 1000));
    below.memory.actAs(1000);
    const other = below.push();
    other.plan({ terms: {} });
    assert.equal(
      reasonOf(() => other.entries("", [entry(EntryType.gone, "d")])),
      "d/e: EACCES",
    );
    const own = plainMember(0o777, 0).put({ f: "f" });
    own.memory.actAs(1000);
    const third = own.push();
    third.plan({ terms: {} });
    third.entries("", [entry(EntryType.gone, "f")]);
    assert.deepEqual(third.findings, ["f"]);
  });

  test("a delete of a directory that something is mounted in, also as root", () => {
    const member = new Member().put({ "d/m/": "", "d/x": "" });
    member.in("d", (parent, disk) => disk.mount(parent, "m"));
    const push = member.push();
    push.plan({ terms: {} });
    assert.equal(
      reasonOf(() => push.entries("", [entry(EntryType.gone, "d")])),
      "d/m: EXDEV",
    );
    const replaced = member.push("t-2");
    replaced.plan({ terms: {} });
    assert.equal(
      reasonOf(() => replaced.entries("", [file("d", 1)])),
      "d/m: EXDEV",
    );
    const whole = member.push("t-3");
    whole.plan({ terms: {} });
    assert.equal(
      reasonOf(() => whole.entries("", [], { isComplete: true })),
      "d/m: EXDEV",
    );
  });

  test("an entry of somebody else in a sticky directory, unless one of both is this process's own", () => {
    const cases: readonly (readonly [
      directoryUser: number,
      entryUser: number,
      bits: number,
      user: number,
      code: string,
    ])[] = [
      [0, 0, 0o1777, 1000, "f: sticky"],
      [1000, 0, 0o1777, 1000, "none"],
      [0, 1000, 0o1777, 1000, "none"],
      [0, 0, 0o777, 1000, "none"],
      [1000, 1000, 0o1777, 0, "none"],
    ];
    for (const [directoryUser, entryUser, bits, user, code] of cases) {
      for (const one of [file("f", 6), entry(EntryType.gone, "f")]) {
        const member = plainMember(bits, directoryUser).put({ f: "hello" });
        member.in("", (root, disk) => disk.setOwner(root, "f", entryUser, 0));
        member.memory.actAs(user);
        const push = member.push("t-1");
        push.plan({ terms: {} });
        assert.equal(
          reasonOf(() => push.entries("", [one])),
          code,
        );
      }
    }
    const root = new Member().put({ f: "hello" });
    root.in("", (top, disk) => {
      disk.setMode(top, ITSELF, 0o1777);
      disk.setOwner(top, ITSELF, 5, 5);
      disk.setOwner(top, "f", 6, 6);
    });
    assert.equal(
      reasonOf(() => root.push().entries("", [file("f", 6)])),
      "none",
    );
  });

  test("a directory that would give way to a file, where it cannot be moved", () => {
    const member = plainMember(0o777, 0).put({ "d/": "", "e/": "" });
    member.in("", (root, disk) => disk.setOwner(root, "e", 1000, 1000));
    member.memory.actAs(1000);
    assert.equal(
      reasonOf(() => member.push().entries("", [file("d", 1)])),
      "d: EACCES",
    );
    assert.equal(
      reasonOf(() => member.push().entries("", [file("e", 1)])),
      "none",
    );
    assert.equal(
      reasonOf(() => member.push().entries("", [directory("d", { metadata: meta(0o777) })])),
      "d: attributes-of-others",
    );
  });

  test("by a push and by a dry run alike; a check tells how things are anyway", () => {
    for (const [isCheck, dryRun] of [
      [false, false],
      [false, true],
      [true, true],
    ] as const) {
      const member = plainMember(0o755, 0).put({ old: "o", f: "f" });
      member.memory.actAs(1000);
      const push = member.push("t-1", { dryRun });
      push.plan({ terms: { isCheck } });
      const work = () => void push.entries("", [file("new", 1), file("f", 1)], { isComplete: true });
      // The push meets the directory when it stages; only a dry run meets the check.
      if (isCheck) assert.equal(reasonOf(work), "none");
      else if (dryRun) assert.equal(reasonOf(work), ": EACCES");
      else assert.throws(work, { code: "EACCES" });
      if (isCheck) assert.deepEqual(push.findings, ["old"]);
    }
    assert.deepEqual(refusals(new Member().push()), []);
  });

  test("more entries than there are inodes, for a dry run", () => {
    const member = new Member().put({ old: "old", same: "s" });
    const push = member.push("t-1", { dryRun: true });
    // A directory and a file, and what a transfer needs beside them; a further name of a file needs none.
    member.memory.freeInodes = 6;
    push.entries("", [directory("d"), file("same", 1)]);
    push.entries("d", [file("f", 1), hardLink("g", "d/f")], { metadata: meta(0o755) });
    assert.equal(
      reasonOf(() => push.entries("", [file("old", 7)])),
      ": too-few-inodes",
    );
  });

  test("a check needs no room", () => {
    const member = new Member({ capacityBytes: 200_000 });
    member.memory.freeInodes = 0;
    const push = member.push("t-1", { dryRun: true });
    push.plan({ terms: { isCheck: true } });
    assert.equal(push.entries("", [file("a", 1_000_000)]).wants.count(), 1);
  });

  test("more bytes than are free, with those that were written already", () => {
    const member = new Member({ capacityBytes: 200_000 });
    const free = () => member.in("", (root, disk) => disk.fileSystemOf(root).freeBytes);
    const push = member.push("t-1", { dryRun: true });
    const most = free();
    push.entries("", [file("a", most)]);
    assert.equal(
      reasonOf(() => push.entries("", [file("b", 1)])),
      ": no-space",
    );
    const real = member.push();
    real.entries("", [file("a", 50_000)]);
    real.bring("", [file("b", 40_000)]);
    real.entries("", [file("c", free() - 50_000 - 4_096)]);
    assert.throws(
      () => real.entries("", [file("d", 40_000)]),
      /^StageError: the base directory: no space: \d+ bytes are needed and \d+ are free$/,
    );
    member.memory.setCapacity(0);
    assert.equal(
      reasonOf(() =>
        new Member({ capacityBytes: 0 })
          .push("t-2", { dryRun: true })
          .entries("", [symlink("l", "x"), file("e", 0)]),
      ),
      "none",
    );
  });
});

test("bytes that this host copies from its own files take room like any others", () => {
  const member = new Member({ capacityBytes: 200_000 }).put({ mine: "x".repeat(60_000) });
  const free = () => member.in("", (root, disk) => disk.fileSystemOf(root).freeBytes);
  const push = member.push();
  const plan = push.entries("", [file("mine", 60_000, { metadata: meta(0o600) })]);
  assert.deepEqual([...(plan.differences ?? [])], [8]);
  assert.throws(
    () => push.entries("", [file("new", free() + 1)]),
    /^StageError: the base directory: no space: \d+ bytes are needed and \d+ are free$/,
  );
});

test("an error of the disk while something is checked is no refusal, and is told as it came", () => {
  const member = new Member().put({ a: "a" });
  const [push, other] = [member.push("t-1"), member.push("t-2", { dryRun: true })];
  member.memory.before = failKind("statDirectory", "EIO");
  assert.throws(() => push.entries("", [file("a", 2)]), { code: "EIO" });
  assert.throws(() => other.entries("", [file("new", 2)]), { code: "EIO" });
});

test("a refusal ends a dry run, and is no matter to a check", () => {
  const member = new Member().put({ "d/m/": "", "d/n/": "", x: "", y: "" });
  member.in("d", (parent, disk) => disk.mount(parent, "m"));
  const push = member.push("t-1", { dryRun: true });
  push.plan({ terms: {} });
  assert.equal(
    reasonOf(() => push.entries("", [], { isComplete: true })),
    "d/m: EXDEV",
  );
  const check = member.push("t-2", { dryRun: true });
  check.plan({ terms: { isCheck: true } });
  check.entries("", [], { isComplete: true });
  assert.deepEqual(check.findings, ["d", "d/m", "d/n", "x", "y"]);
});

describe("what is checked of one entry", () => {
  const checked = (places: Obstacles, stats: Partial<FileStats>) =>
    reasonOf(() => places.checkDeletable({ path: "d", stats: stats as FileStats }));
  const directoryStats = (member: Member, more: object): FileStats => {
    const { uid, device } = member.stats("d")!;
    return {
      uid,
      device,
      mount: 0,
      hasMount: false,
      isDirectory: () => true,
      ...more,
    } as unknown as FileStats;
  };

  test("is its file system for directories alone: some tell another one for files", () => {
    const member = new Member().put({ "d/": "" });
    const places = new Obstacles(member.base, member.rules);
    assert.equal(checked(places, directoryStats(member, {})), "none");
    assert.equal(checked(places, directoryStats(member, { device: 99 })), "d: EXDEV");
    assert.equal(checked(places, directoryStats(member, { hasMount: true })), "d: mounted");
    assert.equal(checked(places, directoryStats(member, { device: 99, isDirectory: () => false })), "none");
  });

  test("is not its owner where this process may set owners without being root", () => {
    const member = plainMember(0o1777, 0, { rules: { keepOwner: true } }).put({ "d/": "", f: "f" });
    member.memory.actAs(1000, 1000, [], true);
    assert.equal(checked(new Obstacles(member.base, member.rules), directoryStats(member, {})), "none");
    assert.equal(
      reasonOf(() => member.push().entries("", [file("f", 2)])),
      "none",
    );
  });

  test("is that a directory which gives way can be moved; this process's own is opened for that", () => {
    for (const owner of [1001, 1000]) {
      const member = plainMember(0o777, 0).put({ "d/": "" });
      member.in("", (root, disk) => disk.setOwner(root, "d", owner, 1000));
      member.in("d", (own, disk) => disk.setMode(own, ITSELF, 0o555));
      member.memory.actAs(1000);
      assert.equal(
        reasonOf(() => member.push().entries("", [file("d", 1)])),
        owner === 1000 ? "none" : "d: EACCES",
      );
    }
  });
});

test("a directory that this process may not change, and that stays for what is in it, is no obstacle", () => {
  const member = plainMember(0o777, 0).put({ "d/x.log": "x", "e/f/x.log": "x", "e/g/y": "y" });
  member.in("", (root, disk) => disk.setOwner(root, "e", 1000, 1000));
  member.in("e", (inner, disk) => disk.setOwner(inner, "g", 1000, 1000));
  member.memory.actAs(1000);
  const push = member.push();
  push.plan({ terms: {}, excludes: ["*.log"] });
  push.entries("", [], { isComplete: true });
  assert.deepEqual(push.findings, ["e/g", "e/g/y"]);
  push.prepare().commit();
  assert.deepEqual(member.tree(), { "d/": "", "d/x.log": "x", "e/": "", "e/f/": "", "e/f/x.log": "x" });
});
