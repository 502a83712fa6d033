import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeededRandom } from "../../../src/base/random.ts";
import { finish } from "../../../src/base/steps.ts";
import { boundUndoAreas, undoAreas, removeOldest } from "../../../src/tree/apply/undo-areas.ts";
import { ReadyAreas } from "../../../src/tree/apply/ready-areas.ts";
import { recover } from "../../../src/tree/apply/recovery.ts";
import { Protection } from "../../../src/tree/decide/protection.ts";
import { Directories } from "../../../src/tree/disk/directories.ts";
import { EntryType } from "../../../src/wire/entry.ts";
import { failKind, PowerFailure, stopAt } from "../../disk/faults.ts";
import type { MemoryDisk } from "../../disk/memory-disk.ts";
import {
  directory,
  entry,
  file,
  Member,
  meta,
  type MemberOptions,
  type PushOptions,
  reasonOf,
} from "./member.ts";

/** A commit that keeps what it replaces or deletes. */

const OLD = {
  "d/same": "s",
  "d/file": "old",
  "d/gone": "g",
  "d/tree/x": "x",
  "d/tree/y": "y",
  "d/plain": "p",
};
const NEW = { "d/same": "s", "d/file": "ff", "d/fresh": "f", "d/tree": "ttt", "d/plain/z": "z" };

/** Brings a new tree: a file is replaced, one is deleted, one is new, and two change their type. */
function change(member: Member, options: PushOptions = { keepsReplaced: () => true }) {
  const push = member.push("t-1", options);
  push.plan({ terms: { deletes: true, isForced: true } });
  push.bring("", [directory("d", { metadata: meta(0o700) })]);
  push.bring(
    "d",
    [file("file", 2), file("fresh", 1), directory("plain"), entry(EntryType.kept, "same"), file("tree", 3)],
    { isComplete: true, metadata: meta(0o700) },
  );
  push.bring("d/plain", [file("z", 1)]);
  push.prepare();
  return push;
}

function treeOn(disk: MemoryDisk, path = ""): Record<string, string> {
  const member = new Member();
  Object.defineProperty(member, "memory", { value: disk });
  return member.tree(path);
}

const treeBelow = (disk: MemoryDisk) =>
  Object.fromEntries(Object.entries(treeOn(disk, "d")).map(([path, text]) => [`d/${path}`, text]));

describe("a commit that keeps what it replaces", () => {
  for (const canExchange of [true, false]) {
    test(`has all of it in its area, ${canExchange ? "with" : "without"} exchanges`, () => {
      const member = new Member({ canExchange }).put(OLD);
      const push = change(member);
      push.commit();
      assert.deepEqual(keptTexts(member.memory), ["g", "old", "p", "x y"]);
      const [kept] = undoAreas(member.base, member.rules);
      assert.equal(kept?.name, "t-1");
      assert.equal(kept.sizeBytes >= 7, true);
    });

    test(`after a crash at any moment it is whole or not there, ${canExchange ? "with" : "without"} exchanges`, () => {
      let wholes = 0;
      for (let at = 1; ; at++) {
        const disks = crashedAt({ canExchange }, at);
        if (disks === undefined) break;
        for (const disk of disks) {
          const base = Directories.at(disk, "/");
          const { rules } = new Member();
          recover(base, rules);
          const kept = undoAreas(base, rules);
          const tree = treeBelow(disk);
          assert.equal(kept.length <= 1, true);
          if (kept.length === 1) {
            wholes++;
            assert.deepEqual(tree, treeOfEntries(NEW), `change ${at}`);
            assert.deepEqual(keptTexts(disk), ["g", "old", "p", "x y"], `change ${at}`);
          }
          const text = JSON.stringify(tree);
          assert.ok(
            [OLD, NEW].some((one) => JSON.stringify(treeOfEntries(one)) === text),
            `change ${at}: ${text}`,
          );
          base.close();
        }
      }
      assert.ok(wholes > 0);
    });
  }

  test("keeps nothing without the setting, and nothing is left of it", () => {
    const member = new Member().put(OLD);
    const push = change(member, {});
    push.commit();
    assert.equal(member.has(".makuosan"), false);
  });

  test("has not begun where it cannot be seen whether it keeps something", () => {
    const member = new Member().put(OLD);
    const push = change(member);
    member.memory.before = failKind("stat", "EIO", "before");
    assert.equal(push.stage.commit()?.when, "before");
    member.memory.before = undefined;
    assert.equal(member.has(".makuosan/t-1/ready"), true);
    assert.equal(finish(push.stage.clear()), undefined);
    assert.deepEqual(treeBelow(member.memory), treeOfEntries(OLD));
  });

  test("keeps nothing if no further link is allowed, names the path, and switches", () => {
    const member = new Member().put(OLD);
    const push = change(member);
    member.memory.link = () => {
      throw Object.assign(new Error("refused"), { code: "EMLINK" });
    };
    push.commit();
    assert.equal(push.stage.lacking, "d/file");
    assert.deepEqual(treeBelow(member.memory), treeOfEntries(NEW));
    assert.equal(member.has(".makuosan"), false);
  });
});

