import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeededRandom } from "../../../src/base/random.ts";
import { recover } from "../../../src/tree/apply/recovery.ts";
import { Directories } from "../../../src/tree/disk/directories.ts";
import { ITSELF } from "../../../src/tree/disk/disk.ts";
import { EntryType } from "../../../src/wire/entry.ts";
import { PowerFailure, stopAt } from "../../disk/faults.ts";
import { directory, entry, file, Member, meta, passage, type Push, TIME_NS } from "./member.ts";

/** Directories of a member's own user whose mode keeps this user from listing or changing them. */

const USER = 1000;
const SENT_NS = TIME_NS + 5n;

function plainMember(entries: Readonly<Record<string, string>>): Member {
  const options = { user: USER, rules: { keepOwner: false, ownGroups: new Set([USER]) } };
  return new Member(options).put(entries);
}

function setMode(member: Member, path: string, mode: number): void {
  member.in(path, (own, disk) => disk.setMode(own, ITSELF, mode));
}

const modeOf = (member: Member, path: string) => ((member.stats(path)?.mode ?? 0) & 0o7777).toString(8);
const timeOf = (member: Member, path: string) => member.stats(path)?.mtimeNs;

/** A push of a directory `d` in which a file changes, one is new, and all others go. */
function pushInto(member: Member, mode: number): Push {
  const metadata = meta(mode, { mtimeNs: SENT_NS });
  const push = member.push();
  push.plan({ terms: {} });
  push.bring("", [directory("d", { metadata })]);
  return push.bring("d", [file("changed", 4), file("new", 2)], { metadata, isComplete: true });
}

describe("a closed directory of this process's own user", () => {
  for (const mode of [0o555, 0o500, 0o000, 0o333, 0o200])
    test(`of mode ${mode.toString(8)} is changed like any other, and is closed afterwards`, () => {
      const member = plainMember({ "d/changed": "old", "d/old": "o", "d/sub/x": "x" });
      setMode(member, "d/sub", 0o555);
      setMode(member, "d", mode);
      pushInto(member, mode).prepare().commit();
      assert.equal(modeOf(member, "d"), mode.toString(8));
      assert.equal(timeOf(member, "d"), SENT_NS);
      member.memory.actAs(0);
      assert.deepEqual(member.tree(), { "d/": "", "d/changed": "cccc", "d/new": "nn" });
    });

  test("is only looked into where nothing differs: it is closed again at once", () => {
    const member = plainMember({ "d/same": "same", "d/sub/x": "x" });
    setMode(member, "d", 0);
    const push = member.push();
    const metadata = meta(0);
    assert.equal(push.entries("", [directory("d", { metadata })]).wants.count(), 0);
    assert.equal(push.entries("d", [file("same", 4), directory("sub")], { metadata }).wants.count(), 0);
    assert.equal(modeOf(member, "d"), "0");
  });

  test("can give way to a file, with all closed directories in it", () => {
    const member = plainMember({ "d/e/x": "x" });
    setMode(member, "d/e", 0o555);
    setMode(member, "d", 0o555);
    const push = member.push();
    push.plan({ terms: { deletes: true } });
    push
      .bring("", [file("d", 1)])
      .prepare()
      .commit();
    assert.deepEqual(member.tree(), { d: "d" });
  });

  test("can take and give entries as a link to the same file does", () => {
    const member = plainMember({ "d/f": "f" });
    setMode(member, "d", 0o555);
    const push = member.push("t-1");
    assert.equal(push.entries("d", [file("f", 1)]).wants.count(), 0);
    const other = member.push("t-2").bring("d", [file("f", 2)]);
    other.prepare();
    push.bring("", [file("g", 1)]).stage.yieldTo(other.stage.steps());
    other.commit();
    push.prepare().commit();
    assert.deepEqual([member.text("d/f"), modeOf(member, "d")], ["f", "555"]);
  });

  test("stays closed if it is another user's, or would lose its set-group-id bit", () => {
    for (const change of [
      (member: Member) => member.in("", (root, disk) => disk.setOwner(root, "d", 1001, 1001)),
      (member: Member) => {
        member.in("", (root, disk) => disk.setOwner(root, "d", USER, 77));
        setMode(member, "d", 0o2555);
      },
    ]) {
      const member = plainMember({ "d/x": "x" });
      setMode(member, "d", 0o555);
      member.memory.actAs(0);
      change(member);
      const before = member.rights("d");
      member.memory.actAs(USER);
      const push = member.push();
      assert.throws(() => push.entries("d", [file("x", 2)]), /permission denied/);
      assert.equal(member.rights("d"), before);
    }
  });

  test("has its mode after a loss of power at any moment of the commit", () => {
    for (const mode of [0o555, 0])
      for (let change = 1, isOver = false; !isOver; change++) {
        const member = plainMember({ "d/changed": "old", "d/old": "o", "w/old": "o" });
        setMode(member, "w", 0o555);
        setMode(member, "d", mode);
        const push = pushInto(member, mode);
        push.bring("", [passage("w")]).bring("w", [file("new", 1)]);
        push.prepare();
        member.memory.settle();
        member.memory.before = stopAt(member.memory.changes + change);
        isOver = !isStopped(() => push.commit());
        member.memory.before = undefined;
        const found = member.memory.crash(new SeededRandom(change));
        const base = Directories.at(found, "/");
        const isNew = recover(base, member.rules).length > 0 || base.stat("w/new") !== undefined;
        const modes = ["d", "w"].map((path) => (base.stat(path)!.mode & 0o7777).toString(8));
        assert.deepEqual(modes, [mode.toString(8), "555"], `change ${change}`);
        assert.equal(base.stat("d/new") !== undefined, isNew, `change ${change}`);
        base.close();
      }
  });
});

