import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { removeOldest, undoAreas } from "../../../src/tree/apply/undo-areas.ts";
import { finish } from "../../../src/base/steps.ts";
import { DiskError } from "../../disk/disk-error.ts";
import type { CallKind, DiskCall } from "../../disk/faults.ts";
import { content, file, Member, reasonOf } from "./member.ts";
import { change, KEEPING, looks, NEW, OLD, takeBack, treeBelow, treeOfEntries } from "./undo-fixture.ts";

/** What is kept of former files is never the reason that a push fails. */

/** Calls that may need room on the disk. */
const NEEDING: readonly CallKind[] = [
  ...(["makeDirectory", "makeSymlink", "makeSpecial", "makeFile", "link", "rename"] as const),
  ...(["setOwner", "setFileOwner", "write", "truncate"] as const),
];

const MEBIBYTE = 1024 * 1024;

/** A member with what two pushes of other files have replaced. */
function withTwoAreas(): Member {
  const member = new Member().put({ ...OLD, other: "oooo" });
  for (const [name, size] of [
    ["k-1", 5],
    ["k-2", 6],
  ] as const) {
    const push = member.push(name, { keeping: KEEPING });
    push.bring("", [file("other", size)]);
    push.prepare();
    push.commit();
  }
  return member;
}

describe("a transfer that finds no room", () => {
  for (const code of ["ENOSPC", "EDQUOT"])
    test(`at any call (${code}) gives up the oldest of what is kept, and comes to its end`, () => {
      const met = new Set<CallKind>();
      for (let at = 1; ; at++) {
        const member = withTwoAreas();
        let isFull = true;
        member.makeRoom = () => {
          isFull = false;
          return removeOldest(member.base, member.rules).hasFreed;
        };
        const first = member.memory.changes + at;
        let isMet = false;
        member.memory.before = (call: DiskCall) => {
          if (!isFull || call.change < first || !call.isChange || !NEEDING.includes(call.kind)) return;
          isMet = true;
          met.add(call.kind);
          throw new DiskError(code, call.kind);
        };
        const push = change(member);
        push.commit();
        member.memory.before = undefined;
        const names = undoAreas(member.base, member.rules).map(({ name }) => name);
        assert.deepEqual(treeBelow(member.memory), treeOfEntries(NEW), `change ${at}`);
        assert.deepEqual(names, isMet ? ["t-1", "k-2"] : ["t-1", "k-2", "k-1"], `change ${at}`);
        assert.equal(push.stage.lacking, undefined);
        if (!isMet) break;
      }
      assert.deepEqual([...met].sort(), ["link", "makeDirectory", "makeFile", "rename", "setOwner", "write"]);
    });

  test("for what it wants to keep itself keeps nothing, and says so", () => {
    for (const name of ["made", "number-", "before", "d/file", "kept"]) {
      const member = new Member().put(OLD);
      const isMeant = (call: DiskCall) =>
        call.isChange &&
        (name === "d/file"
          ? call.kind === "link" && call.name === "file"
          : call.name.startsWith(name) && (call.kind === "makeFile" || call.kind === "makeDirectory"));
      let met = 0;
      member.memory.before = (call) => {
        if (!isMeant(call)) return;
        met++;
        throw new DiskError("ENOSPC", call.kind);
      };
      const push = change(member);
      push.commit();
      member.memory.before = undefined;
      assert.ok(met > 0, name);
      assert.deepEqual(treeBelow(member.memory), treeOfEntries(NEW), name);
      assert.equal(push.stage.lacking, name === "d/file" ? name : "", name);
      assert.equal(member.has(".makuosan"), false, name);
    }
  });

  test("gives up only what is needed when contents come, and nothing if that would not be enough", () => {
    const bring = (sizes: readonly number[], dryRun = false) => {
      const files = { "k-1": "x".repeat(3 * MEBIBYTE), "k-2": "x".repeat(3 * MEBIBYTE) };
      const member = new Member({ capacityBytes: 10 * MEBIBYTE }).put(files);
      const kept = ["k-1", "k-2"];
      const spare = () => ({ bytes: kept.length * 3 * MEBIBYTE, inodes: 0 });
      const giveUp = () => {
        const name = kept.shift();
        if (name !== undefined) member.in("", (root, disk) => disk.unlink(root, name));
        return name !== undefined;
      };
      const push = member.push("t-1", { room: { clear: () => false, spare, giveUp }, dryRun });
      const left: number[] = [];
      const send = (entry: number, start: number, end: number) => {
        for (let offset = start; offset < end; offset += 50_000)
          push.send(content(entry, "x".repeat(Math.min(50_000, end - offset)), offset));
        left.push(kept.length);
      };
      const bringAll = () => {
        // The sender tells its entries in several blocks. Contents of the first come in between.
        for (const [index, size] of sizes.entries()) {
          push.entries("", [file(`new${index}`, size)]);
          if (index === 0 && !dryRun) send(0, 0, 1_000_000);
        }
        for (const [index, size] of sizes.entries())
          if (!dryRun) send(index, index === 0 ? 1_000_000 : 0, size);
      };
      return { why: reasonOf(bringAll), left, kept: kept.length };
    };
    assert.deepEqual(bring([3 * MEBIBYTE]), { why: "none", left: [2, 2], kept: 2 });
    assert.deepEqual(bring([6 * MEBIBYTE]), { why: "none", left: [2, 1], kept: 1 });
    assert.deepEqual(bring([6 * MEBIBYTE, 3 * MEBIBYTE]), { why: "none", left: [2, 1, 0], kept: 0 });
    assert.deepEqual(bring([20 * MEBIBYTE]), { why: ": no-space", left: [], kept: 2 });
    assert.deepEqual(bring([6 * MEBIBYTE, 14 * MEBIBYTE]), { why: ": no-space", left: [2], kept: 2 });
    assert.deepEqual(
      bring([6 * MEBIBYTE], true),
      { why: "none", left: [], kept: 2 },
      "a dry run changes nothing",
    );
  });

  test("while it takes a push back keeps what it brings back", () => {
    const member = new Member().put(OLD);
    const before = looks(member);
    change(member).commit();
    let isFull = true;
    member.makeRoom = () => {
      isFull = false;
      return removeOldest(member.base, member.rules, { isUsed: (name) => name === "t-1" }).hasFreed;
    };
    member.memory.before = (call) => {
      if (isFull && call.kind === "link") throw new DiskError("ENOSPC", call.kind);
    };
    const undo = member.push("u-1", { keeping: KEEPING });
    assert.throws(() => undo.stage.undo("t-1"), { code: "ENOSPC" });
    member.memory.before = undefined;
    finish(undo.stage.clean());
    takeBack(member, "u-2");
    assert.deepEqual(looks(member), before);
  });
});
