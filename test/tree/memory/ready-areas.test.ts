import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../../src/base/random.ts";
import { MOST_KEPT, ReadyAreas } from "../../../src/tree/apply/ready-areas.ts";
import { undoAreas } from "../../../src/tree/apply/undo-areas.ts";
import { recover } from "../../../src/tree/apply/recovery.ts";
import { Protection } from "../../../src/tree/decide/protection.ts";
import { Directories } from "../../../src/tree/disk/directories.ts";
import { DiskError } from "../../disk/disk-error.ts";
import { failKind, PowerFailure, stopAt } from "../../disk/faults.ts";
import type { MemoryDisk } from "../../disk/memory-disk.ts";
import { finish } from "../../support/staging.ts";
import { treeOf } from "../../durability/push.ts";
import { directory, file, Member, type MemberOptions, type Push } from "./member.ts";
import { KEEPING } from "./undo-fixture.ts";

/** Areas that were ready at a crash: which ones a start keeps, and their commit, at each change of the disk. */

const OLD = { a: "old a", old: "o" };
const NEW = { a: "a", "d/": "", "d/x": "x" };
const MODELS = ["ordered", "unordered"] as const;

function bringNew(push: Push): Push {
  push.plan({ terms: {} });
  return push
    .bring("", [file("a", 1), directory("d")], { isComplete: true })
    .bring("d", [file("x", 1)])
    .prepare();
}

/** A member whose transfer is ready: it replaces `a`, brings `d` with something in it, and deletes `old`. */
function ready(options: MemberOptions = {}): { member: Member; push: Push } {
  const member = new Member(options).put(OLD);
  member.memory.settle();
  return { member, push: bringNew(member.push()) };
}

/** What a start keeps. */
function start(member: Member, disk: MemoryDisk = member.memory): ReadyAreas {
  const areas = new ReadyAreas();
  recover(Directories.at(disk, "/"), member.rules, { onKept: (name) => areas.add(name) });
  return areas;
}

function resume(member: Member, areas: ReadyAreas, disk: MemoryDisk = member.memory, name = "t-1"): void {
  const resumed = areas.commit(
    Directories.at(disk, "/"),
    member.rules,
    name,
    undefined,
    undefined,
    () => undefined,
  );
  assert.equal(finish(resumed.clear()) ?? resumed.failure, undefined);
  finish(resumed.removal());
}

test("its commit says when there is no room to keep what it replaces, and is a commit all the same", () => {
  for (const name of ["none", "number-7", "before", "discarded-step", "kept"]) {
    const member = new Member().put(OLD);
    bringNew(member.push("t-1", { keeping: KEEPING }));
    const areas = start(member);
    member.memory.before = (call) => {
      const isMaking = ["makeFile", "makeDirectory", "link"].includes(call.kind);
      const isKept = call.name.startsWith(name) || (name.startsWith("disc") && call.kind === "link");
      if (call.isChange && isMaking && isKept) throw new DiskError("ENOSPC", call.kind);
    };
    const resumed = areas.commit(member.base, member.rules, "t-1", undefined, 7, () => undefined);
    assert.equal(finish(resumed.clear()) ?? resumed.failure, undefined, name);
    const kept = finish(resumed.removal());
    const shown = [member.text("a"), member.text("d/x"), member.has("old")];
    assert.deepEqual(shown, ["a", "x", false], name);
    const lacking = kept === "too full" ? "" : resumed.lacking;
    assert.equal(
      lacking,
      { none: undefined, "discarded-step": "a" }[name] ?? (name === "none" ? undefined : ""),
      name,
    );
    const names = undoAreas(member.base, member.rules).map((area) => area.name);
    assert.deepEqual(names, name === "none" ? ["t-1"] : [], name);
    assert.equal(member.has(".makuosan"), name === "none", name);
  }
});

function describe(disk: MemoryDisk): string {
  return treeOf(disk);
}

