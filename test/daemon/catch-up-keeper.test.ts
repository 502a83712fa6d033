import assert from "node:assert/strict";
import { test } from "node:test";
import { type CatchUpParts, CatchUpKeeper } from "../../src/daemon/catch-up/catch-up-keeper.ts";
import type { StageAnswer } from "../../src/daemon/disk/messages.ts";
import { FORMER, type Here, MISSED, PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import type { Origin } from "../../src/wire/origin.ts";
import type { Publication } from "../../src/wire/publication.ts";
import { publication } from "../engine/catching-node.ts";

/** What this host has missed must not overtake what it has: the log says so, and pushes that are not in it yet. */

const PUSH = { epoch: "b".repeat(16), transfer: 4, admission: 1 };
const BROUGHT = { epoch: "c".repeat(16), transfer: 7, admission: 1 };

function keeper() {
  const log = new PublicationLog({ hostName: "host2", ip: "10.0.0.2", labels: [] });
  const learn = (one: Publication, here: Here) => {
    log.add(one, here);
    log.noteState();
  };
  learn(publication(1), MISSED);
  const engine = { catchUp: { log }, isIdle: false };
  const parts = { engine, settings: { base: "/" }, file: undefined };
  const one = new CatchUpKeeper(parts as unknown as CatchUpParts);
  const hold = (answer: object) => one.hold(answer as StageAnswer, () => assert.fail("nothing is held back"));
  const prepare = (origin: Origin) => hold({ kind: "prepared", inbound: BROUGHT, origin });
  /** What is decided so far: the lists that the commit leaves alone, or why there is none. */
  const decide = () => {
    const decided: (readonly string[] | string)[] = [];
    one.decide(BROUGHT, ({ veto, later }) => decided.push(veto?.code ?? later));
    return decided;
  };
  return { one, log, learn, hold, prepare, decide };
}

const LISTED = { atMs: 5, list: "later", reason: "" };

test("what was missed is committed if it was gathered for the log of now", () => {
  const { prepare, decide, log } = keeper();
  prepare({ kind: "catch-up", digest: log.digest });
  assert.deepEqual(decide(), [[]]);
  prepare({ kind: "catch-up", digest: "fedcba9876543210" });
  assert.deepEqual(decide(), ["newer-push"], "by a log that this host never had");
});

test("what was missed leaves alone what was pushed since it was gathered", () => {
  const { prepare, decide, learn, log } = keeper();
  prepare({ kind: "catch-up", digest: log.digest });
  learn(publication(2, { paths: ["www/a"] }), LISTED);
  assert.deepEqual(decide(), [["later"]]);
  // Its paths are not known.
  learn(publication(3, { paths: ["www/b"] }), { ...LISTED, list: "" });
  assert.deepEqual(decide(), ["newer-push"]);
});

test("what was pushed since counts also if a later push has covered it, which this host lacks", () => {
  const { prepare, decide, learn, log } = keeper();
  prepare({ kind: "catch-up", digest: log.digest });
  const file = { paths: ["www/a"], recursive: false };
  learn(publication(2, file), LISTED);
  learn(publication(3, file), MISSED);
  assert.deepEqual(decide(), [["later"]]);
  // After more than it remembers, it cannot tell.
  for (let number = 4; number < 4 + FORMER; number++) learn(publication(number, file), MISSED);
  assert.deepEqual(decide(), ["newer-push"]);
});

test("what was gathered before something else that was brought comes too late", () => {
  const { prepare, decide, learn, log, hold } = keeper();
  const before = log.digest;
  learn(publication(2, { paths: ["www/a"] }), MISSED);
  const origin = { kind: "catch-up", digest: log.digest };
  hold({ kind: "committed", inbound: { ...BROUGHT, transfer: 8 }, origin, failure: undefined });
  prepare({ kind: "catch-up", digest: before });
  assert.deepEqual(decide(), ["newer-push"]);
});

test("a commit of what was missed waits until a push that has changed the tree is in the log", () => {
  const { one, prepare, decide, learn, hold, log } = keeper();
  prepare({ kind: "catch-up", digest: log.digest });
  assert.equal(hold({ kind: "switched", inbound: PUSH }), false);
  const decided = decide();
  assert.deepEqual(decided, []);
  learn(publication(2, { paths: ["www/a"] }), LISTED);
  one.onEvent({ kind: "inbound-ended", key: PUSH, outcome: "done", reason: "" });
  assert.deepEqual(decided, [["later"]]);
});
