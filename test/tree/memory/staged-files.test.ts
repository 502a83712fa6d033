import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { finish } from "../../../src/base/steps.ts";
import { ITSELF } from "../../../src/tree/disk/disk.ts";
import { StageError } from "../../../src/tree/reasons/stage-error.ts";
import type { Entry } from "../../../src/wire/entry.ts";
import { DiskError } from "../../disk/disk-error.ts";
import { failKind } from "../../disk/faults.ts";
import { content, file, hole, Member, meta, TIME_NS, withdrawal } from "./member.ts";

/** How contents get into the staging area. */

const AREA = ".makuosan/t-1/tree/";

describe("contents", () => {
  test("come in pieces of any order, and the file is complete with the last byte", () => {
    const member = new Member();
    const push = member.push();
    push.entries("", [file("a", 6)]);
    push.send(content(0, "cc", 4)).send(content(0, "aa"));
    assert.throws(
      () => push.prepare(),
      (error) =>
        error instanceof StageError && error.reason.code === "incomplete" && error.reason.args[0] === "1",
    );
    push.send(content(0, "b", 2));
    assert.throws(() => push.prepare(), StageError, "a byte is missing");
    push
      .send(content(0, "b", 3))
      .prepare()
      .commit();
    assert.deepEqual(member.tree(), { a: "aabbcc" });
    assert.equal(member.stats("a")?.mtimeNs, TIME_NS);
  });

  test("of an entry that is not wanted, or after its end, are skipped", () => {
    const member = new Member().put({ same: "same" });
    const push = member.push();
    push.entries("", [file("same", 4), file("a", 4)]);
    push.send(
      content(0, "evil"),
      content(7, "evil"),
      content(1, "evil", 1),
      hole(1, 2, 3),
      content(1, "good"),
    );
    push.send(content(1, "late"));
    push.prepare().commit();
    assert.deepEqual(member.tree(), { a: "good", same: "same" });
    const nothing = member.push("t-2");
    nothing.send(content(0, "x"), withdrawal(0));
    nothing.prepare().commit();
  });

  test("of an empty file do not have to come", () => {
    const member = new Member();
    member
      .push()
      .bring("", [file("empty", 0, { metadata: meta(0o640) })])
      .prepare()
      .commit();
    assert.equal(member.rights("empty"), "640 0:0");
  });

  test("may be holes, at any place", () => {
    const member = new Member();
    const push = member.push();
    push.entries("", [file("a", 3 * 4096), file("h", 50_000), file("z", 2 * 4096)]);
    push.send(hole(0, 0, 4096), content(0, "m".repeat(4096), 4096), hole(0, 8192, 4096));
    push.send(hole(1, 0, 50_000), content(2, "z".repeat(4096)), hole(2, 4096, 4096));
    assert.equal(push.stage.totals.bytes, 3 * 4096 + 50_000 + 2 * 4096);
    push.prepare().commit();
    assert.equal(member.text("a"), `${"\0".repeat(4096)}${"m".repeat(4096)}${"\0".repeat(4096)}`);
    assert.deepEqual([member.stats("a")?.blocks, member.stats("h")?.blocks], [8, 0]);
    assert.equal(member.stats("h")?.size, 50_000);
  });

  test("of more than 64 files may come in turns: the one that was open longest is opened again later", () => {
    const member = new Member({ withLooks: true });
    const push = member.push();
    push.entries(
      "",
      Array.from({ length: 66 }, (_, index) => file(`f${String(index).padStart(2, "0")}`, 4)),
    );
    member.disk.lines.length = 0;
    const filesOpen = () =>
      member.disk.lines.filter((line) => /^(make|open)-file /.test(line)).length -
      member.disk.lines.filter((line) => line.startsWith("close-file")).length;
    for (let index = 0; index < 64; index++) push.send(content(index, "ab"));
    assert.equal(filesOpen(), 64);
    push.send(content(64, "ab"));
    assert.equal(filesOpen(), 64);
    assert.ok(member.disk.lines.includes(`close-file ${AREA}f00`), "the first was open longest");
    member.disk.lines.length = 0;
    push.send(content(0, "cd", 2));
    const calls = member.disk.lines.filter((line) => !/^(stat|open-directory|close-directory)/.test(line));
    assert.deepEqual(calls.slice(0, 3), [
      `close-file ${AREA}f01`,
      `open-file ${AREA}f00 write`,
      `write ${AREA}f00 2 at 2`,
    ]);
    for (let index = 1; index < 65; index++) push.send(content(index, "cd", 2));
    push.send(content(65, "abcd")).prepare();
    push.commit();
    assert.ok(Object.values(member.tree()).every((text) => text === "abcd"));
    assert.equal(Object.keys(member.tree()).length, 66);
  });

  test("that nobody waits for any more are closed with the transfer", () => {
    const member = new Member({ withLooks: true });
    const push = member.push("t-1", { listsChanges: true });
    push.entries("", [file("a", 4), file("b", 4)]);
    push.send(content(0, "a"), content(1, "b"));
    assert.deepEqual([...push.stage.steps()], [], "it is not ready");
    finish(push.stage.clean());
    finish(push.stage.clean());
    assert.equal(member.openHandles, 1);
    assert.deepEqual(member.tree(), {});
  });

  test("that are withdrawn leave what is there, and are not said to change", () => {
    const member = new Member({ withLooks: true }).put({ a: "old", b: "old" });
    const push = member.push("t-1", { listsChanges: true });
    push.entries("", [file("a", 4), file("b", 4), file("c", 4), file("z", 0)]);
    push.send(
      content(0, "aa"),
      withdrawal(0),
      withdrawal(1),
      withdrawal(9),
      content(1, "late"),
      content(2, "cccc"),
    );
    push.send(withdrawal(2));
    assert.equal(member.has(`${AREA}a`), false);
    const calls = member.disk.lines.filter((line) => /^(close-file|unlink) .*tree/.test(line));
    assert.deepEqual(calls.slice(1, 3), [`close-file ${AREA}a`, `unlink ${AREA}a`]);
    push.prepare();
    assert.equal(push.stage.isListed, true);
    assert.equal(member.text(".makuosan/t-1/changes"), "c\0z\0");
    push.commit();
    assert.deepEqual(member.tree(), { a: "old", b: "old", c: "cccc", z: "" });
  });

  test("of the only file that is withdrawn are not said to change", () => {
    const member = new Member();
    const push = member.push("t-1", { listsChanges: true });
    push.entries("", [file("a", 4), file("z", 0)]);
    push.send(withdrawal(0)).prepare();
    assert.equal(member.text(".makuosan/t-1/changes"), "z\0");
  });

  test("are written on where the disk takes a part of them, and end the transfer where it takes none", () => {
    const member = new Member({ capacityBytes: 40_960 });
    const push = member.push();
    push.entries("", [file("a", 20_000)]);
    member.memory.setCapacity(20_000);
    assert.throws(() => push.send(content(0, "a".repeat(20_000))), { code: "ENOSPC" });
    finish(push.stage.clean());
  });
});