test("an area that was ready is kept, and its commit leaves what a commit without a crash leaves", () => {
  const { member } = ready();
  const areas = start(member);
  assert.deepEqual(areas.all, ["t-1"]);
  resume(member, areas);
  assert.deepEqual(member.tree(), NEW);
  assert.equal(member.has(".makuosan"), false);
  assert.deepEqual(areas.all, []);
});

test("an area is not kept after another transfer has committed, whichever comes first", () => {
  const passed = ready();
  assert.ok(passed.push.stage.hasChanges);
  const other = passed.member
    .push("t-2")
    .bring("", [file("b", 1)])
    .prepare();
  passed.push.stage.yieldTo(other.stage.steps());
  other.commit();
  assert.deepEqual(start(passed.member).all, []);
  assert.deepEqual(passed.member.tree(), { ...OLD, b: "b" });
});

/** Another transfer of a member, which brings `b`, has begun its commit when the daemon dies. */
function interruptCommit(member: Member): void {
  member
    .push("t-2")
    .bring("", [file("b", 1)])
    .prepare();
  member.in(".makuosan/t-2", (area, disk) => disk.rename(area, "ready", area, "commit"));
}

test("an area is not kept if the same start has finished another commit", () => {
  const { member } = ready();
  interruptCommit(member);
  assert.deepEqual(start(member).all, []);
  assert.deepEqual(member.tree(), { ...OLD, b: "b" });
});

test("an area is not kept either by the start after one that died while it finished that commit", () => {
  for (const crashModel of MODELS) {
    const { member: model } = ready({ crashModel });
    interruptCommit(model);
    model.memory.settle();
    const first = model.memory.changes;
    start(model);
    const last = model.memory.changes;
    assert.ok(last - first > 8);
    for (let at = first + 1; at <= last; at++) {
      const { member } = ready({ crashModel });
      interruptCommit(member);
      member.memory.settle();
      member.memory.before = stopAt(at);
      assert.throws(() => start(member), PowerFailure);
      for (const found of member.memory.crashStates(200)) {
        assert.deepEqual(start(member, found).all, [], `${crashModel}, before change ${at}`);
        assert.equal(describe(found), describe(model.memory), `${crashModel}, before change ${at}`);
      }
    }
  }
});

test("an area that is not kept and cannot be removed is told, and does not end the start", () => {
  const { member } = ready();
  interruptCommit(member);
  member.memory.before = failKind("removeDirectory", "EIO", "t-1");
  const found = recover(member.base, member.rules, { onKept: (name) => assert.fail(name) });
  member.memory.before = undefined;
  assert.deepEqual(
    found.map(({ name, failure, isLeft }) => [name, failure?.code, isLeft]),
    [
      ["t-1", "EIO", true],
      ["t-2", undefined, false],
    ],
  );
  assert.deepEqual(start(member).all, []);
  assert.deepEqual(member.tree(), { ...OLD, b: "b" });
});

test("an area of which something has been moved into place is finished, and not kept", () => {
  const { member } = ready();
  member.in(".makuosan/t-1/tree", (tree, disk) => member.in("", (root) => disk.rename(tree, "a", root, "a")));
  assert.deepEqual(start(member).all, []);
  assert.deepEqual(member.tree(), NEW);
});

test("only so many areas are kept", () => {
  const member = new Member().put(OLD);
  for (let number = 1; number <= MOST_KEPT + 2; number++)
    member
      .push(`t-${number}`)
      .bring("", [file(`b${number}`, 1)])
      .prepare();
  assert.equal(start(member).all.length, MOST_KEPT);
  assert.equal(member.in(".makuosan", (root, disk) => disk.list(root)).length, MOST_KEPT);
});

test("an area that was taken away, or would change what is protected by now, is not committed", () => {
  for (const pattern of ["a", "d/x", "old"]) {
    const { member } = ready();
    const areas = start(member);
    const protection = Protection.of([pattern], "/");
    assert.throws(
      () => areas.commit(member.base, member.rules, "t-1", protection, undefined, () => undefined),
      { name: "StageError" },
      pattern,
    );
    finish(areas.discard(member.base, member.rules, "t-1"));
    assert.deepEqual(member.tree(), OLD);
    assert.throws(() => resume(member, areas), { name: "StageError" });
  }
});