describe("a directory on the way to a change", () => {
  test("gets the sender's time and keeps its own mode and owner", () => {
    const member = new Member().put({ "d/x": "x", "e/": "" });
    setMode(member, "d", 0o700);
    const push = member.push();
    push.bring("", [passage("d"), passage("e")]).bring("d", [file("x", 2)]);
    push.prepare().commit();
    assert.deepEqual(
      [modeOf(member, "d"), timeOf(member, "d"), timeOf(member, "e")],
      ["700", TIME_NS, TIME_NS],
    );
  });

  test("gets the sender's time where something in it goes, and its own if the sender has none", () => {
    for (const metadata of [meta(0o755, { mtimeNs: SENT_NS }), undefined]) {
      const member = new Member().put({ "d/x": "x" });
      setMode(member, "d", 0o700);
      const push = member.push();
      push.plan({ terms: {} });
      push.bring("d", [entry(EntryType.gone, "x")], { ...(metadata === undefined ? {} : { metadata }) });
      push.prepare().commit();
      assert.deepEqual(member.tree(), { "d/": "" });
      assert.deepEqual([modeOf(member, "d"), timeOf(member, "d")], ["700", metadata?.mtimeNs ?? TIME_NS]);
    }
  });

  test("is left alone if another user's, whose time this process cannot set", () => {
    const member = plainMember({ "d/x": "x" });
    setMode(member, "d", 0o777);
    member.memory.actAs(0);
    member.in("", (root, disk) => disk.setOwner(root, "d", 1001, 1001));
    member.memory.actAs(USER);
    member
      .push()
      .bring("", [passage("d")])
      .bring("d", [file("x", 2)])
      .prepare()
      .commit();
    assert.equal(member.text("d/x"), "xx");
  });
});

test("a directory that replaces a file keeps the sender's time where an exchange changes it, as on XFS", () => {
  const member = new Member({ touchesExchanged: true }).put({ d: "file" });
  const metadata = meta(0o755, { mtimeNs: SENT_NS });
  member
    .push()
    .bring("", [directory("d", { metadata })])
    .bring("d", [file("x", 1)], { metadata })
    .prepare()
    .commit();
  assert.deepEqual(member.tree(), { "d/": "", "d/x": "x" });
  assert.equal(timeOf(member, "d"), SENT_NS);
});

function isStopped(work: () => void): boolean {
  try {
    work();
    return false;
  } catch (error) {
    if (error instanceof PowerFailure) return true;
    throw error;
  }
}
