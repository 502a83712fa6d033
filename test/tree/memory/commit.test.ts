import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { finish } from "../../../src/base/steps.ts";
import { sentenceOf } from "../../../src/base/reason.ts";
import { ITSELF } from "../../../src/tree/disk/disk.ts";
import { NO_EXTRAS } from "../../../src/wire/entry.ts";
import { failKind } from "../../disk/faults.ts";
import { directory, file, Member, meta, passage, type Push, symlink, TIME_NS } from "./member.ts";

/** A commit on a tree that somebody has changed meanwhile, or on a disk that fails. */

const AREA = ".makuosan/t-1/";

/** The sentence of a commit's failure. */
function commitText(push: Push): string {
  const failure = push.stage.commit();
  return failure === undefined ? "" : sentenceOf(failure);
}

/** A member that is not root, in a directory that is its own. */
const plainMember = () =>
  new Member({ user: 1000, group: 1000, rules: { keepOwner: false, ownGroups: new Set([1000]) } });

describe("a step that fails", () => {
  test("does not keep the others from being done; the first is told, and how many more", () => {
    const member = new Member();
    const push = member.push().bring(
      "",
      ["a", "b", "c", "d", "e"].map((name) => file(name, 1)),
    );
    push.prepare();
    member.memory.before = (call) => {
      if (call.kind === "rename" && ["b", "d", "e"].includes(call.name)) failKind("rename", "EIO")(call);
    };
    assert.equal(commitText(push), "all is new but b: the disk reports an input/output error (and 2 more)");
    member.memory.before = undefined;
    assert.equal(member.has(`${AREA}done`), true, "what failed is not done later over something newer");
    finish(push.stage.clean());
    assert.deepEqual(member.tree(), { a: "a", c: "c" });
  });

  test("before anything has changed, leaves the tree as it was", () => {
    const member = new Member().put({ a: "old" });
    const push = member.push().bring("", [file("a", 1)]);
    push.prepare();
    member.memory.before = failKind("rename", "EROFS", "ready");
    assert.equal(commitText(push), "the base directory: the file system is read-only");
    member.memory.before = undefined;
    finish(push.stage.clean());
    assert.deepEqual(member.tree(), { a: "old" });
  });

  test("when the journal cannot be read, is told without a path", () => {
    const member = new Member();
    const push = member.push().bring("", [file("a", 1)]);
    push.prepare();
    member.memory.before = failKind("openFile", "EIO", "commit");
    assert.equal(
      commitText(push),
      "all is new but a part that is not known, because the list of changes cannot be read " +
        "(the disk reports an input/output error)",
    );
  });

  test("when the switch is made durable, is told as after it", () => {
    for (const [kind, crashModel, name] of [
      ["syncFileSystem", "unordered", undefined],
      ["rename", "ordered", "commit"],
      ["syncDirectory", "ordered", undefined],
    ] as const) {
      const member = new Member({ crashModel });
      const push = member.push().bring("", [file("a", 1)]);
      push.prepare();
      member.memory.before = failKind(kind, "EIO", name);
      assert.equal(
        commitText(push),
        "all is new, but it is not durable yet: the disk reports an input/output error",
      );
      member.memory.before = undefined;
      assert.deepEqual(member.tree()["a"], "a");
    }
  });

  test("of a directory's attributes is told; the next ones are set", () => {
    const member = new Member().put({ "a/": "", "b/": "" });
    const push = member.push();
    push.entries("", [directory("a", { metadata: meta(0o700) }), directory("b", { metadata: meta(0o700) })]);
    push.prepare();
    let isFirst = true;
    member.memory.before = (call) => {
      if (call.kind !== "setMode" || !isFirst) return;
      isFirst = false;
      failKind("setMode", "EIO")(call);
    };
    assert.equal(commitText(push), "all is new but a: the disk reports an input/output error");
    assert.deepEqual([member.rights("a"), member.rights("b")], ["755 0:0", "700 0:0"]);
  });
});

