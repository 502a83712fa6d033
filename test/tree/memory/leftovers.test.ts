import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { recover } from "../../../src/tree/apply/recovery.ts";
import { DiskError } from "../../disk/disk-error.ts";
import { failKind } from "../../disk/faults.ts";
import { file, Member } from "./member.ts";

/** Areas that a transfer could not remove, or could not even begin. */

/** A member that has a failed commit: its disk became read-only after the first rename, and is writable again. */
function failedCommit(): Member {
  const member = new Member().put({ a: "a", b: "b" });
  const push = member.push("t-1").bring("", [file("a", 2), file("b", 2)]);
  push.prepare();
  member.memory.before = ({ kind, name }) => {
    if (kind === "rename" && name === "b") member.memory.setReadOnly(true);
  };
  assert.equal(push.stage.commit()?.code, "EROFS");
  assert.throws(() => push.stage.clean(), { code: "EROFS" });
  member.memory.before = undefined;
  member.memory.setReadOnly(false);
  assert.equal(member.has(".makuosan/t-1/commit"), true);
  return member;
}

describe("a commit that has failed", () => {
  test("does not come back over newer files at the next start", () => {
    const member = failedCommit();
    const push = member.push("t-2").bring("", [file("b", 3)]);
    assert.equal(member.has(".makuosan/t-1/commit"), false);
    push.prepare();
    push.commit();
    assert.deepEqual(recover(member.base, member.rules), []);
    assert.deepEqual(member.tree(), { a: "aa", b: "bbb" });
  });

  test("does not come back over those of a transfer that was ready before it failed", () => {
    const member = new Member().put({ a: "a" });
    const later = member.push("t-2").bring("", [file("a", 3)]);
    later.prepare();
    const first = member.push("t-1").bring("", [file("a", 2)]);
    first.prepare();
    member.memory.before = failKind("rename", "EIO", "commit");
    assert.equal(first.stage.commit()?.code, "not-durable");
    member.memory.before = failKind("unlink", "EIO");
    assert.throws(() => first.stage.clean(), { code: "EIO" });
    const failure = later.stage.commit();
    assert.deepEqual([failure?.code, failure?.when], ["EIO", "before"]);
    member.memory.before = undefined;
    later.commit();
    assert.deepEqual(recover(member.base, member.rules), []);
    assert.deepEqual(member.tree(), { a: "aaa" });
  });

  test("is finished by a start that comes before anything new", () => {
    const member = failedCommit();
    assert.equal(recover(member.base, member.rules).length, 1);
    assert.deepEqual(member.tree(), { a: "aa", b: "bb" });
  });

  test("of another user is left alone", () => {
    const member = failedCommit();
    member.in(".makuosan", (root, disk) => disk.setOwner(root, "t-1", 1000, 1000));
    member.push("t-2").bring("", [file("b", 3)]);
    assert.equal(member.has(".makuosan/t-1/commit"), true);
  });
});

test("an area that could not be begun is removed at once", () => {
  for (const name of ["tree", "journal", "changes"]) {
    const member = new Member();
    let isFull = false;
    member.memory.before = (call) => {
      if (call.name === name && (call.kind === "makeDirectory" || call.kind === "makeFile")) {
        isFull = true;
        throw new DiskError("ENOSPC", call.kind);
      }
    };
    const push = member.push("t-1", { listsChanges: true });
    assert.throws(() => push.bring("", [file("a", 1)]), { code: "ENOSPC" });
    assert.ok(isFull, name);
    assert.equal(member.has(".makuosan"), false, name);
  }
});
