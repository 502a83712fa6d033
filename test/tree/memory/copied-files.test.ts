import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { failKind } from "../../disk/faults.ts";
import { content, file, Member, meta, TIME_NS } from "./member.ts";

/** Files that a member has already, and that only get other attributes. */

const AREA = ".makuosan/t-1/tree/";

describe("a file that only gets other attributes", () => {
  const closed = { metadata: meta(0o600) };

  test("is copied, with its holes, and nothing is asked for", () => {
    const member = new Member();
    member.in("", (root, disk) => {
      const made = disk.makeFile(root, "f", 0o644);
      disk.write(made, Buffer.alloc(4096, "x"), 8192);
      disk.truncate(made, 30_000);
      disk.setFileTime(made, TIME_NS);
      disk.closeFile(made);
    });
    const push = member.push();
    const plan = push.entries("", [file("f", 30_000, closed)]);
    assert.deepEqual([...(plan.differences ?? [])], [8]);
    assert.equal(push.stage.totals.bytes, 0);
    push.prepare().commit();
    assert.deepEqual(
      [member.rights("f"), member.stats("f")?.size, member.stats("f")?.blocks],
      ["600 0:0", 30_000, 8],
    );
    assert.equal(member.text("f").slice(8192, 12_288), "x".repeat(4096));
  });

  test("keeps its own extended attributes, but capabilities only with its owner", () => {
    for (const [more, keeps] of [
      [{}, true],
      [{ group: { id: 7, name: "" } }, false],
    ] as const) {
      const member = new Member().put({ f: "hello" });
      const names = ["user.note", "trusted.note", "security.selinux", "security.capability", "security.ima"];
      member.in("", (root, disk) => {
        for (const name of names) disk.setAttribute(root, "f", name, Buffer.from(name));
      });
      const push = member.push();
      assert.equal(push.entries("", [file("f", 5, { metadata: meta(0o600, more) })]).differences?.length, 1);
      push.prepare().commit();
      assert.deepEqual(push.findings, []);
      const kept = member.in("", (root, disk) => disk.listAttributes(root, "f"));
      const expected = names.slice(0, keeps ? 4 : 3);
      assert.deepEqual(kept.sort(), expected.sort());
    }
  });

  test("tells an own attribute that it cannot keep, but not the label of a security module", () => {
    const member = new Member().put({ f: "hello" });
    member.in("", (root, disk) => {
      for (const name of ["user.note", "security.selinux"])
        disk.setAttribute(root, "f", name, Buffer.from("x"));
    });
    member.memory.before = failKind("setAttribute", "EPERM");
    const push = member.push();
    push.entries("", [file("f", 5, closed)]);
    assert.deepEqual(push.findings, [
      "f: its extended attribute user.note cannot be set: the operation is not permitted",
    ]);
  });

  test("is copied whole where holes cannot be told", () => {
    const member = new Member({ canFindHoles: false }).put({ f: "x".repeat(10_000) });
    member
      .push()
      .bring("", [file("f", 10_000, closed)])
      .prepare()
      .commit();
    assert.deepEqual([member.text("f"), member.rights("f")], ["x".repeat(10_000), "600 0:0"]);
  });

  test("is asked for where it cannot be read, is gone, or is a link by now", () => {
    for (const code of ["EACCES", "EPERM", "ENOENT", "ELOOP"]) {
      const member = new Member().put({ f: "hello" });
      member.memory.before = failKind("openFile", code, "f");
      const push = member.push();
      assert.equal(push.entries("", [file("f", 5, closed)]).wants.get(0), true);
      assert.equal(member.has(`${AREA}f`), false);
      member.memory.before = undefined;
      push.send(content(0, "HELLO")).prepare().commit();
      assert.deepEqual([member.text("f"), member.rights("f")], ["HELLO", "600 0:0"]);
    }
    const member = new Member().put({ f: "hello" });
    member.memory.before = failKind("openFile", "EIO", "f");
    assert.throws(() => member.push().entries("", [file("f", 5, closed)]), { code: "EIO" });
  });

  test("that changes while it is copied is asked for, and no copy is left", () => {
    const change = (text: string, time: bigint) => (member: Member) =>
      member.in("", (root, disk) => {
        const opened = disk.openFile(root, "f", "write");
        disk.truncate(opened, 0);
        disk.write(opened, Buffer.from(text), 0);
        disk.setFileTime(opened, time);
        disk.closeFile(opened);
      });
    for (const [changed, isAsked] of [
      [change("HELLO", TIME_NS + 1n), true],
      [change("hell", TIME_NS), true],
      [change("hello!", TIME_NS), true],
      [change("hello", TIME_NS), false],
    ] as const) {
      const member = new Member({ withLooks: true }).put({ f: "hello" });
      // The file is changed when its first piece has been written.
      member.memory.before = ({ kind }) => {
        if (kind !== "write") return;
        member.memory.before = undefined;
        changed(member);
      };
      const push = member.push();
      const plan = push.entries("", [file("f", 5, closed)]);
      // If nothing is copied, the sender sends all that is wanted.
      assert.deepEqual([plan.wants.get(0), plan.differences?.[0]], [true, isAsked ? undefined : 8]);
      assert.equal(member.has(`${AREA}f`), !isAsked);
      const calls = member.disk.lines.filter((line) => /^(close-file|unlink) .*tree/.test(line));
      assert.deepEqual(calls, [`close-file ${AREA}f`, ...(isAsked ? [`unlink ${AREA}f`] : [])]);
    }
  });

  test("is copied in pieces, between which others have their turn", () => {
    const member = new Member({ withLooks: true });
    const size = 9 * 1024 * 1024;
    member.in("", (root, disk) => {
      const made = disk.makeFile(root, "f", 0o644);
      disk.write(made, Buffer.alloc(size, "x"), 0);
      disk.setFileTime(made, TIME_NS);
      disk.closeFile(made);
    });
    member.push().entries("", [file("f", size, closed)]);
    const writes = member.disk.lines.filter((line) => line.startsWith("write"));
    assert.deepEqual(writes, [
      `write ${AREA}f 4194304 at 0`,
      `write ${AREA}f 4194304 at 4194304`,
      `write ${AREA}f 1048576 at 8388608`,
    ]);
    assert.equal(member.disk.lines.filter((line) => line === "close-file f").length, 1);
  });
});
