import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { finish } from "../../../src/base/steps.ts";
import { Protection } from "../../../src/tree/decide/protection.ts";
import { type Entry, EntryType, NO_EXTRAS } from "../../../src/wire/entry.ts";
import { SEPARATE } from "../../../src/wire/differences.ts";
import {
  content,
  directory,
  entry,
  file,
  manifestBlock,
  Member,
  meta,
  passage,
  type Push,
  hardLink,
  symlink,
  plainMember,
  reasonOf,
} from "./member.ts";

/** What is decided of directories, of what a member protects, and of what gives way. */

describe("a directory", () => {
  test("that is there and in which something changes gets its attributes again; others do not", () => {
    const member = new Member().put({ "d/old": "o", "e/same": "same" });
    const steps = (push: Push) => {
      push.prepare();
      const found = [...push.stage.steps()]
        .filter(({ type }) => type === EntryType.directory)
        .map(({ path }) => path);
      finish(push.stage.clean());
      return found;
    };
    const metadata = meta(0o755);
    const bring = (path: string, entries: readonly Entry[]) => {
      const push = member.push();
      push.plan({ terms: {} });
      push.bring("", [file("f", 1)]);
      return push.bring(path, entries, { metadata });
    };
    assert.deepEqual(steps(bring("d", [file("new", 1)])), ["d"]);
    assert.deepEqual(steps(bring("d", [entry(EntryType.gone, "old")])), ["d"]);
    assert.deepEqual(steps(bring("d", [entry(EntryType.gone, "none"), entry(EntryType.kept, "old")])), []);
    assert.deepEqual(steps(bring("e", [file("same", 4)])), []);
    member.put({ "g/sub/": "", "g/l": "-> x" });
    assert.deepEqual(steps(bring("g", [directory("sub"), symlink("l", "x"), passage("sub")])), []);
    assert.deepEqual(bring("d", [file("new", 1)]).stage.totals, { entries: 2, bytes: 2 });
    const without = member.push().bring("d", [file("new", 1)]);
    assert.deepEqual(steps(without), ["d"]);
    const complete = member.push();
    complete.plan({ terms: {} });
    complete.bring("d", [], { metadata, isComplete: true });
    assert.deepEqual(steps(complete), ["d"]);
  });

  test("that is neither here nor brought is missed", () => {
    const push = new Member().put({ x: "" }).push();
    assert.equal(
      reasonOf(() => push.entries("d", [file("a", 1)])),
      "d: vanished",
    );
    const other = new Member().push();
    other
      .bring("", [passage("d")])
      .bring("d", [directory("e")])
      .bring("d/e", [file("a", 1), file("b", 1)]);
    other.plan({ terms: {} });
    other.entries("none", [entry(EntryType.kept, "x"), entry(EntryType.gone, "x")], { isComplete: true });
    other.prepare().commit();
  });

  test("that was a directory when it was announced, and is moved away then, is looked up again", () => {
    const member = new Member().put({ "d/x": "x" });
    const push = member.push();
    push.entries("", [directory("d")]);
    push.entries("d", [file("x", 1)]);
    member.in("", (root, disk) => disk.rename(root, "d", root, "moved"));
    assert.equal(
      reasonOf(() => push.entries("d", [file("y", 1)])),
      "d: vanished",
    );
  });

  test("on the way to an entry is made where it is missing, and otherwise left as it is", () => {
    const member = new Member().put({ "there/": "" });
    member
      .push()
      .bring("", [passage("there"), passage("new")])
      .bring("new", [file("a", 1)])
      .prepare()
      .commit();
    assert.deepEqual(member.tree(), { "new/": "", "new/a": "a", "there/": "" });
    assert.equal(member.rights("there"), "755 0:0");
    assert.equal(
      reasonOf(() =>
        new Member()
          .put({ f: "" })
          .push()
          .entries("", [passage("f")]),
      ),
      "f: not-a-passage",
    );
  });

  test("takes the place of a file, and what is in it comes with it", () => {
    const member = new Member().put({ d: "file" });
    member
      .push()
      .bring("", [directory("d")])
      .bring("d", [file("a", 1)])
      .prepare()
      .commit();
    assert.deepEqual(member.tree(), { "d/": "", "d/a": "a" });
  });
});

