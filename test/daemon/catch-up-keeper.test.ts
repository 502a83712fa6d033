import assert from "node:assert/strict";
import { test } from "node:test";
import { type CatchUpParts, CatchUpKeeper } from "../../src/daemon/catch-up/catch-up-keeper.ts";
import type { StageAnswer } from "../../src/daemon/disk/messages.ts";
import type { Origin } from "../../src/wire/origin.ts";

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
