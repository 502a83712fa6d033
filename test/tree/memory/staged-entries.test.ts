import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Entry, EntryType, NO_EXTRAS } from "../../../src/wire/entry.ts";
import { failKind } from "../../disk/faults.ts";
import { directory, entry, file, hardLink, Member, meta, type Push, symlink, TIME_NS } from "./member.ts";

/** How entries other than the contents of files get into the staging area. */

const others = { extras: { ...NO_EXTRAS, hasOtherNames: true } };
const withAttributes = (...names: string[]): Partial<Entry> => ({
  extras: {
    ...NO_EXTRAS,
    attributes: names.map((name) => ({ name, value: Buffer.from(`value of ${name}`) })),
  },
});

function attribute(member: Member, path: string, name: string): string {
  return member.in("", (parent, disk) =>
    Buffer.from(disk.readAttribute(parent, path, name) ?? "none").toString(),
  );
}

describe("further names of a file", () => {
  const link = (push: Push, where: string, ...entries: Entry[]) => push.bring(where, entries);

  test("are links to the new file, wherever they are", () => {
    const member = new Member().put({ "d/": "" });
    const push = member.push();
    link(push, "", file("a", 3, others), hardLink("b", "a"));
    link(push, "d", hardLink("c", "a"));
    push.prepare().commit();
    assert.deepEqual(
      ["a", "b", "d/c"].map((path) => member.stats(path)?.links),
      [3, 3, 3],
    );
    assert.equal(member.text("d/c"), "aaa");
  });

  test("are links to the member's own file where that is the sender's", () => {
    const member = new Member().put({ a: "aaa" });
    link(member.push(), "", file("a", 3, others), hardLink("b", "a"))
      .prepare()
      .commit();
    assert.equal(member.stats("b")?.inode, member.stats("a")?.inode);
  });

  test("are left out where the file is not there, is another one, or is no file", () => {
    const cases: readonly (readonly [Record<string, string>, Entry[]])[] = [
      [{}, [hardLink("b", "a")]],
      [{ a: "own" }, [hardLink("b", "a")]],
      [{ "a/": "" }, [directory("a"), hardLink("b", "a")]],
      [{}, [symlink("a", "x"), hardLink("b", "a")]],
    ];
    for (const [here, entries] of cases) {
      const member = new Member().put(here);
      const push = link(member.push(), "", ...entries);
      push.prepare();
      assert.deepEqual(push.findings, [
        "b: it is a hard link to a, which the member does not have, so it is left out",
      ]);
      push.commit();
      assert.equal(member.has("b"), false);
    }
  });

  test("become files of their own where no link can be made", () => {
    for (const code of ["EPERM", "EACCES", "EMLINK", "EXDEV", "EOPNOTSUPP", "ENOTSUP"]) {
      const member = new Member({ withLooks: true });
      const push = link(member.push(), "", file("a", 5_000, others), hardLink("b", "a"));
      member.memory.before = failKind("link", code);
      push.prepare();
      member.memory.before = undefined;
      assert.deepEqual(
        [...push.stage.steps()].map(({ path }) => path),
        ["a", "b"],
      );
      push.commit();
      assert.deepEqual([member.text("b"), member.stats("b")?.links], ["a".repeat(5_000), 1], code);
      assert.equal(member.stats("b")?.mtimeNs, TIME_NS);
      assert.equal(member.openHandles, 1);
    }
  });

  test("are left out where the file can be neither linked nor read", () => {
    const member = new Member().put({ a: "aaa" });
    const push = link(member.push(), "", file("a", 3, others), hardLink("b", "a"));
    member.memory.before = (call) => {
      failKind("link", "EPERM")(call);
      failKind("openFile", "EACCES", "a")(call);
    };
    push.prepare();
    assert.deepEqual(push.findings, ["b: it can be neither a link to a nor a copy of it, so it is left out"]);
  });

  test("end the transfer where the disk fails", () => {
    const member = new Member();
    const push = link(member.push(), "", file("a", 3, others), hardLink("b", "a"));
    member.memory.before = failKind("link", "EIO");
    assert.throws(() => push.prepare(), { code: "EIO" });
  });

  test("of a directory that is brought go with it, and are not moved by themselves", () => {
    const member = new Member();
    const push = member.push();
    link(push, "", directory("d"));
    link(push, "d", file("a", 3, others), hardLink("b", "d/a"), symlink("l", "a"), file("z", 0));
    push.prepare();
    member.disk.lines.length = 0;
    push.commit();
    const renames = member.disk.lines.filter((line) => /^rename .*tree/.test(line));
    assert.deepEqual(renames.slice(0, 1), ["rename .makuosan/t-1/tree/d -> d"]);
    assert.equal(renames.filter((line) => line.includes("tree/d/")).length, 0);
    assert.deepEqual(member.tree(), { "d/": "", "d/a": "aaa", "d/b": "aaa", "d/l": "-> a", "d/z": "" });
  });
});

