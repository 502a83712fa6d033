import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { finish } from "../../../src/base/steps.ts";
import { recover } from "../../../src/tree/apply/recovery.ts";
import { sentenceOf } from "../../../src/base/reason.ts";
import { Leftovers } from "../../../src/tree/apply/leftovers.ts";
import { DiskError } from "../../disk/disk-error.ts";
import { failKind } from "../../disk/faults.ts";
import { carryOut } from "../../support/staging.ts";
import { directory, file, Member, symlink } from "./member.ts";

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
  assert.throws(() => finish(push.stage.clean()), { code: "EROFS" });
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
    assert.throws(() => finish(first.stage.clean()), { code: "EIO" });
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

test("an area that could neither be begun nor be removed is told, and goes with the next transfer", () => {
  const member = new Member();
  member.memory.before = (call) => {
    if (call.name === "journal" && call.kind === "makeFile") member.memory.setReadOnly(true);
  };
  const push = member.push("t-1");
  assert.throws(() => push.bring("", [file("a", 1)]), { code: "EROFS" });
  assert.throws(() => finish(push.stage.clean()), { code: "EROFS" });
  const leftovers = new Leftovers();
  leftovers.add("t-1");
  leftovers.tryAgain(member.base, member.rules);
  assert.equal(member.has(".makuosan/t-1"), true);
  member.memory.setReadOnly(false);
  leftovers.tryAgain(member.base, member.rules);
  assert.equal(member.has(".makuosan"), false);
});

test("an area of another user is not removed", () => {
  const member = new Member();
  const push = member.push("t-1").bring("", [file("a", 1)]);
  member.in(".makuosan", (root, disk) => disk.setOwner(root, "t-1", 1000, 1000));
  const leftovers = new Leftovers();
  leftovers.add("t-1");
  leftovers.tryAgain(member.base, member.rules);
  assert.equal(member.has(".makuosan/t-1/journal"), true);
  finish(push.stage.clean());
});

describe("an entry that cannot be deleted, though nothing has said so before,", () => {
  const HERE = { "old/a": "a", "old/in/b": "b", "site/up": "u", "site/in/down": "d", was: "w", keep: "k" };
  const stuck =
    (...names: readonly string[]) =>
    ({ kind, name }: { kind: string; name: string }) => {
      if (kind === "unlink" && names.includes(name)) throw new DiskError("EPERM", kind);
    };
  const prepared = (member: Member) => {
    const push = member.push();
    push.plan({ terms: { isForced: true } });
    const entries = [file("keep", 2), symlink("site", "elsewhere"), directory("was")];
    return push.bring("", entries, { isComplete: true }).prepare();
  };
  const textOf = (push: ReturnType<typeof prepared>) => {
    const failure = carryOut(push.stage);
    return failure === undefined ? "" : sentenceOf(failure);
  };

  test("is in its directory again, and nothing is left over", () => {
    const member = new Member().put(HERE);
    const push = prepared(member);
    member.memory.before = stuck("b");
    assert.equal(textOf(push), "all is new but old/in/b: the operation is not permitted");
    finish(push.stage.clean());
    assert.deepEqual(member.tree(), {
      keep: "kk",
      "old/": "",
      "old/in/": "",
      "old/in/b": "b",
      site: "-> elsewhere",
      "was/": "",
    });
    member.memory.before = undefined;
    const again = member.push("t-2");
    again.plan({ terms: { isForced: true } });
    again
      .bring("", [file("keep", 2), symlink("site", "elsewhere"), directory("was")], { isComplete: true })
      .prepare();
    again.commit();
    assert.equal(member.has("old"), false, "the next push deletes it");
  });

  for (const canExchange of [true, false])
    test(`is beside a new entry of its name, ${canExchange ? "with" : "without"} an exchange`, () => {
      const member = new Member({ canExchange }).put(HERE);
      const push = prepared(member);
      member.memory.before = stuck("down");
      assert.equal(
        textOf(push),
        "all is new but site/in/down: it could not be deleted, so it is kept as site.kept-1/in/down: " +
          "the operation is not permitted",
      );
      finish(push.stage.clean());
      assert.equal(member.text("site.kept-1/in/down"), "d");
      assert.equal(member.has(".makuosan"), false);
    });

  test("stays in the staging area if it cannot go back either, and is told with its place", () => {
    const member = new Member().put(HERE);
    const push = prepared(member);
    member.memory.before = (call) => {
      stuck("b")(call);
      if (call.kind === "rename" && /^discarded/.test(call.name)) throw new DiskError("EIO", call.kind);
    };
    assert.match(
      textOf(push),
      /^all is new but old\/in\/b: it could not be deleted, and stays in \.makuosan\/t-1\/discarded-step\d+: the disk/,
    );
    member.memory.before = stuck("b");
    assert.throws(() => finish(push.stage.clean()), { code: "EPERM" });
    assert.match(
      sentenceOf(recover(member.base, member.rules)[0]!.failure!),
      /^\.makuosan\/\S+b: the operation is not permitted$/,
    );
    member.memory.before = undefined;
    assert.deepEqual(recover(member.base, member.rules), []);
    assert.equal(member.has(".makuosan"), false);
  });

  test("is left where it is if it was marked after the plan", () => {
    for (const [marked, way, name] of [
      ["old/in/b", "old/in", "b"],
      ["site/up", "site", "up"],
      ["was", "", "was"],
    ] as const) {
      const member = new Member().put(HERE);
      const push = prepared(member);
      member.in(way, (parent, disk) => disk.mark(parent, name, { isImmutable: true }));
      assert.equal(
        textOf(push),
        `all is new but ${marked}: it is marked as immutable on this member: 'chattr -i' takes the mark away`,
      );
      finish(push.stage.clean());
      assert.equal(member.has(".makuosan"), false);
      const top = marked.split("/")[0];
      for (const path of Object.keys(HERE))
        if (path.split("/")[0] === top) assert.equal(member.has(path), true, path);
    }
  });
});