describe("room", () => {
  const free = (member: Member) => member.in("", (root, disk) => disk.fileSystemOf(root).freeBytes);

  test("is needed for what has not been written yet, to the byte", () => {
    const member = new Member({ capacityBytes: 200_000 });
    const push = member.push().bring("", [file("a", 10)]);
    push.entries("", [file("b", free(member))]);
    assert.throws(() => push.entries("", [file("c", 1)]), StageError);
    const full = new Member({ capacityBytes: 0 }).push("t-1", { dryRun: true });
    assert.throws(() => full.entries("", [file("a", 1)]), StageError);
  });

  test("is not asked for where nothing needs any", () => {
    const member = new Member({ withLooks: true }).put({ same: "s" });
    const push = member.push("t-1", { dryRun: true });
    push.entries("", [file("same", 1)]);
    assert.equal(
      member.disk.lines.some((line) => line.startsWith("file-system-of")),
      false,
    );
  });
});

test("files of one mode are looked at once, and are closed when they are complete", () => {
  const member = new Member({ withLooks: true });
  const open = { metadata: meta(0o755) };
  const push = member.push();
  push.entries("", [file("a", 1, open), file("b", 1, open)]);
  member.disk.lines.length = 0;
  push.send(content(0, "a"), content(1, "b"));
  assert.deepEqual(member.disk.lines, [
    `make-file ${AREA}a 755`,
    `write ${AREA}a 1 at 0`,
    `stat-file ${AREA}a`,
    `sync-contents ${AREA}a`,
    `set-file-time ${AREA}a ${TIME_NS}`,
    `close-file ${AREA}a`,
    `make-file ${AREA}b 755`,
    `write ${AREA}b 1 at 0`,
    `sync-contents ${AREA}b`,
    `set-file-time ${AREA}b ${TIME_NS}`,
    `close-file ${AREA}b`,
  ]);
});