describe("special files", () => {
  const device = (type: EntryType, major = 8, minor = 3, extras: Partial<Entry> = {}) =>
    entry(type, "s", { extras: { ...NO_EXTRAS, device: { major, minor } }, ...extras });

  test("are made with their device numbers, their owner and their mode", () => {
    for (const [type, check] of [
      [EntryType.blockDevice, "isBlockDevice"],
      [EntryType.characterDevice, "isCharacterDevice"],
      [EntryType.fifo, "isFIFO"],
    ] as const) {
      const member = new Member();
      const isFifo = type === EntryType.fifo;
      const more = { metadata: meta(0o666, { user: { id: 4, name: "" }, group: { id: 5, name: "" } }) };
      member
        .push()
        .bring("", [isFifo ? entry(type, "s", more) : device(type, 8, 3, more)])
        .prepare()
        .commit();
      assert.equal(member.stats("s")?.[check](), true);
      assert.equal(member.rights("s"), "666 4:5");
      assert.equal(member.stats("s")?.deviceId, isFifo ? 0 : 8 * 0x10_0000 + 3);
      assert.equal(member.stats("s")?.mtimeNs, TIME_NS);
    }
  });

  test("that cannot be made here are left out with a note; the rest goes on", () => {
    for (const [type, code] of [
      [EntryType.fifo, "ENOSYS"],
      [EntryType.blockDevice, "ENOSYS"],
      [EntryType.blockDevice, "EPERM"],
      [EntryType.characterDevice, "EPERM"],
      [EntryType.characterDevice, "EINVAL"],
    ] as const) {
      const member = new Member();
      member.memory.before = failKind("makeSpecial", code);
      const push = member.push();
      const plan = push.entries("", [type === EntryType.fifo ? entry(type, "s") : device(type)]);
      assert.equal(plan.wants.count(), 0);
      assert.deepEqual(push.findings, ["s: this member cannot make it, so it is left out"]);
      assert.deepEqual(push.stage.totals, { entries: 0, bytes: 0 });
      push
        .bring("", [file("a", 1)])
        .prepare()
        .commit();
      assert.deepEqual(member.tree(), { a: "a" });
    }
  });

  test("end the transfer where the disk fails", () => {
    for (const [type, code] of [
      [EntryType.fifo, "EPERM"],
      [EntryType.fifo, "EINVAL"],
      [EntryType.blockDevice, "EIO"],
    ] as const) {
      const member = new Member();
      member.memory.before = failKind("makeSpecial", code);
      assert.throws(
        () => member.push().entries("", [type === EntryType.fifo ? entry(type, "s") : device(type)]),
        { code },
      );
    }
  });
});