describe("what others have done meanwhile", () => {
  test("a directory that is gone is skipped where it only gets attributes, or something is deleted in it", () => {
    const member = new Member().put({ "a/x": "x", "b/y": "y", "c/z": "z" });
    const push = member.push();
    push.plan({ terms: {} });
    push.entries("", [
      directory("a", { metadata: meta(0o700) }),
      passage("b"),
      directory("c", { metadata: meta(0o700) }),
    ]);
    push.entries("b", [], { isComplete: true });
    push.prepare();
    member.in("", (root, disk) => {
      for (const name of ["a", "b", "c"]) disk.rename(root, name, root, `moved-${name}`);
      disk.makeSymlink(root, "c", "moved-c");
    });
    assert.equal(commitText(push), "");
    finish(push.stage.clean());
    assert.deepEqual(member.tree(), {
      c: "-> moved-c",
      "moved-a/": "",
      "moved-a/x": "x",
      "moved-b/": "",
      "moved-b/y": "y",
      "moved-c/": "",
      "moved-c/z": "z",
    });
    assert.equal(member.rights("moved-c"), "755 0:0");
  });

  test("a directory that another transfer has made is filled by both, at any depth, and gets the attributes", () => {
    const member = new Member();
    const one = member.push("t-1").bring("", [directory("d"), directory("e")]);
    one.bring("d", [directory("in"), file("a", 1), file("both", 1)]).bring("d/in", [file("x", 1)]);
    one.prepare();
    const other = member.push("t-2").bring("", [directory("d", { metadata: meta(0o711) })]);
    other
      .bring("d", [directory("in", { metadata: meta(0o710) }), file("b", 2), file("both", 2)])
      .bring("d/in", [file("y", 2)]);
    other.prepare();
    one.commit();
    other.commit();
    assert.deepEqual(member.tree(), {
      "d/": "",
      "d/a": "a",
      "d/b": "bb",
      "d/both": "bb",
      "d/in/": "",
      "d/in/x": "x",
      "d/in/y": "yy",
      "e/": "",
    });
    assert.deepEqual([member.rights("d"), member.rights("d/in")], ["711 0:0", "710 0:0"]);
    assert.deepEqual([member.stats("d")?.mtimeNs, member.stats("d/in")?.mtimeNs], [TIME_NS, TIME_NS]);
  });

  test("while a directory is filled, an entry that cannot be moved does not keep the others", () => {
    const member = new Member();
    const one = member.push("t-1").bring("", [directory("d")]);
    one.bring("d", [file("z", 1)]).prepare();
    const other = member.push("t-2").bring("", [directory("d")]);
    other
      .bring(
        "d",
        ["a", "b", "c"].map((name) => file(name, 1)),
      )
      .prepare();
    one.commit();
    member.memory.before = failKind("rename", "EIO", "b");
    assert.equal(commitText(other), "all is new but d/b: the disk reports an input/output error");
    member.memory.before = undefined;
    finish(other.stage.clean());
    assert.deepEqual(member.tree(), { "d/": "", "d/a": "a", "d/c": "c", "d/z": "z" });
  });

  test("while a directory is filled, a file gives way to a directory, and no directory with entries to a file", () => {
    for (const canExchange of [true, false]) {
      const member = new Member({ canExchange, withLooks: true });
      const one = member.push("t-1").bring("", [directory("d")]);
      one
        .bring("d", [directory("a"), file("b", 1)])
        .bring("d/a", [file("x", 1)])
        .prepare();
      const other = member.push("t-2").bring("", [directory("d")]);
      other
        .bring("d", [file("a", 1), directory("b")])
        .bring("d/b", [file("y", 1)])
        .prepare();
      one.commit();
      assert.equal(
        commitText(other),
        "all is new but d/a: d/a/x appeared in it on this member during the transfer, so it stays as it was: push again",
      );
      finish(other.stage.clean());
      assert.deepEqual(member.tree(), { "d/": "", "d/a/": "", "d/a/x": "x", "d/b/": "", "d/b/y": "y" });
      assert.equal(member.openHandles, 2);
    }
  });

  test("where nothing was merged, a staged directory is not given its attributes twice", () => {
    const member = new Member();
    const push = member.push().bring("", [directory("d")]);
    push.prepare();
    member.disk.lines.length = 0;
    push.commit();
    assert.deepEqual(
      member.disk.lines.filter((line) => line.startsWith("set-") && !line.includes(".makuosan")),
      [],
    );
  });

  test("a directory that has become a link is not followed", () => {
    const member = new Member().put({ "d/": "", "out/": "" });
    const push = member.push().bring("d", [file("a", 1)]);
    push.prepare();
    member.in("", (root, disk) => {
      disk.removeDirectory(root, "d");
      disk.makeSymlink(root, "d", "out");
    });
    assert.match(commitText(push), /^all is new but d\/a: .* symbolic link, which is not followed$/);
    finish(push.stage.clean());
    assert.deepEqual(member.tree(), { d: "-> out", "out/": "" });
  });
});

