import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeededRandom } from "../../../src/base/random.ts";
import { finish } from "../../../src/base/steps.ts";
import { ReadyAreas } from "../../../src/tree/apply/ready-areas.ts";
import { recover } from "../../../src/tree/apply/recovery.ts";
import { boundUndoAreas, undoAreas, undosOf } from "../../../src/tree/apply/undo-areas.ts";
import type { Stage } from "../../../src/tree/apply/stage.ts";
import { Protection } from "../../../src/tree/decide/protection.ts";
import { Directories } from "../../../src/tree/disk/directories.ts";
import type { MemoryDisk } from "../../disk/memory-disk.ts";
import { failKind, PowerFailure, stopAt } from "../../disk/faults.ts";
import { directory, file, Member, meta, reasonOf } from "./member.ts";
import {
  change,
  KEEPING,
  keptTexts,
  looks,
  NEW,
  OLD,
  takeBack,
  treeBelow,
  treeOfEntries,
} from "./undo-fixture.ts";

/** What a commit has kept is brought back. */

describe("a commit that brings an undo from another host", () => {
  const follows = () => ({ undo: "u-1", undone: "p-1" });

  test("is kept as the undo, also if a start has to finish it", () => {
    const ends = new Set<string>();
    for (let at = 1; ; at++) {
      const member = new Member().put(OLD);
      member.memory.settle();
      const push = change(member, { keeping: { ...KEEPING, follows } });
      member.memory.before = stopAt(member.memory.changes + at);
      try {
        push.commit();
        break;
      } catch (error) {
        if (!(error instanceof PowerFailure)) throw error;
      }
      const disk = member.memory.crash(new SeededRandom(at));
      const base = Directories.at(disk, "/");
      recover(base, member.rules);
      const isNew = JSON.stringify(treeBelow(disk)) === JSON.stringify(treeOfEntries(NEW));
      const names = undoAreas(base, member.rules).map(({ name }) => name);
      assert.deepEqual(names, isNew ? ["u-1"] : [], `change ${at}`);
      if (isNew) assert.deepEqual(keptTexts(disk, "u-1"), ["g", "old", "p", "x y"], `change ${at}`);
      ends.add(isNew ? "new" : "old");
      base.close();
    }
    assert.deepEqual([...ends].sort(), ["new", "old"]);
  });

  test("is taken back with what was there before it", () => {
    const member = new Member().put(OLD);
    const before = looks(member);
    change(member, { keeping: { ...KEEPING, follows } }).commit();
    const undos = () => undosOf(member.base, member.rules).map(({ name }) => name);
    assert.deepEqual(undos(), [], "it has brought files of another host");
    takeBack(member, "v-1");
    assert.deepEqual(looks(member), before);
    assert.deepEqual(undos(), ["v-1"]);
  });
});

