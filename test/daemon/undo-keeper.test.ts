import assert from "node:assert/strict";
import { test } from "node:test";
import { finish } from "../../src/base/steps.ts";
import type { StageReply } from "../../src/daemon/disk/messages.ts";
import type { StageBase } from "../../src/daemon/disk/stage-base.ts";
import { TransferRecord } from "../../src/daemon/disk/transfer-record.ts";
import { type StagedTransfer, UndoKeeper } from "../../src/daemon/disk/undo-areas.ts";
import type { Stage } from "../../src/tree/apply/stage.ts";
import { StageError } from "../../src/tree/reasons/stage-error.ts";
import type { Origin } from "../../src/wire/origin.ts";
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
  carryOut(number: number, origin: Origin, bring: (push: Push) => void): void {
    const record = new TransferRecord({ isNewcomer: false, recordsLists: false });
    record.origin = origin;
    const push = this.member.push(nameOf(number), { keepsReplaced: () => this.keeper.isOn });
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