describe("extended attributes", () => {
  test("are those of the sender: others are removed, but those of the host", () => {
    const member = new Member().put({ f: "f", "d/": "", p: "p" });
    for (const path of ["f", "d"])
      member.in("", (root, disk) => {
        disk.setAttribute(root, path, "user.old", Buffer.from("old"));
        disk.setAttribute(root, path, "security.selinux", Buffer.from("label"));
      });
    const push = member.push();
    push.entries("", [
      file("f", 1, withAttributes("user.a", "security.selinux")),
      directory("d", withAttributes("user.a")),
      file("p", 1),
    ]);
    push.prepare().commit();
    for (const path of ["f", "d"]) {
      assert.equal(attribute(member, path, "user.a"), "value of user.a");
      assert.equal(attribute(member, path, "user.old"), "none");
    }
    for (const path of ["d", "f"])
      assert.equal(attribute(member, path, "security.selinux"), "label", "never the sender's");
  });

  test("of links, FIFOs and new directories are set, too", () => {
    const member = new Member();
    const push = member.push();
    push.entries("", [
      symlink("l", "x", withAttributes("trusted.a")),
      entry(EntryType.fifo, "p", withAttributes("trusted.a")),
      directory("d", withAttributes("user.a")),
    ]);
    push.prepare().commit();
    for (const [path, name] of [
      ["l", "trusted.a"],
      ["p", "trusted.a"],
      ["d", "user.a"],
    ] as const)
      assert.equal(attribute(member, path, name), `value of ${name}`);
  });

  test("that cannot be set are told once for each entry, and the rest goes on", () => {
    const member = new Member();
    member.memory.before = failKind("setAttribute", "ENOSPC");
    const push = member.push();
    push.bring("", [
      file("f", 1, withAttributes("user.a", "user.b")),
      directory("d", withAttributes("user.a")),
      symlink("l", "x", withAttributes("user.a")),
    ]);
    push.prepare();
    assert.deepEqual(push.findings, [
      "l: its extended attribute user.a cannot be set: no space left on the device",
      "f: its extended attribute user.a cannot be set: no space left on the device",
      "d: its extended attribute user.a cannot be set: no space left on the device",
    ]);
    push.commit();
    assert.deepEqual(member.tree(), { "d/": "", f: "f", l: "-> x" });
  });

  test("that cannot be listed or removed are told", () => {
    for (const [kind, words] of [
      ["listAttributes", "its extended attribute list cannot be set: "],
      ["removeAttribute", "its extended attribute user.old cannot be set: "],
    ] as const) {
      const member = new Member().put({ "d/": "" });
      member.in("", (root, disk) => disk.setAttribute(root, "d", "user.old", Buffer.from("old")));
      const push = member.push();
      push.entries("", [directory("d", withAttributes("user.a"))]);
      push.prepare();
      member.memory.before = failKind(kind, "EIO");
      const failure = push.stage.commit();
      assert.equal(failure?.code, "attribute");
      assert.equal(failure.path, "d");
      assert.ok(words.includes(`attribute ${failure.args[0]} cannot`));
      assert.equal(attribute(member, "d", "user.a"), "value of user.a");
    }
  });

  test("on a host without them are told where there are any", () => {
    const member = new Member({ hasAttributes: false });
    const push = member.push();
    push.bring("", [file("f", 1, withAttributes("user.a")), file("g", 1, withAttributes())]);
    push.prepare();
    assert.deepEqual(push.findings, ["f: extended attributes cannot be set on this host"]);
    push.commit();
  });
});

test("a directory that is announced twice is made once; something else in its place ends the transfer", () => {
  const member = new Member();
  const push = member.push();
  push.entries("", [entry(EntryType.passage, "d"), directory("d", { metadata: meta(0o700) })]);
  push.prepare().commit();
  assert.deepEqual(member.tree(), { "d/": "" });
  const second = new Member().push();
  assert.throws(() => second.entries("", [symlink("e", "x"), directory("e")]), { code: "EEXIST" });
  const third = new Member();
  third.memory.before = failKind("makeDirectory", "ENOSPC", "e");
  assert.throws(() => third.push().entries("", [directory("e")]), { code: "ENOSPC" });
});