describe("a commit is taken back", () => {
  for (const [name, options] of [
    ["with exchanges", { canExchange: true }],
    ["with exchanges as those of XFS, which change the times of directories", { touchesExchanged: true }],
    ["without exchanges", { canExchange: false }],
  ] as const) {
    test(`with all entries and attributes, and again, ${name}`, () => {
      const member = new Member(options).put(OLD);
      const before = looks(member);
      change(member).commit();
      const after = looks(member);
      assert.notDeepEqual(after, before);
      takeBack(member, "u-1");
      assert.deepEqual(looks(member), before);
      // The newest that can be taken back is the undo itself.
      takeBack(member, "u-2");
      assert.deepEqual(looks(member), after);
    });

    test(`or is not, after a crash at any moment, ${name}`, () => {
      const ends = new Set<string>();
      for (let at = 1; ; at++) {
        const member = new Member(options).put(OLD);
        change(member).commit();
        member.memory.settle();
        member.memory.before = stopAt(member.memory.changes + at);
        try {
          takeBack(member, "u-1");
          break;
        } catch (error) {
          if (!(error instanceof PowerFailure)) throw error;
        }
        for (const seed of [1, 2, 3]) {
          const disk = member.memory.crash(new SeededRandom(seed));
          const base = Directories.at(disk, "/");
          recover(base, member.rules);
          const tree = JSON.stringify(treeBelow(disk));
          const isOld = tree === JSON.stringify(treeOfEntries(OLD));
          assert.ok(isOld || tree === JSON.stringify(treeOfEntries(NEW)), `change ${at}: ${tree}`);
          // What is kept goes only after the switch.
          if (!isOld) assert.deepEqual(keptTexts(disk), ["g", "old", "p", "x y"], `change ${at}`);
          ends.add(isOld ? "old" : "new");
          base.close();
        }
      }
      assert.deepEqual([...ends].sort(), ["new", "old"]);
    });
  }

  test("also over what somebody has changed since by hand", () => {
    const member = new Member().put(OLD);
    const before = looks(member);
    change(member).commit();
    member.in("d", (parent, disk) => {
      disk.unlink(parent, "fresh");
      disk.makeDirectory(parent, "gone", 0o755);
    });
    takeBack(member, "u-1");
    assert.deepEqual(looks(member), before);
  });

  test("and is over where the area of the other one cannot be removed: it goes later", () => {
    const member = new Member().put(OLD);
    const before = looks(member);
    change(member).commit();
    const undo = member.push("u-1", { keeping: KEEPING });
    undo.stage.undo("t-1");
    undo.prepare();
    member.memory.before = failKind("unlink", "EIO", "kept");
    assert.equal(undo.stage.commit(), undefined);
    member.memory.before = undefined;
    assert.deepEqual(looks(member), before);
    finish(undo.stage.clear());
    finish(undo.stage.clean());
    finish(boundUndoAreas(member.base, member.rules, { pushes: 9, sizeBytes: 1e9 }));
    assert.deepEqual(
      undoAreas(member.base, member.rules).map(({ name }) => name),
      ["u-1"],
    );
  });

  test("but for what others have put into directories that the push has made, or deleted: it stays, and is told", () => {
    const member = new Member().put({ "d/old/x": "x", "d/old/y/z": "z" });
    const push = member.push("t-1", { keeping: KEEPING });
    push.plan({ terms: { deletes: true, isForced: true } });
    push.bring("", [directory("d")]);
    push.bring("d", [directory("new")], { isComplete: true });
    push.bring("d/new", [directory("sub"), directory("more"), file("f", 1)]);
    push.bring("d/new/sub", [file("a", 1), file("b", 1)]);
    push.bring("d/new/more", [file("c", 1)]);
    push.prepare().commit();
    member.in("d/new", (parent, disk) => disk.unlink(parent, "f"));
    member.put({ "d/new/sub/mine": "m", "d/new/f": "edited", "d/old/y/mine": "o" });
    const undo = takeBack(member, "u-1");
    assert.deepEqual(member.tree("d"), {
      "new/": "",
      "new/sub/": "",
      "new/sub/mine": "m",
      "old/": "",
      "old/x": "x",
      "old/y/": "",
      "old/y/mine": "o",
      "old/y/z": "z",
    });
    assert.deepEqual(
      undo.findings.filter((one) => one.includes(": ")),
      ["d/new: it stays, because d/new/sub/mine was not made by the push"],
    );
    takeBack(member, "v-1");
    assert.deepEqual(member.tree("d"), {
      "new/": "",
      "new/f": "edited",
      "new/more/": "",
      "new/more/c": "c",
      "new/sub/": "",
      "new/sub/a": "a",
      "new/sub/b": "b",
      "new/sub/mine": "m",
      "old/": "",
      "old/y/": "",
      "old/y/mine": "o",
    });
  });

  test("but not where something else was before a directory with files of others", () => {
    const inTheWay = (member: Member) => {
      const undo = member.push("u-1", { keeping: KEEPING });
      const why = reasonOf(() => undo.stage.undo("t-1"));
      finish(undo.stage.clean());
      return why;
    };
    // The push has made a directory of a file.
    const member = new Member().put(OLD);
    change(member).commit();
    member.put({ "d/plain/mine": "m" });
    const after = looks(member);
    assert.equal(inTheWay(member), "d/plain: undo-in-the-way");
    assert.deepEqual(looks(member), after);
    // Somebody has, of a file that the push has deleted in a directory that is there again.
    const other = new Member().put(OLD);
    change(other).commit();
    other.in("d", (parent, disk) => disk.unlink(parent, "tree"));
    other.put({ "d/tree/x/mine": "m" });
    assert.equal(inTheWay(other), "d/tree/x: undo-in-the-way");
    other.in("d/tree/x", (parent, disk) => disk.unlink(parent, "mine"));
    takeBack(other, "u-2");
    assert.deepEqual(treeBelow(other.memory), treeOfEntries(OLD));
  });

  test("but not if the member excludes some of it now", () => {
    for (const pattern of ["file", "d/tree", "z"]) {
      const member = new Member().put(OLD);
      change(member).commit();
      const after = looks(member);
      const [kept] = undoAreas(member.base, member.rules);
      const undo = member.push("u-1", { protection: Protection.of([pattern], "/") });
      assert.match(
        reasonOf(() => undo.stage.undo(kept?.name ?? "")),
        /^d.*: undo-excluded$/,
        pattern,
      );
      finish(undo.stage.clean());
      assert.deepEqual(looks(member), after);
    }
  });

  test("but not if somebody has moved the directory away that files come back to", () => {
    const replacements: readonly ((disk: MemoryDisk) => void)[] = [
      () => undefined,
      (disk) => disk.makeSymlink(disk.openRoot("/"), "d", "/elsewhere"),
      (disk) => disk.closeFile(disk.makeFile(disk.openRoot("/"), "d", 0o600)),
    ];
    for (const replace of replacements) {
      const member = new Member().put(OLD);
      const before = looks(member);
      change(member).commit();
      member.in("", (root, disk) => disk.rename(root, "d", root, "moved"));
      replace(member.memory);
      const undo = member.push("u-1", { keeping: KEEPING });
      assert.equal(
        reasonOf(() => undo.stage.undo("t-1")),
        "d: undo-no-directory",
      );
      finish(undo.stage.clean());
      // With the directory, everything comes back.
      member.in("", (root, disk) => {
        if (disk.stat(root, "d") !== undefined) disk.unlink(root, "d");
        disk.rename(root, "moved", root, "d");
      });
      takeBack(member, "u-2");
      assert.deepEqual(looks(member), before);
    }
  });

  test("by one of two that bring back the same files: the other changes nothing of them when it ends", () => {
    const member = new Member().put(OLD);
    const before = looks(member);
    change(member).commit();
    const [first, second] = ["u-1", "u-2"].map((name) => {
      const undo = member.push(name, { keeping: KEEPING });
      undo.stage.undo("t-1");
      undo.prepare();
      return undo.stage;
    }) as [Stage, Stage];
    assert.equal(second.yieldTo(first.steps())?.code, "overtaken");
    assert.equal(first.commit(), undefined);
    // A link that goes later changes the file as an edit does.
    assert.equal(member.stats("d/file")?.links, 1);
    assert.equal(second.commit()?.code, "overtaken");
    finish(second.clean());
    finish(first.clear());
    finish(first.clean());
    assert.deepEqual(looks(member), before);
  });

  test("or not, where another commit has changed some of it while it was ready", () => {
    const member = new Member().put(OLD);
    change(member).commit();
    const [kept] = undoAreas(member.base, member.rules);
    const undo = member.push("u-1", { keeping: KEEPING });
    undo.stage.undo(kept?.name ?? "");
    undo.prepare();
    const other = member.push("t-2", {});
    other.bring("", [directory("d", { metadata: meta(0o700) })]);
    other.bring("d", [file("fresh", 5)]);
    other.prepare();
    assert.equal(undo.stage.yieldTo(other.stage.steps())?.code, "overtaken");
    const beside = member.push("t-3", {});
    beside.bring("", [file("e", 5)]);
    beside.prepare();
    const second = member.push("u-2", {});
    second.stage.undo(kept?.name ?? "");
    second.prepare();
    assert.equal(second.stage.yieldTo(beside.stage.steps()), undefined);
  });
});