describe("deletes", () => {
  test("of something that is made again after them, at a start that repeats them, are not done twice", () => {
    const member = new Member().put({ old: "o" });
    const push = member.push();
    push.plan({ terms: {} });
    push.entries("", [], { isComplete: true });
    push.prepare();
    push.stage.commit();
    assert.deepEqual(member.tree()["old"], undefined);
  });

  test("do not follow a directory that is gone, and what is gone already is no failure", () => {
    const member = new Member().put({ "d/old": "o", gone: "g", "e/": "" });
    const push = member.push();
    push.plan({ terms: {} });
    push.entries("", [directory("d"), directory("e")], { isComplete: true });
    push.entries("d", [], { isComplete: true });
    push.prepare();
    member.in("", (root, disk) => {
      disk.rename(root, "d", root, "moved");
      disk.unlink(root, "gone");
    });
    assert.equal(commitText(push), "");
    finish(push.stage.clean());
    assert.deepEqual(member.tree(), { "e/": "", "moved/": "", "moved/old": "o" });
  });
});

describe("directories whose mode shuts this process out", () => {
  test("are filled and moved first, and get their mode last, the deepest first", () => {
    const member = plainMember();
    member.memory.actAs(0);
    member.in("", (root, disk) => disk.setMode(root, ITSELF, 0o777));
    member.memory.actAs(1000);
    const shut = (mode: number) => ({ metadata: meta(mode) });
    const push = member.push();
    push.bring("", [
      directory("a", shut(0o500)),
      directory("open", shut(0o711)),
      directory("x", shut(0o600)),
    ]);
    push.bring("a", [directory("b", shut(0o000)), file("f", 1)]);
    push.bring("a/b", [file("g", 1)]);
    push.prepare();
    assert.equal(member.rights(`${AREA}tree/open`), "711 1000:1000");
    assert.equal(member.rights(`${AREA}tree/a`), "700 1000:1000");
    member.disk.lines.length = 0;
    push.commit();
    const modes = member.disk.lines.filter(
      (line) => line.startsWith("set-mode") && !line.includes(".makuosan"),
    );
    assert.deepEqual(
      modes,
      ["set-mode x 600", "set-mode a/b 0", "set-mode a 500"].sort((one, other) => order(one) - order(other)),
    );
    member.memory.actAs(0);
    assert.deepEqual(member.tree(), {
      "a/": "",
      "a/b/": "",
      "a/b/g": "g",
      "a/f": "f",
      "open/": "",
      "x/": "",
    });
    assert.deepEqual(
      [member.rights("a"), member.rights("a/b"), member.rights("x")],
      ["500 1000:1000", "0 1000:1000", "600 1000:1000"],
    );
  });

  test("are no matter where root sets them", () => {
    const member = new Member();
    const push = member.push().bring("", [directory("a", { metadata: meta(0o000) })]);
    push.prepare();
    assert.equal(member.rights(`${AREA}tree/a`), "0 0:0");
    push.commit();
  });
});

const ORDER = ["set-mode a/b 0", "set-mode x 600", "set-mode a 500"];
const order = (line: string) => ORDER.indexOf(line);

test("attributes of a directory that is there are set through a handle, and those that differ alone", () => {
  const member = new Member().put({ "d/x": "x" });
  const attributes = [{ name: "user.a", value: Buffer.from("1") }];
  const push = member.push();
  push.entries("", [directory("d", { metadata: meta(0o750), extras: { ...NO_EXTRAS, attributes } })]);
  push.prepare();
  member.disk.lines.length = 0;
  push.stage.commit();
  assert.deepEqual(member.disk.lines.slice(1, 5), [
    "set-owner d 0:0",
    "set-attribute d user.a",
    "set-mode d 750",
    `set-time d ${TIME_NS}`,
  ]);
  finish(push.stage.clean());
});

test("a link takes the place of a file, and a file that of a link, in one rename", () => {
  const member = new Member().put({ a: "a", l: "-> a" });
  const push = member.push().bring("", [symlink("a", "l"), file("l", 1)]);
  push.prepare();
  member.disk.lines.length = 0;
  push.commit();
  assert.deepEqual(member.tree(), { a: "-> l", l: "l" });
  assert.equal(member.disk.lines.filter((line) => line.startsWith("exchange")).length, 0);
});