describe("owners and modes of files", () => {
  const rightsOf = (member: Member, ...entries: Entry[]) => {
    member.push().bring("", entries).prepare().commit();
    return entries.map(({ name }) => member.rights(name));
  };
  const owned = (user: number, group: number, mode = 0o644) => ({
    metadata: meta(mode, { user: { id: user, name: "" }, group: { id: group, name: "" } }),
  });

  test("are those of the sender, bits that make a program run as somebody else too", () => {
    const files = [
      file("a", 1, owned(5, 6)),
      file("b", 1, owned(5, 6, 0o6755)),
      file("c", 0, owned(0, 6, 0o1600)),
      file("d", 1),
    ];
    assert.deepEqual(rightsOf(new Member(), ...files), ["644 5:6", "6755 5:6", "1600 0:6", "644 0:0"]);
  });

  test("are set where the umask takes bits of the mode, for each mode by itself", () => {
    const modes = [0o644, 0o664, 0o600, 0o664, 0o666];
    const files = modes.map((mode, index) => file(`f${index}`, 1, { metadata: meta(mode) }));
    assert.deepEqual(rightsOf(new Member({ umask: 0o027 }), ...files), [
      "644 0:0",
      "664 0:0",
      "600 0:0",
      "664 0:0",
      "666 0:0",
    ]);
  });

  test("of a process without the right: its own user, one of its groups, and set-group-id only with that", () => {
    const member = new Member({
      user: 1000,
      group: 1000,
      groups: [50],
      rules: { keepOwner: false, ownGroups: new Set([1000, 50]) },
    });
    member.memory.actAs(0);
    member.in("", (root, disk) => disk.setMode(root, ITSELF, 0o777));
    member.memory.actAs(1000, 1000, [50]);
    const files = [
      file("a", 1, owned(5, 50, 0o2750)),
      file("b", 1, owned(5, 6, 0o6755)),
      file("c", 1, owned(5, 6, 0o4600)),
      file("d", 1, owned(5, 1000, 0o1660)),
    ];
    assert.deepEqual(rightsOf(member, ...files), [
      "2750 1000:50",
      "755 1000:1000",
      "600 1000:1000",
      "1660 1000:1000",
    ]);
  });

  test("where a sandbox forbids set-group-id, come without that bit from then on", () => {
    const member = new Member({ rules: { keepOwner: false, ownGroups: new Set([0, 50]) } });
    let refused = 0;
    const setFileMode = member.disk.setFileMode.bind(member.disk);
    member.disk.setFileMode = (handle, mode) => {
      if ((mode & 0o2000) !== 0) {
        refused++;
        throw new DiskError("EPERM", "fchmod");
      }
      setFileMode(handle, mode);
    };
    assert.deepEqual(
      rightsOf(member, file("a", 1, owned(0, 50, 0o2755)), file("b", 1, owned(0, 50, 0o2750))),
      ["755 0:50", "750 0:50"],
    );
    assert.equal(refused, 1);
    assert.equal(member.rules.isSetGroupIdForbidden, true);
  });

  test("go by name where that is known here", () => {
    const named = {
      metadata: meta(0o644, { user: { id: 777, name: "root" }, group: { id: 777, name: "no such group" } }),
    };
    assert.deepEqual(rightsOf(new Member(), file("a", 1, named)), ["644 0:777"]);
  });

  test("that cannot be set once end the transfer, but for a set-group-id that is forbidden", () => {
    for (const [code, keepOwner, mode] of [
      ["EIO", false, 0o2755],
      ["EPERM", true, 0o2755],
      ["EPERM", false, 0o1755],
    ] as const) {
      const member = new Member({ rules: { keepOwner, ownGroups: new Set([0, 50]) } });
      member.memory.before = (call) => {
        if (call.kind !== "setFileMode") return;
        member.memory.before = undefined;
        throw new DiskError(code, "fchmod");
      };
      assert.throws(() => rightsOf(member, file("a", 1, owned(0, 50, mode))), { code }, `${code} ${mode}`);
    }
  });

  test("that cannot be set end the transfer", () => {
    for (const [kind, code, keepOwner, mode] of [
      ["setFileMode", "EPERM", true, 0o2755],
      ["setFileMode", "EIO", false, 0o2755],
      ["setFileMode", "EPERM", false, 0o1755],
      ["setFileOwner", "EPERM", true, 0o755],
      ["setFileTime", "EIO", true, 0o755],
      ["syncContents", "EIO", true, 0o755],
    ] as const) {
      const member = new Member({ rules: { keepOwner, ownGroups: new Set([0, 50]) } });
      member.memory.before = failKind(kind, code);
      assert.throws(() => rightsOf(member, file("a", 1, owned(0, 50, mode))), { code }, `${kind} ${code}`);
    }
  });
});
