import assert from "node:assert/strict";
import { test } from "node:test";
import { isStaged, MemoryPush, treeOf } from "./push.ts";

/** A dry run reaches the same decisions as the push, and changes nothing. */

/** Chosen for the time of the test. */
const SEEDS = 150;

test(`${SEEDS} random pushes are told by a dry run as they are carried out`, () => {
  let deletes = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const push = new MemoryPush(seed, {});
    const changes = push.to.changes;
    const told = push.report(true);
    assert.equal(push.to.changes, changes, `seed ${seed}: a dry run changes something`);
    assert.deepEqual(told, push.report(false), `seed ${seed}`);
    assert.ok(!isStaged(push.to));
    assert.equal(treeOf(push.to), push.before);
    deletes += told.findings.length;
  }
  assert.ok(deletes > SEEDS, "the pushes delete something");
});
