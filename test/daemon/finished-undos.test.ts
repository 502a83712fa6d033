import assert from "node:assert/strict";
import type { FoundUndo } from "../../src/daemon/disk/messages.ts";
import { test } from "node:test";
import { type CatchUpParts, CatchUpKeeper } from "../../src/daemon/catch-up/catch-up-keeper.ts";
import { type Here, MISSED, PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import { idOf } from "../../src/engine/catch-up/undo-choice.ts";
import type { Publication } from "../../src/wire/publication.ts";
import { publication } from "../engine/catching-node.ts";

/** A host that was stopped between its switch and the record of that hears of it from the others. */

const { nodeId, epoch, number } = publication(1);
const PUSH = publication(2);
const UNDO: Publication = { ...PUSH, undoes: { nodeId, epoch, number } };

interface Start {
  readonly isIntact?: boolean;
  readonly kept?: readonly string[];
  readonly knowsAreasFirst?: boolean;
}

/** What the log says of a publication that a host learns after its start. */
function learned(
  missed: Publication,
  { isIntact = true, kept = [idOf(missed)], knowsAreasFirst = true }: Start = {},
): Here | undefined {
  const log = new PublicationLog({ hostName: "host2", ip: "10.0.0.2", labels: [] });
  const engine = { catchUp: { log, hasArea: () => false } };
  const file = { found: { isIntact, log }, add: () => Promise.resolve() };
  const parts = { engine, settings: { base: "/" }, file, log: { info: () => undefined } };
  const keeper = new CatchUpKeeper(parts as unknown as CatchUpParts);
  const recover = () => keeper.finished.noteAreas(kept.map(areaNamed));
  if (knowsAreasFirst) recover();
  log.add(missed, MISSED);
  keeper.onEvent({ kind: "publications-learned", publications: [missed] });
  if (!knowsAreasFirst) recover();
  return log.find(missed)?.here;
}

function areaNamed(name: string): FoundUndo {
  return { name, atMs: 5, number: 1, sizeBytes: 1, entries: 1, check: 0, isFollowed: false, list: "" };
}

test("an undo that a start has finished has taken effect: its own former files are not those of other hosts", () => {
  for (const knowsAreasFirst of [true, false])
    assert.deepEqual(learned(UNDO, { knowsAreasFirst }), { atMs: 5, list: "", reason: "" });
});

test("it is missing where nothing of it is kept, or where the log was lost", () => {
  assert.equal(learned(UNDO, { kept: [] })?.atMs, undefined);
  assert.equal(learned(UNDO, { isIntact: false })?.atMs, undefined);
});

test("a push is missing until its record: it brings the same files to all hosts", () => {
  assert.equal(learned(PUSH)?.atMs, undefined);
});