describe("an area that a start has kept", () => {
  test("takes a commit back later, and that can be taken back itself", () => {
    const member = new Member().put(OLD);
    const before = looks(member);
    change(member).commit();
    const after = looks(member);
    const [kept] = undoAreas(member.base, member.rules);
    const undo = member.push("9-9", { keeping: KEEPING });
    undo.stage.undo(kept?.name ?? "");
    undo.prepare();
    const disk = member.memory.crash(new SeededRandom(1));
    const restarted = new Member();
    Object.defineProperty(restarted, "memory", { value: disk });
    Object.defineProperty(restarted, "disk", { value: disk });
    const areas = new ReadyAreas();
    recover(restarted.base, restarted.rules, { onKept: (name) => areas.add(name) });
    assert.deepEqual(looks(restarted), after);
    const { base, rules } = restarted;
    const resumed = areas.commit(base, rules, "9-9", undefined, 1_000, () => undefined);
    assert.equal(resumed.failure, undefined);
    assert.equal(finish(resumed.clear()), undefined);
    finish(resumed.removal());
    assert.deepEqual(looks(restarted), before);
    // What the first one has kept is in the tree.
    assert.deepEqual(finish(boundUndoAreas(base, rules, { pushes: 9, sizeBytes: 1e9 })).removed, []);
    assert.deepEqual(
      undoAreas(base, rules).map(({ name }) => name),
      ["9-9"],
    );
    const again = restarted.push("u-2", { keeping: KEEPING });
    again.stage.undo("9-9");
    again.prepare();
    again.commit();
    assert.deepEqual(looks(restarted), after);
  });
});