describe("what a member protects", () => {
  const protectedBy = (
    patterns: readonly string[],
    here: Readonly<Record<string, string>>,
    ...entries: Entry[]
  ) => {
    const push = new Member().put(here).push("t-1", { protection: Protection.of(patterns, "/base") });
    return push.entries("", entries).wants.count();
  };

  test("is neither made nor changed, by what it is and by what it is going to be", () => {
    assert.equal(protectedBy(["x"], {}, file("x", 1), file("y", 1)), 1);
    assert.equal(protectedBy(["x/"], { x: "" }, directory("x")), 0, "it would be a directory");
    assert.equal(protectedBy(["x/"], { "x/": "" }, file("x", 1)), 0, "it is a directory");
    assert.equal(protectedBy(["x/"], { x: "" }, file("x", 1)), 1, "it is none, and stays none");
    assert.equal(protectedBy(["x/"], {}, passage("x"), directory("x")), 0);
    assert.equal(protectedBy(["/base/x"], { x: "" }, file("x", 1)), 0);
    assert.equal(protectedBy(["z"], { f: "hello" }, file("f", 5), file("f", 6)), 1);
  });

  test("has further names that are files of their own, with the contents of the file they name", () => {
    const first = file("a", 3, { extras: { ...NO_EXTRAS, hasOtherNames: true } });
    for (const [patterns, path] of [
      [["a"], ""],
      [["keep/"], "keep"],
    ] as const) {
      const member = new Member().put({ "keep/a": "old", a: "old", c: "old!" });
      const target = path === "" ? "a" : "keep/a";
      const push = member.push("t-1", { protection: Protection.of([...patterns], "/base") });
      push.entries(path, [first]);
      const links = [hardLink("b", target), hardLink("c", target)];
      const { differences } = push.entries("", links);
      assert.deepEqual([...(differences ?? [])], [1 | SEPARATE, 4 | SEPARATE]);
      push.send(content(1, "new"), content(2, "new")).prepare().commit();
      assert.deepEqual(member.tree(), { "keep/": "", "keep/a": "old", a: "old", b: "new", c: "new" });
      const again = member.push("t-2", { protection: Protection.of([...patterns], "/base") });
      again.entries(path, [first]);
      assert.equal(again.entries("", links).wants.count(), 0, "nothing goes twice");
    }
  });

  test("has no further names where the sender does not say so, even if it is as the sender has it", () => {
    const plain = new Member().put({ a: "aaa" }).push("t-1", { protection: Protection.of(["a"], "/base") });
    plain.bring("", [file("a", 3), hardLink("b", "a"), file("c", 1)]).prepare();
    assert.deepEqual(plain.findings, [
      "b: it is a hard link to a, which the member does not have, so it is left out",
    ]);
  });

  test("is nothing below a directory that is protected", () => {
    const member = new Member().put({ "keep/in/": "", "d/": "" });
    const push = member.push("t-1", { protection: Protection.of(["keep"], "/base") });
    push.plan({ terms: {} });
    assert.equal(push.entries("keep", [file("x", 1)], { isComplete: true }).wants.count(), 0);
    assert.equal(push.entries("keep/in", [file("x", 1)]).wants.count(), 0);
    assert.equal(push.entries("d", [file("x", 1)]).wants.count(), 1);
    const other = member.push("t-2", { protection: Protection.of(["keep/"], "/base") });
    assert.equal(other.entries("keep", [file("x", 1)]).wants.count(), 0);
    assert.equal(Protection.of([], "/base"), undefined);
  });

  test("keeps a directory that holds it from giving way to a file, not a file from giving way to a directory", () => {
    const name = Protection.of(["*.conf"], "/base");
    const push = new Member().put({ "d/e/my.conf": "", "e/x": "", f: "" }).push("t-1", { protection: name });
    assert.equal(
      reasonOf(() => push.entries("", [file("d", 1)])),
      "d: holds-protected",
    );
    const other = new Member().put({ "e/x": "", f: "" }).push("t-1", { protection: name });
    other.plan({ terms: {} });
    assert.equal(other.entries("", [file("e", 1), directory("f")]).wants.count(), 2);
  });
});

test("a directory that would give way to a device is not said to go where no device can be made", () => {
  const member = plainMember(0o777, 0).put({ "d/x": "x" });
  member.in("", (root, disk) => disk.setOwner(root, "d", 1000, 1000));
  member.memory.actAs(1000);
  const push = member.push();
  push.plan({ terms: {} });
  const device = { ...NO_EXTRAS, device: { major: 8, minor: 0 } };
  push.entries("", [entry(EntryType.blockDevice, "d", { extras: device })]);
  assert.deepEqual(push.findings, ["d: this member cannot make it, so it is left out"]);
  assert.deepEqual(push.stage.totals, { entries: 0, bytes: 0 });
});

test("a directory that gives way to a file is told in the list of changes, with all in it", () => {
  const member = new Member().put({ "d/x": "x" });
  const push = member.push("t-1", { listsChanges: true });
  push.plan({ terms: {} });
  push.bring("", [file("d", 1)]).prepare();
  assert.equal(member.text(".makuosan/t-1/changes"), "d/x\0d\0");
});

test("a plan that nobody goes on with lets go of what it reads", () => {
  const big = "x".repeat(9_000_000);
  const member = new Member({ withLooks: true }).put({ f: big });
  const push = member.push();
  const steps = push.stage.plan(
    manifestBlock({
      directories: [{ path: "", entries: [file("f", big.length, { metadata: meta(0o600) })] }],
    }),
  );
  steps.next();
  steps.return({} as never);
  finish(push.stage.clean());
  assert.equal(member.openHandles, 1);
});
