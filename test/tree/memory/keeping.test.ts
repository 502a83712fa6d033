import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeededRandom } from "../../../src/base/random.ts";
import { finish } from "../../../src/base/steps.ts";
import {
  boundUndoAreas,
  removeOldest,
  type SpaceOptions,
  undoAreas,
} from "../../../src/tree/apply/undo-areas.ts";
import { recover } from "../../../src/tree/apply/recovery.ts";
import { Directories } from "../../../src/tree/disk/directories.ts";
import { failKind, PowerFailure, stopAt } from "../../disk/faults.ts";
import { DiskError } from "../../disk/disk-error.ts";
import type { MemoryDisk } from "../../disk/memory-disk.ts";
import { file, Member, type MemberOptions, meta } from "./member.ts";
import { change, KEEPING, keptTexts, NEW, OLD, takeBack, treeBelow, treeOfEntries } from "./undo-fixture.ts";

/** A commit that keeps what it replaces or deletes. */

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
          const isNew = JSON.stringify(tree) === JSON.stringify(treeOfEntries(NEW));
          assert.equal(kept.length, isNew ? 1 : 0, `change ${at}`);
          if (isNew) {
            wholes++;
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

  test("is whole or not there also where a file system keeps no order", () => {
    for (let at = 1; ; at++) {
      const disks = crashedAt({ crashModel: "unordered" }, at);
      if (disks === undefined) break;
      for (const disk of disks) {
        const base = Directories.at(disk, "/");
        recover(base, new Member().rules);
        if (undoAreas(base, new Member().rules).length > 0)
          assert.deepEqual(keptTexts(disk), ["g", "old", "p", "x y"], `change ${at}`);
        base.close();
      }
    }
  });

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

describe("kept areas", () => {
  test("beyond the number or the size go, the oldest first", () => {
    const member = pushed("t-1", "t-2", "t-3");
    const names = () => undoAreas(member.base, member.rules).map(({ name }) => name);
    assert.deepEqual(names(), ["t-3", "t-2", "t-1"]);
    const bound = (pushes: number, sizeBytes: number) =>
      finish(boundUndoAreas(member.base, member.rules, { pushes, sizeBytes })).removed.map(
        ({ name }) => name,
      );
    assert.deepEqual(bound(3, 100), []);
    assert.deepEqual(bound(2, 100), ["t-1"]);
    assert.deepEqual(bound(2, 4), ["t-2"]);
    assert.deepEqual(names(), ["t-3"]);
    assert.deepEqual(bound(2, 3), ["t-3"]);
    assert.equal(member.has(".makuosan"), false);
  });

  test("but that of an undo stays while it is the newest: what it has removed may be nowhere else", () => {
    const member = new Member().put(OLD);
    change(member).commit();
    takeBack(member, "u-1");
    const names = () => undoAreas(member.base, member.rules).map(({ name }) => name);
    const tight = { pushes: 9, sizeBytes: 1 };
    finish(boundUndoAreas(member.base, member.rules, tight));
    assert.deepEqual(names(), ["u-1"]);
    takeBack(member, "u-2");
    assert.deepEqual(treeBelow(member.memory), treeOfEntries(NEW));
    finish(boundUndoAreas(member.base, member.rules, { pushes: 0, sizeBytes: 1e9 }));
    assert.deepEqual(names(), []);
  });

  test("go one by one where their space is needed", () => {
    const member = pushed("t-1", "t-2");
    assert.deepEqual(freed(member), ["t-1"]);
    assert.deepEqual(freed(member), ["t-2"]);
    assert.equal(removeOldest(member.base, member.rules).hasFreed, false);
    // Somebody may be about to make something in it.
    assert.equal(member.has(".makuosan"), true);
  });

  test("keep their order when the clock is set back", (context) => {
    context.mock.timers.enable({ apis: ["Date"], now: 2_000_000 });
    const member = new Member().put({ f: "old!" });
    const keep = (name: string, size: number) => {
      const push = member.push(name, { keeping: KEEPING });
      push.bring("", [file("f", size)]);
      push.prepare();
      push.commit();
    };
    keep("t-1", 5);
    context.mock.timers.setTime(1_000);
    keep("t-2", 6);
    const names = undoAreas(member.base, member.rules).map(({ name }) => name);
    assert.deepEqual(names, ["t-2", "t-1"]);
  });

  test("that are being taken back stay, and so do those that cannot be removed", () => {
    const member = pushed("t-1", "t-2", "t-3");
    const { base, rules } = member;
    assert.deepEqual(freed(member, { isUsed: (name) => name === "t-1" }), ["t-2"]);
    member.memory.before = failKind("unlink", "EPERM", "discarded-step1");
    const { removed, failure, hasFreed } = removeOldest(base, rules);
    // They cannot be taken back any more, since something of them is gone.
    assert.deepEqual([removed.map(({ name }) => name), hasFreed], [["t-1", "t-3"], false]);
    assert.equal((failure as NodeJS.ErrnoException).code, "EPERM");
    assert.deepEqual(undoAreas(base, rules), []);
  });

  test("that cannot be removed do not keep the others, and go as soon as they can", () => {
    const member = pushed("t-1", "t-2", "t-3");
    const { base, rules } = member;
    const bound = (pushes: number) => finish(boundUndoAreas(base, rules, { pushes, sizeBytes: 1e9 }));
    let records = 0;
    member.memory.before = ({ isChange, kind, name }) => {
      if (!isChange || kind !== "unlink") return;
      if (name === "kept") records++;
      if (records === 1 && name === "discarded-step1") throw new DiskError("EPERM", kind);
    };
    const { removed, failure } = bound(1);
    assert.deepEqual(
      removed.map(({ name }) => name),
      ["t-1", "t-2"],
    );
    assert.equal((failure as NodeJS.ErrnoException).code, "EPERM");
    assert.deepEqual([member.has(".makuosan/undo-t-1"), member.has(".makuosan/undo-t-2")], [true, false]);
    const again = bound(1);
    assert.deepEqual([again.removed, again.failure], [[], undefined]);
    assert.deepEqual(
      again.left.areas.map(({ name }) => name),
      ["t-3"],
    );
    assert.equal(member.has(".makuosan/undo-t-1"), false);
  });

  test("that a start has no room to keep go, and it says so: the commit itself is finished", () => {
    for (let at = 1; ; at++) {
      const [disk] = crashedAt({}, at) ?? [];
      if (disk === undefined) break;
      disk.before = ({ isChange, kind, name }) => {
        if (isChange && kind === "makeFile" && name === "kept") throw new DiskError("ENOSPC", kind);
      };
      const unkept: string[] = [];
      const base = Directories.at(disk, "/");
      const { rules } = new Member();
      const finished = recover(base, rules, { onUnkept: (name) => unkept.push(name) });
      const failures = finished.filter(({ failure }) => failure !== undefined);
      assert.deepEqual(failures, [], `change ${at}`);
      const isNew = JSON.stringify(treeBelow(disk)) === JSON.stringify(treeOfEntries(NEW));
      if (finished.length > 0) assert.deepEqual([isNew, unkept], [true, ["t-1"]], `change ${at}`);
      assert.deepEqual(undoAreas(base, rules).length === 0 || isNew, true);
      assert.equal(base.stat(".makuosan/t-1"), undefined, `change ${at}`);
    }
  });

  test("stay over a start", () => {
    const member = pushed("t-1");
    const strange: string[] = [];
    recover(member.base, member.rules, { onStrange: (name) => strange.push(name) });
    assert.deepEqual(strange, []);
    assert.equal(undoAreas(member.base, member.rules).length, 1);
  });
});

/** The names of areas that were removed for their space. */
function freed(member: Member, options: SpaceOptions = {}): string[] {
  const { removed, hasFreed } = removeOldest(member.base, member.rules, options);
  assert.equal(hasFreed, true);
  return removed.map(({ name }) => name);
}

/** Pushes a file again and again; each of them has replaced one of 4 bytes. */
function pushed(...names: string[]): Member {
  const member = new Member().put({ f: "old!" });
  let mtimeNs = 5_000_000_000n;
  for (const name of names) {
    mtimeNs += 1_000_000_000n;
    const push = member.push(name, { keeping: KEEPING });
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
  return [1, 2, 3, 4, 5].map((seed) => member.memory.crash(new SeededRandom(seed)));
}
