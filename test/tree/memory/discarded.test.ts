import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sentenceOf } from "../../../src/base/reason.ts";
import { recover } from "../../../src/tree/apply/recovery.ts";
import { Directories } from "../../../src/tree/disk/directories.ts";
import { removing } from "../../../src/tree/disk/remove.ts";
import { StageError } from "../../../src/tree/reasons/stage-error.ts";
import { DiskError } from "../../disk/disk-error.ts";
import { carryOut, finish } from "../../support/staging.ts";
import { directory, file, Member, type Push, reasonOf, symlink } from "./member.ts";

/** What a commit has taken out of the tree, until it is deleted. */

const HERE = { "old/a": "a", "old/in/b": "b", "site/up": "u", "site/in/down": "d", was: "w", keep: "k" };

/** A push that deletes `old`, and replaces a directory by a link and a file by a directory. */
function prepared(member: Member): Push {
  const push = member.push();
  push.plan({ terms: { isForced: true } });
  const entries = [file("keep", 2), symlink("site", "elsewhere"), directory("was")];
  return push.bring("", entries, { isComplete: true }).prepare();
}

const stuck =
  (name: string) =>
  (call: { kind: string; name: string }): void => {
    if (call.kind === "unlink" && call.name === name) throw new DiskError("EPERM", call.kind);
  };

describe("what has left the tree", () => {
  test("is deleted step by step, and other transfers begin and commit meanwhile", () => {
    const member = new Member().put(HERE);
    const push = prepared(member);
    assert.equal(push.stage.commit(), undefined);
    const steps = push.stage.clear();
    assert.equal(steps.next().done, false);
    const other = member.push("t-2").bring("", [file("old", 1)]);
    assert.equal(steps.next().done, false);
    other.prepare().commit();
    assert.equal(member.text("old"), "o");
    assert.equal(finish(steps), undefined);
    finish(push.stage.clean());
    const expected = { keep: "kk", old: "o", site: "-> elsewhere", "was/": "" };
    assert.deepEqual(member.tree(), expected);
  });

  test("comes back beside an entry that another transfer has brought meanwhile", () => {
    const member = new Member().put(HERE);
    const push = prepared(member);
    push.stage.commit();
    member
      .push("t-2")
      .bring("", [file("old", 1)])
      .prepare()
      .commit();
    member.memory.before = stuck("b");
    assert.match(
      sentenceOf(finish(push.stage.clear())!),
      /^all is new but old\/in\/b: .* kept as old\.kept-1\//,
    );
    finish(push.stage.clean());
    assert.equal(member.text("old.kept-1/in/b"), "b");
    assert.equal(member.text("old"), "o");
  });

  for (const name of ["b", "down", "was"])
    test(`comes back after a crash in the middle of it: ${name}`, () => {
      const member = new Member().put(HERE);
      prepared(member).stage.commit();
      member.memory.before = name === "was" ? stuckIn(member) : stuck(name);
      const [found] = recover(member.base, member.rules);
      assert.equal(found?.isLeft, false);
      assert.match(sentenceOf(found.failure!), /^all is new but .*: the operation is not permitted/);
      assert.equal(member.has(".makuosan"), false);
      const places = { b: "old/in/b", down: "site.kept-1/in/down", was: "was.kept-1" };
      assert.equal(member.has(places[name as keyof typeof places]), true);
      member.memory.before = undefined;
      assert.deepEqual(recover(member.base, member.rules), []);
    });

  test("is told of while the commit goes on, step by step", () => {
    const member = new Member().put(HERE);
    let signs = 0;
    const push = member.push("t-1", { onWork: () => signs++ });
    push.plan({ terms: { isForced: true } });
    push.bring("", [file("keep", 2), file("new", 1)], { isComplete: true }).prepare();
    const before = signs;
    carryOut(push.stage);
    // Two files are placed, three entries go.
    assert.ok(signs >= before + 5);
  });

  test("is finished if a transfer needs the room", () => {
    const PAGE = 4096;
    const member = new Member({ capacityBytes: 64 * PAGE }).put({ old: "o".repeat(40 * PAGE) });
    const made: string[] = [];
    const bring = (name: string, clear: () => boolean) =>
      member.push(name, { room: { ...NO_ROOM, clear } }).entries("", [file("new", 40 * PAGE)]);
    assert.equal(
      reasonOf(() => void bring("t-1", () => false)),
      ": no-space",
    );
    bring("t-2", () => {
      made.push("room");
      member.in("", (root, disk) => disk.unlink(root, "old"));
      return true;
    });
    assert.deepEqual(made, ["room"]);
  });
});

const NO_ROOM = { spare: () => ({ bytes: 0, inodes: 0 }), giveUp: () => false };

describe("removing", () => {
  /** Removes a path of a member as something that may have to stay. Returns the path of the first failure. */
  const remove = (member: Member, path: string, options = {}) => {
    const tree = Directories.at(member.disk, "/");
    const failure = finish(removing(tree, path, options));
    tree.close();
    return failure;
  };

  test("takes everything but what cannot go, and the way to it", () => {
    const member = new Member().put({ "d/a/x": "x", "d/a/y": "y", "d/b/z": "z", "d/f": "f", "d/c/": "" });
    member.memory.before = stuck("y");
    assert.ok(remove(member, "d"));
    assert.deepEqual(member.tree(), { "d/": "", "d/a/": "", "d/a/y": "y" });
    member.memory.before = undefined;
    assert.equal(remove(member, "d"), undefined);
    assert.deepEqual(member.tree(), {});
  });

  test("reads a directory again while something of it is left, and no longer", () => {
    const many = Object.fromEntries(Array.from({ length: 2_500 }, (_, index) => [`d/${index}/f`, "x"]));
    const member = new Member({ withLooks: true }).put(many);
    assert.equal(remove(member, "d"), undefined);
    assert.deepEqual(member.tree(), {});
    const reads = member.disk.lines.filter((line) => line === "list-slowly d").length;
    assert.equal(reads, 3);
    assert.deepEqual(
      member.disk.lines.filter((line) => line.startsWith("list ")),
      [],
      "no directory is read as a whole",
    );
  });

  test("gives up a directory in which too much stays", () => {
    const many = Object.fromEntries(Array.from({ length: 2_500 }, (_, index) => [`d/${index}/f`, "x"]));
    const member = new Member({ withLooks: true }).put(many);
    member.memory.before = stuck("f");
    assert.ok(remove(member, "d"));
    assert.ok(member.disk.lines.filter((line) => line === "list-slowly d").length <= 4);
  });

  test("asks whether an entry may go, before it enters a directory", () => {
    const member = new Member().put({ "d/a/x": "x", "d/b/z": "z", "d/f": "f" });
    const check = (path: string) => {
      if (path === "d/a") throw StageError.of("mounted", path);
    };
    assert.match(String(remove(member, "d", { check })), /^StageError: d\/a: /);
    assert.deepEqual(member.tree(), { "d/": "", "d/a/": "", "d/a/x": "x" });
  });
});

/** Makes the file that the directory `was` has replaced undeletable; its name in the staging area has a number. */
function stuckIn(member: Member) {
  const area = Object.keys(member.tree(".makuosan/t-1"));
  const discarded = area.find(
    (path) =>
      path.startsWith("discarded") && !path.includes("/") && member.text(`.makuosan/t-1/${path}`) === "w",
  );
  assert.ok(discarded);
  return stuck(discarded);
}