describe("a commit is taken back", () => {
  for (const canExchange of [true, false]) {
    test(`with all entries and attributes, and again, ${canExchange ? "with" : "without"} exchanges`, () => {
      const member = new Member({ canExchange }).put(OLD);
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

    test(`or is not, after a crash at any moment, ${canExchange ? "with" : "without"} exchanges`, () => {
      const ends = new Set<string>();
      for (let at = 1; ; at++) {
        const member = new Member({ canExchange }).put(OLD);
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
    const undo = member.push("u-1", { keepsReplaced: () => true });
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

  test("or not, where another commit has changed some of it while it was ready", () => {
    const member = new Member().put(OLD);
    change(member).commit();
    const [kept] = undoAreas(member.base, member.rules);
    const undo = member.push("u-1", { keepsReplaced: () => true });
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
    const undo = member.push("9-9", { keepsReplaced: () => true });
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
    const resumed = areas.commit(base, rules, "9-9", undefined, true, () => undefined);
    assert.equal(resumed.failure, undefined);
    assert.equal(finish(resumed.clear()), undefined);
    finish(resumed.removal());
    assert.deepEqual(looks(restarted), before);
    assert.deepEqual(
      undoAreas(base, rules).map(({ name }) => name),
      ["9-9", "t-1"],
    );
    // What the first one has kept is in the tree.
    assert.deepEqual(finish(boundUndoAreas(base, rules, { pushes: 9, sizeBytes: 1e9 })), []);
    assert.deepEqual(
      undoAreas(base, rules).map(({ name }) => name),
      ["9-9"],
    );
    const again = restarted.push("u-2", { keepsReplaced: () => true });
    again.stage.undo("9-9");
    again.prepare();
    again.commit();
    assert.deepEqual(looks(restarted), after);
  });
});

/** Takes back the newest commit. */
function takeBack(member: Member, name: string): void {
  const { base } = member;
  const [kept] = undoAreas(base, member.rules);
  assert.ok(kept !== undefined);
  const push = member.push(name, { keepsReplaced: () => true });
  push.stage.undo(kept.name);
  push.prepare();
  push.commit();
}

/** Every path below `d` with its contents, rights and time. */
function looks(member: Member): string[] {
  const of = (path: string) => `${member.rights(path)} ${member.stats(path)?.mtimeNs}`;
  const entries = Object.entries(member.tree("d"));
  return [
    `d ${of("d")}`,
    ...entries.map(([path, text]) => `${path} ${text} ${of(`d/${path.replace(/[/]$/, "")}`)}`),
  ];
}

describe("kept areas", () => {
  test("beyond the number or the size go, the oldest first", () => {
    const member = pushed("t-1", "t-2", "t-3");
    const names = () => undoAreas(member.base, member.rules).map(({ name }) => name);
    assert.deepEqual(names(), ["t-3", "t-2", "t-1"]);
    const bound = (pushes: number, sizeBytes: number) =>
      finish(boundUndoAreas(member.base, member.rules, { pushes, sizeBytes })).map(({ name }) => name);
    assert.deepEqual(bound(3, 100), []);
    assert.deepEqual(bound(2, 100), ["t-1"]);
    assert.deepEqual(bound(2, 4), ["t-2"]);
    assert.deepEqual(names(), ["t-3"]);
    assert.deepEqual(bound(2, 3), ["t-3"]);
    assert.equal(member.has(".makuosan"), false);
  });

  test("go one by one where their space is needed", () => {
    const member = pushed("t-1", "t-2");
    assert.equal(removeOldest(member.base, member.rules)?.name, "t-1");
    assert.equal(removeOldest(member.base, member.rules)?.name, "t-2");
    assert.equal(removeOldest(member.base, member.rules), undefined);
    assert.equal(member.has(".makuosan"), false);
  });

  test("stay over a start", () => {
    const member = pushed("t-1");
    const strange: string[] = [];
    recover(member.base, member.rules, { onStrange: (name) => strange.push(name) });
    assert.deepEqual(strange, []);
    assert.equal(undoAreas(member.base, member.rules).length, 1);
  });
});

/** Pushes a file again and again; each of them has replaced one of 4 bytes. */
function pushed(...names: string[]): Member {
  const member = new Member().put({ f: "old!" });
  let mtimeNs = 5_000_000_000n;
  for (const name of names) {
    mtimeNs += 1_000_000_000n;
    const push = member.push(name, { keepsReplaced: () => true });
    push.bring("", [file("f", 4, { metadata: meta(0o644, { mtimeNs }) })]);
    push.prepare();
    push.commit();
  }
  return member;
}

function crashedAt(options: MemberOptions, at: number): MemoryDisk[] | undefined {
  const member = new Member(options).put(OLD);
  member.memory.settle();
  const push = change(member);
  member.memory.before = stopAt(member.memory.changes + at);
  try {
    push.commit();
    return undefined;
  } catch (error) {
    if (!(error instanceof PowerFailure)) throw error;
  }
  return [1, 2, 3].map((seed) => member.memory.crash(new SeededRandom(seed)));
}

/** The contents of what is kept, in the order of the alphabet. */
function keptTexts(disk: MemoryDisk): string[] {
  const kept = new Map<string, string[]>();
  for (const [path, text] of Object.entries(treeOn(disk, ".makuosan/undo-t-1"))) {
    const [name = ""] = path.split("/");
    if (name.startsWith("discarded") && text !== "") kept.set(name, [...(kept.get(name) ?? []), text]);
  }
  return [...kept.values()].map((texts) => texts.sort().join(" ")).sort();
}

function treeOfEntries(entries: Readonly<Record<string, string>>): Record<string, string> {
  return treeBelow(new Member().put(entries).memory);
}
