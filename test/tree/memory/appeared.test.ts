import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { finish } from "../../../src/base/steps.ts";
import { sentenceOf } from "../../../src/base/reason.ts";
import { SeededRandom } from "../../../src/base/random.ts";
import { recover } from "../../../src/tree/apply/recovery.ts";
import { Directories } from "../../../src/tree/disk/directories.ts";
import type { MemoryDisk } from "../../disk/memory-disk.ts";
import { PowerFailure, stopAt } from "../../disk/faults.ts";
import { file, Member, type MemberOptions, type Push, symlink } from "./member.ts";

/** Entries that appear in a directory after a transfer has looked at it, and before the transfer deletes it. */

const HERE = { "old/a": "a", "old/in/b": "b", "site/up": "u", keep: "k" };
const GOES = ["old/a", "old/in/b", "site/up"];

/** A push that deletes `old`, and replaces `site` by a link. */
function prepared(member: Member): Push {
  const push = member.push();
  push.plan({ terms: { isForced: true } });
  push.bring("", [file("keep", 2), symlink("site", "elsewhere")], { isComplete: true }).prepare();
  return push;
}

const textOf = (push: Push) => {
  const failure = push.stage.commit();
  return failure === undefined ? "" : sentenceOf(failure);
};
const LATE = "appeared in it on this member during the transfer, so it stays as it was: push again";

describe("what appears in a directory that goes", () => {
  for (const canExchange of [true, false]) {
    for (const late of ["old/upload", "old/in/deeper/x", "site/local.conf"]) {
      test(`stays with it, and is told: ${late}, ${canExchange ? "with" : "without"} an exchange`, () => {
        const member = new Member({ canExchange }).put(HERE);
        const push = prepared(member);
        member.put({ [late]: "mine" });
        const [top = ""] = late.split("/");
        assert.match(textOf(push), new RegExp(`^all is new but ${top}: ${top}/\\S+ ${LATE}$`));
        finish(push.stage.clean());
        const tree = member.tree();
        assert.equal(tree[late], "mine");
        for (const path of GOES) assert.equal(path in tree, path.startsWith(top), path);
        assert.equal(tree["keep"], "kk");
        assert.equal(member.has(".makuosan"), false);
      });
    }
  }

  test("is no matter where something else has vanished, or only changed", () => {
    const member = new Member().put(HERE);
    const push = prepared(member);
    member.in("old", (old, disk) => disk.unlink(old, "a"));
    member.put({ "site/down": "d" });
    member.in("site", (site, disk) => disk.rename(site, "down", site, "up"));
    push.commit();
    assert.deepEqual(member.tree(), { keep: "kk", site: "-> elsewhere" });
  });

  test("brings back a directory that had just left its place", () => {
    for (const path of ["old", "site"]) {
      const member = new Member().put(HERE);
      const push = prepared(member);
      let isDone = false;
      // The last moment: the look is over, and the directory is about to be moved.
      member.memory.before = ({ kind, name }) => {
        if (isDone || name !== path || (kind !== "exchange" && !(kind === "rename" && path === "old")))
          return;
        isDone = true;
        member.put({ [`${path}/upload`]: "mine" });
      };
      assert.equal(textOf(push), `all is new but ${path}: ${path}/upload ${LATE}`);
      assert.ok(isDone);
      finish(push.stage.clean());
      assert.equal(member.text(`${path}/upload`), "mine");
      assert.equal(member.has(path === "old" ? "old/in/b" : "site/up"), true);
    }
  });

  test("brings back a directory in which a file has just become a directory with something in it", () => {
    const member = new Member().put(HERE);
    const push = prepared(member);
    member.memory.before = ({ kind, name }) => {
      if (kind !== "rename" || name !== "old" || member.has("old/a/mine")) return;
      member.in("old", (old, disk) => disk.unlink(old, "a"));
      member.put({ "old/a/mine": "mine" });
    };
    assert.equal(textOf(push), `all is new but old: old/a/mine ${LATE}`);
    finish(push.stage.clean());
    assert.equal(member.text("old/a/mine"), "mine");
  });

  test("survives a crash at any moment of the switch, and a second one in the recovery", () => {
    for (const model of ["ordered", "unordered"] as const)
      for (let change = 1; crashed({ crashModel: model }, change); change++);
  });
});

/** @returns false if the commit was over before */
function crashed(options: MemberOptions, change: number): boolean {
  const member = new Member(options).put(HERE);
  const push = prepared(member);
  member.put({ "old/upload": "mine", "site/local.conf": "conf" });
  member.memory.settle();
  member.memory.before = stopAt(member.memory.changes + change);
  try {
    push.stage.commit();
    finish(push.stage.clean());
    return false;
  } catch (error) {
    if (!(error instanceof PowerFailure)) throw error;
  }
  for (let seed = 1; seed <= 3; seed++) {
    const disk = member.memory.crash(new SeededRandom(seed));
    disk.before = stopAt(disk.changes + seed);
    const again = recovered(disk, member) ? disk : disk.crash(new SeededRandom(seed));
    again.before = undefined;
    if (again !== disk) recovered(again, member);
    for (const path of ["old/upload", "site/local.conf"])
      assert.ok(hasFile(again, path), `${path}, change ${change}, seed ${seed}`);
  }
  return true;
}

function recovered(disk: MemoryDisk, { rules }: Member): boolean {
  try {
    recover(Directories.at(disk, "/"), rules);
    return true;
  } catch (error) {
    if (error instanceof PowerFailure) return false;
    throw error;
  }
}

function hasFile(disk: MemoryDisk, path: string): boolean {
  const tree = Directories.at(disk, "/");
  const stats = tree.stat(path);
  tree.close();
  return stats?.isFile() === true;
}

describe("a directory that the file system does not move", () => {
  test("is deleted entry by entry, and replaced", () => {
    for (const canExchange of [true, false]) {
      const member = new Member({ canExchange }).put(HERE);
      for (const name of ["old", "site"])
        member.in("", (root, disk) => disk.mark(root, name, { isLower: true }));
      member.in("old", (old, disk) => disk.mark(old, "in", { isLower: true }));
      prepared(member).commit();
      assert.deepEqual(member.tree(), { keep: "kk", site: "-> elsewhere" });
    }
  });

  test("stays for what has appeared in it", () => {
    const member = new Member().put(HERE);
    member.in("", (root, disk) => disk.mark(root, "old", { isLower: true }));
    const push = prepared(member);
    member.put({ "old/in/upload": "mine" });
    assert.equal(textOf(push), `all is new but old: old/in/upload ${LATE}`);
    assert.equal(member.text("old/a"), "a");
  });
});