test("a loss of power at any change of a late commit leaves the old tree, or the new one", () => {
  for (const crashModel of MODELS) {
    const { member: model } = ready({ crashModel });
    const old = describe(model.memory);
    const first = model.memory.changes;
    resume(model, start(model));
    const last = model.memory.changes;
    const after = describe(model.memory);
    assert.ok(last - first > 8);
    for (let at = first + 1; at <= last + 1; at++) {
      const { member } = ready({ crashModel });
      member.memory.before = stopAt(at);
      try {
        resume(member, start(member));
      } catch (error) {
        if (!(error instanceof PowerFailure)) throw error;
      }
      for (const found of member.memory.crashStates(200)) {
        const areas = start(member, found);
        const isKept = areas.has("t-1");
        assert.equal(describe(found), isKept ? old : after, `${crashModel}, before change ${at}`);
        if (isKept) resume(member, areas, found);
        assert.equal(describe(found), after, `${crashModel}, before change ${at}, again`);
      }
    }
  }
});

test("a loss of power at any change of another commit never leaves an area beside what has passed it", () => {
  /** One that is ready sees another one commit. */
  const commitOther = (member: Member, push: Push) => {
    const other = member
      .push("t-2")
      .bring("", [file("b", 1)])
      .prepare();
    const first = member.memory.changes;
    return {
      first,
      run: () => {
        push.stage.yieldTo(other.stage.steps());
        other.commit();
      },
    };
  };
  for (const crashModel of MODELS) {
    const model = ready({ crashModel });
    const { first, run } = commitOther(model.member, model.push);
    run();
    const last = model.member.memory.changes;
    for (let at = first + 1; at <= last + 1; at++) {
      const { member, push } = ready({ crashModel });
      const other = commitOther(member, push);
      member.memory.before = stopAt(at);
      try {
        other.run();
      } catch (error) {
        if (!(error instanceof PowerFailure)) throw error;
      }
      for (const found of member.memory.crashStates(200)) {
        const areas = start(member, found);
        const hasOther = Directories.at(found, "/").stat("b") !== undefined;
        assert.ok(!hasOther || !areas.has("t-1"), `${crashModel}, before change ${at}`);
      }
    }
  }
});

test("after the first step of its end, no start commits an area", () => {
  for (const crashModel of MODELS) {
    const { member } = ready({ crashModel });
    const areas = start(member);
    const steps = areas.discard(member.base, member.rules, "t-1");
    steps.next();
    // Another transfer commits only after that step, and its first sync makes both durable.
    if (crashModel === "ordered") member.in("", (root, disk) => disk.syncDirectory(root));
    for (const found of member.memory.crashStates(200)) assert.deepEqual(start(member, found).all, []);
  }
});

test("a start that is cut off while it removes the rest of an ended transfer never makes a commit of it", () => {
  class Killed extends Error {}
  /** Lets the daemon die before a change, with a disk that goes on. */
  const killAt = (member: Member, at: number, work: () => void): boolean => {
    member.memory.before = (call) => {
      if (call.isChange && call.change >= at) throw new Killed();
    };
    try {
      work();
      return false;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      return true;
    } finally {
      member.memory.before = undefined;
    }
  };
  const old = describe(new Member({ crashModel: "unordered" }).put(OLD).memory);
  for (let killedAt = 1, wasKilled = true; wasKilled; killedAt++) {
    for (let cutAt = 1, wasCut = true; wasCut; cutAt++) {
      const { member, push } = ready({ crashModel: "unordered" });
      wasKilled = killAt(member, member.memory.changes + killedAt, () => void finish(push.stage.clean()));
      wasCut = killAt(member, member.memory.changes + cutAt, () => void recover(member.base, member.rules));
      for (let seed = 0; seed < 20; seed++) {
        const found = member.memory.crash(new SeededRandom(seed));
        recover(Directories.at(found, "/"), member.rules);
        assert.equal(describe(found), old, `killed before change ${killedAt}, cut before ${cutAt}`);
      }
    }
  }
});
