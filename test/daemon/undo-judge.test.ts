import assert from "node:assert/strict";
import { test } from "node:test";
import { UndoJudge, type UndoJudgeParts } from "../../src/daemon/catch-up/undo-judge.ts";
import type { StageAnswer } from "../../src/daemon/disk/messages.ts";
import { type Here, MISSED, PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import { idOf } from "../../src/engine/catch-up/undo-choice.ts";
import { inboundName } from "../../src/engine/types.ts";
import { reason } from "../../src/base/reason.ts";
import type { Publication, Scope } from "../../src/wire/publication.ts";

/** What a member answers when a push is to be taken back. */

const SELF = "11".repeat(16);
const INBOUND = { epoch: "cc".repeat(8), transfer: 9, admission: 1 };
const GONE = reason("undo-gone", undefined, "x");

function publication(nodeId: string, number = 1): Publication {
  const scope: Scope = {
    ...{ paths: [`d${number}`], recursive: true, deletes: "also", syncs: false, sendsAttributes: false },
    ...{ isPartial: false, excludes: [], targets: [], excepts: [] },
  };
  const names = { nodeId, epoch: "bb".repeat(8), number, user: "root", host: "web1" };
  return { ...names, place: number, timeMs: 1, scope };
}

interface Case {
  readonly pushed?: Publication;
  readonly here?: Here;
  readonly digest?: string;
  readonly catchUp?: boolean;
  readonly hasLog?: boolean;
  readonly isKept?: boolean;
  /** What this host knows besides. */
  readonly others?: readonly Publication[];
}

/** The code of the reason against it, or "ready" or "follows". */
function verdictOn({
  pushed = publication("22".repeat(16)),
  here,
  digest,
  catchUp = true,
  hasLog = true,
  isKept = false,
  others = [],
}: Case) {
  const log = new PublicationLog({ hostName: "web2", ip: "10.0.0.2", labels: [] });
  if (here !== undefined) log.add(pushed, here);
  for (const one of others) log.add(one, at(idOf(one)));
  const engine = { catchUp: hasLog ? { log } : undefined };
  const parts = { engine, identity: { nodeId: SELF }, settings: { catchUp } };
  const judge = new UndoJudge(parts as unknown as UndoJudgeParts);
  const { nodeId, epoch, number } = pushed;
  const announced = { ...publication("33".repeat(16), 2), undoes: { nodeId, epoch, number } };
  const origin = { kind: "undo", announced, digest: digest ?? log.digest } as const;
  const answer = { kind: "prepared", inbound: INBOUND, origin, failure: isKept ? undefined : GONE };
  const { failure } = judge.judged(answer as unknown as StageAnswer) as { failure?: { code: string } };
  if (failure !== undefined) return failure.code;
  return judge.follows(inboundName(INBOUND)) ? "follows" : "ready";
}

const at = (list: string): Here => ({ atMs: 1, list, reason: "" });

test("a host that keeps what it had is ready, if the sender has chosen by the same log", () => {
  const pushed = publication("22".repeat(16));
  assert.equal(verdictOn({ here: at(idOf(pushed)), isKept: true }), "ready");
  assert.equal(verdictOn({ here: at(idOf(pushed)), isKept: true, digest: "0".repeat(16) }), "undo-other-log");
  assert.equal(verdictOn({ hasLog: false, isKept: true, digest: "" }), "undo-no-log");
});

test("a host that had it by the push, and keeps nothing any more, fails", () => {
  assert.equal(verdictOn({ here: at(idOf(publication(""))) }), "undo-gone");
  assert.equal(verdictOn({ here: at("") }), "undo-gone", "nobody knows how it has come");
});

test("a host whose files were not changed by the push itself follows, unless it does not catch up", () => {
  assert.equal(verdictOn({ pushed: publication(SELF), here: at(idOf(publication(SELF))) }), "follows");
  assert.equal(verdictOn({ here: MISSED }), "follows");
  assert.equal(verdictOn({}), "follows", "it joined when a later push had covered that one");
  assert.equal(verdictOn({ here: at("dd-7") }), "follows", "another host has brought it");
  assert.equal(verdictOn({ pushed: publication(SELF), here: at("x"), catchUp: false }), "undo-stays-behind");
  assert.equal(verdictOn({ here: at(idOf(publication(""))), catchUp: false }), "undo-gone");
});

test("a host that knows of a later push, or of an undo, stops an undo that was chosen without them", () => {
  const pushed = publication("22".repeat(16));
  const { nodeId, epoch, number, scope } = pushed;
  const kept = { pushed, here: at(idOf(pushed)), isKept: true };
  const undo = { ...publication("22".repeat(16), 3), scope, undoes: { nodeId, epoch, number } };
  const later = { ...publication("22".repeat(16), 4), scope };
  assert.equal(verdictOn({ ...kept, others: [publication("22".repeat(16), 5)] }), "ready");
  assert.equal(verdictOn({ ...kept, others: [undo] }), "undo-obstacle");
  // The last one has covered the others: they are not in the log, and others may not know them.
  const again = { ...publication("22".repeat(16), 6), scope };
  const back = { ...again, place: 7, number: 7, undoes: { nodeId, epoch, number: 6 } };
  assert.equal(verdictOn({ ...kept, others: [again, back] }), "ready");
  assert.equal(verdictOn({ ...kept, others: [later, again, back] }), "undo-obstacle");
  assert.equal(verdictOn({ ...kept, others: [undo, again, back] }), "undo-obstacle");
});
