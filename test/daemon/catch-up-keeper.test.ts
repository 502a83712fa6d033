import assert from "node:assert/strict";
import { test } from "node:test";
import { type CatchUpParts, CatchUpKeeper } from "../../src/daemon/catch-up/catch-up-keeper.ts";
import type { StageAnswer } from "../../src/daemon/disk/messages.ts";
import { type Here, MISSED, PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import { idOf } from "../../src/engine/catch-up/undo-choice.ts";
import type { Origin } from "../../src/wire/origin.ts";
import type { Publication, PublicationId, Scope } from "../../src/wire/publication.ts";

/** What this host has missed must not overtake what it has: the log says so, and pushes that are not in it yet. */

const DIGEST = "0123456789abcdef";
const PUSH = { epoch: "b".repeat(16), transfer: 4, admission: 1 };
const BROUGHT = { epoch: "c".repeat(16), transfer: 7, admission: 1 };

function keeper(): CatchUpKeeper {
  const engine = { catchUp: { log: { digest: DIGEST } }, isIdle: false };
  const parts = { engine, settings: { base: "/" }, file: undefined };
  return new CatchUpKeeper(parts as unknown as CatchUpParts);
}

function hold(one: CatchUpKeeper, answer: object): boolean {
  return one.hold(answer as StageAnswer, () => assert.fail("nothing is held back"));
}

function prepare(one: CatchUpKeeper, origin: Origin): void {
  hold(one, { kind: "prepared", inbound: BROUGHT, origin });
}

test("what was missed is committed if it was gathered for the log of now", () => {
  const one = keeper();
  prepare(one, { kind: "catch-up", digest: DIGEST });
  assert.equal(one.veto(BROUGHT), undefined);
  prepare(one, { kind: "catch-up", digest: "fedcba9876543210" });
  assert.equal(one.veto(BROUGHT)?.code, "newer-push");
});

test("a push that has changed the tree, and is not in the log yet, is newer than what was missed", () => {
  const one = keeper();
  prepare(one, { kind: "catch-up", digest: DIGEST });
  assert.equal(hold(one, { kind: "switched", inbound: PUSH }), false);
  assert.equal(one.veto(BROUGHT)?.code, "newer-push");
  one.onEvent({ kind: "inbound-ended", key: PUSH, outcome: "done", reason: "" });
  assert.equal(one.veto(BROUGHT), undefined);
});

/** The keeper of a host that was started again, and hears of an undo from the others. */
function learned(
  undo: Publication,
  { isIntact = true, areas = [idOf(undo)], areasFirst = true } = {},
): Here | undefined {
  const log = new PublicationLog({ hostName: "web2", ip: "10.0.0.2", labels: [] });
  const engine = { catchUp: { log, hasArea: () => false } };
  const file = { found: { isIntact }, add: () => Promise.resolve() };
  const parts = { engine, settings: { base: "/" }, file, log: { info: () => undefined } };
  const one = new CatchUpKeeper(parts as unknown as CatchUpParts);
  const recover = () => one.finished.noteAreas(areas.map((name) => ({ name, atMs: 5, sizeBytes: 1 })));
  if (areasFirst) recover();
  log.add(undo, MISSED);
  one.onEvent({ kind: "publications-learned", publications: [undo] });
  if (!areasFirst) recover();
  return log.find(undo)?.here;
}

test("an undo that a start has finished has taken effect: its own former files are not those of other hosts", () => {
  const undone = { nodeId: "22".repeat(16), epoch: "bb".repeat(8), number: 1 };
  const undo: Publication = { ...publicationOf(undone), number: 2, place: 2, undoes: undone };
  for (const areasFirst of [true, false])
    assert.deepEqual(learned(undo, { areasFirst }), { atMs: 5, list: "", reason: "" });
  assert.equal(learned(undo, { areas: [] })?.atMs, undefined);
  assert.equal(learned(undo, { isIntact: false })?.atMs, undefined, "without a log, all is missing");
  const push = { ...publicationOf(undone), number: 2, place: 2 };
  assert.equal(learned(push)?.atMs, undefined, "a push brings the same files to all");
});

function publicationOf(id: PublicationId): Publication {
  const scope: Scope = {
    ...{ paths: ["d"], recursive: true, deletes: "also", syncs: false, sendsAttributes: false },
    ...{ isPartial: false, excludes: [], targets: [], excepts: [] },
  };
  return { ...id, user: "root", host: "web1", place: 1, timeMs: 1, scope };
}
