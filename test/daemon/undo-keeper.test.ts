import assert from "node:assert/strict";
import { test } from "node:test";
import { finish } from "../../src/base/steps.ts";
import type { StageReply } from "../../src/daemon/disk/messages.ts";
import type { StageBase } from "../../src/daemon/disk/stage-base.ts";
import { TransferRecord } from "../../src/daemon/disk/transfer-record.ts";
import { type StagedTransfer, UndoKeeper } from "../../src/daemon/disk/undo-areas.ts";
import type { Stage } from "../../src/tree/apply/stage.ts";
import type { FollowedUndo } from "../../src/engine/catch-up/undo-choice.ts";
import { StageError } from "../../src/tree/reasons/stage-error.ts";
import type { Origin } from "../../src/wire/origin.ts";
import { DiskError } from "../disk/disk-error.ts";
import { file, Member, type Push } from "../tree/memory/member.ts";

/** What the writing thread keeps of transfers, and what it stages of that. */

const EPOCH = "bb".repeat(8);
const nameOf = (number: number) => `${EPOCH}-${number}`;

/** The origin of a push, or of what takes back the one with a number. */
function originOf(undone?: number): Origin {
  const scope = {
    ...{ paths: [""], recursive: true, deletes: "nothing", syncs: false, sendsAttributes: false },
    ...{ isPartial: false, excludes: [], targets: [], excepts: [] },
  } as const;
  const announced = { nodeId: "aa".repeat(16), timeMs: 1, user: "root", host: "web1", scope };
  if (undone === undefined) return { kind: "publication", announced } as unknown as Origin;
  const undoes = { nodeId: "aa".repeat(16), epoch: EPOCH, number: undone };
  return { kind: "undo", announced: { ...announced, undoes }, digest: "" } as unknown as Origin;
}

class Host {
  readonly member = new Member().put({ f: "old" });
  readonly replies: StageReply[] = [];
  readonly keeper = new UndoKeeper(
    { directories: this.member.base } as unknown as StageBase,
    this.member.rules,
    { pushes: 9, sizeBytes: 1_000_000 },
    (reply) => this.replies.push(reply),
  );

  /** Carries out a transfer; without the switch if it cannot be staged. */
  carryOut(number: number, origin: Origin, bring: (push: Push) => void, follows?: FollowedUndo): void {
    const record = new TransferRecord({ isNewcomer: false, recordsLists: false });
    record.origin = origin;
    if (follows !== undefined) record.follow(follows);
    const push = this.member.push(nameOf(number), {
      keeping: this.keeper.rulesFor(record),
    });
    const open: StagedTransfer = { stage: push.stage, record };
    try {
      bring(push);
      this.keeper.stage(open);
      push.prepare();
      assert.equal(commit(push.stage), undefined);
      open.isCommitted = true;
    } finally {
      finish(push.stage.clean());
      finish(this.keeper.noteEnd(nameOf(number), open));
    }
  }

  get dropped(): string[] {
    return this.replies.flatMap((reply) => (reply.kind === "undo-areas" ? reply.dropped : []));
  }

  get kept(): string[] {
    const last = this.replies.findLast((reply) => reply.kind === "undo-areas");
    return last?.areas.map(({ name }) => name.slice(EPOCH.length + 1)) ?? [];
  }
}

function commit(stage: Stage) {
  const failure = stage.commit();
  return finish(stage.clear()) ?? failure;
}

test("a push that changes nothing is taken back by changing nothing, again and again", () => {
  const host = new Host();
  const same = host.member.stats("f")!;
  const isSame = file("f", 3, { metadata: { ...file("f", 3).metadata, mtimeNs: same.mtimeNs } });
  host.carryOut(1, originOf(), (push) => push.entries("", [isSame]));
  assert.deepEqual(host.kept, ["1"]);
  host.carryOut(2, originOf(1), () => undefined);
  assert.deepEqual(host.kept, ["2"]);
  host.carryOut(3, originOf(2), () => undefined);
  assert.deepEqual(host.kept, ["3"]);
  assert.equal(host.member.text("f"), "old");
});

test("a push is taken back by what is kept of it, and that can be taken back in its turn", () => {
  const host = new Host();
  host.carryOut(1, originOf(), (push) => push.bring("", [file("f", 5)]));
  assert.equal(host.member.text("f"), "fffff");
  host.carryOut(2, originOf(1), () => undefined);
  assert.deepEqual([host.member.text("f"), host.kept], ["old", ["2"]]);
  host.carryOut(3, originOf(2), () => undefined);
  assert.deepEqual([host.member.text("f"), host.kept], ["fffff", ["3"]]);
});

test("what is half removed takes nothing back, and is told once", () => {
  const host = new Host();
  host.carryOut(1, originOf(), (push) => push.bring("", [file("f", 5)]));
  host.member.memory.before = ({ isChange, kind, name }) => {
    if (isChange && kind === "unlink" && name.startsWith("discarded")) throw new DiskError("EPERM", kind);
  };
  assert.equal(host.keeper.makeRoom({}), false);
  assert.equal(host.keeper.makeRoom({}), false);
  finish(host.keeper.bound());
  const told = host.replies.flatMap((reply) =>
    reply.kind === "undo-areas" ? { why: reply.why, dropped: reply.dropped, code: reply.failure?.code } : [],
  );
  assert.deepEqual(told.slice(1), [
    { why: "space", dropped: [nameOf(1)], code: "EPERM" },
    { why: "bounds", dropped: [], code: undefined },
  ]);
  assert.deepEqual(host.kept, []);
  host.member.memory.before = undefined;
  const fail = () => host.carryOut(2, originOf(1), () => undefined);
  assert.throws(fail, (error) => error instanceof StageError && error.reason.code === "undo-gone");
  host.keeper.bounds = { pushes: 0, sizeBytes: 0 };
  host.keeper.look();
  assert.equal(host.member.has(".makuosan"), false, "the rest goes as soon as it can");
});

test("after a transfer the record of each kept area is read once; in the middle of it, for its number", () => {
  const host = new Host();
  for (let number = 1; number <= 4; number++)
    host.carryOut(number, originOf(), (push) => push.bring("", [file("f", number)]));
  let reads = 0;
  host.member.memory.before = ({ kind, name }) => {
    if (kind === "openFile" && name === "kept") reads++;
  };
  host.carryOut(5, originOf(), (push) => push.bring("", [file("f", 6)]));
  assert.deepEqual(host.kept, ["5", "4", "3", "2", "1"]);
  assert.ok(reads <= 4 + 5, `${reads} reads of 5 records`);
});

const CATCH_UP: Origin = { kind: "catch-up", digest: "" };
/** The undo 2 of the push 1. */
const FOLLOWED = { undo: nameOf(2), undone: nameOf(1) };

test("an undo that another host brings is kept as the undo, and can be taken back with all edits since the push", () => {
  const host = new Host();
  host.carryOut(9, CATCH_UP, (push) => push.bring("", [file("f", 4)]), FOLLOWED);
  assert.deepEqual([host.member.text("f"), host.kept], ["ffff", ["2"]]);
  host.carryOut(3, originOf(2), () => undefined);
  assert.deepEqual([host.member.text("f"), host.kept], ["old", ["3"]]);
});

test("what this host kept of the push goes when another one brings the undo", () => {
  const host = new Host();
  host.carryOut(1, originOf(), (push) => push.bring("", [file("f", 5)]));
  host.carryOut(9, CATCH_UP, (push) => push.bring("", [file("f", 4)]), FOLLOWED);
  assert.deepEqual([host.member.text("f"), host.kept], ["ffff", ["2"]]);
});

test("another transfer that catches a host up is not kept, nor does a push follow anything", () => {
  const host = new Host();
  host.carryOut(9, CATCH_UP, (push) => push.bring("", [file("f", 4)]));
  assert.deepEqual(host.kept, []);
  host.carryOut(1, originOf(), (push) => push.bring("", [file("f", 5)]), FOLLOWED);
  assert.deepEqual(host.kept, ["1"]);
});

test("an undo that comes in two parts is not kept, and the host says so; the same part again changes nothing", () => {
  const host = new Host();
  const part = (size: number) => (push: Push) => void push.bring("", [file("f", size)]);
  host.carryOut(8, CATCH_UP, part(4), FOLLOWED);
  host.carryOut(9, CATCH_UP, part(4), FOLLOWED);
  assert.deepEqual(host.kept, ["2"]);
  assert.deepEqual(host.dropped, []);
  host.carryOut(10, CATCH_UP, part(6), FOLLOWED);
  assert.deepEqual(host.kept, []);
  assert.deepEqual(host.dropped, [nameOf(2)]);
  assert.equal(host.member.has(".makuosan"), false);
});

test("an undo that changes nothing when another host brings it is not kept: it may have come in a transfer that was cut off", () => {
  const host = new Host();
  const same = host.member.stats("f")!;
  const isSame = file("f", 3, { metadata: { ...file("f", 3).metadata, mtimeNs: same.mtimeNs } });
  host.carryOut(9, CATCH_UP, (push) => push.entries("", [isSame]), FOLLOWED);
  assert.deepEqual([host.kept, host.dropped], [[], []]);
});

test("a host that keeps nothing of it says so, and keeps nothing of following", () => {
  const host = new Host();
  const fail = () => host.carryOut(2, originOf(1), () => undefined);
  assert.throws(fail, (error) => error instanceof StageError && error.reason.code === "undo-gone");
  // Its log may let it follow: then nothing is staged, and it is committed all the same.
  const push = host.member.push(nameOf(3), {});
  const record = new TransferRecord({ isNewcomer: false, recordsLists: false });
  record.origin = originOf(1);
  const open: StagedTransfer = { stage: push.stage, record };
  assert.throws(() => host.keeper.stage(open));
  assert.equal(commit(push.stage), undefined);
  open.isCommitted = true;
  finish(push.stage.clean());
  finish(host.keeper.noteEnd(nameOf(3), open));
  assert.deepEqual(host.kept, []);
  assert.deepEqual(
    push.stage.findingsFrom(0, 9).map(({ text }) => text),
    ["it has nothing of its own to bring back, and gets the former files from another host"],
  );
});
