import assert from "node:assert/strict";
import { test } from "node:test";
import { EndedTransfers } from "../../src/engine/receiver/ended-transfers.ts";
import { REMEMBERED_TRANSFERS } from "../../src/wire/limits.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";

const keyOf = (transfer: number) => ({ epoch: "0000000000000001", transfer });

test("the last transfers are remembered with their last words, and the oldest is forgotten first", () => {
  const ended = new EndedTransfers();
  for (let transfer = 1; transfer <= REMEMBERED_TRANSFERS + 1; transfer++)
    ended.add(keyOf(transfer), { phase: MemberPhase.failed, reason: `reason ${transfer}` });
  assert.equal(ended.of(keyOf(1)), undefined);
  assert.deepEqual(ended.of(keyOf(2)), { phase: MemberPhase.failed, reason: "reason 2" });
  const newest = REMEMBERED_TRANSFERS + 1;
  assert.equal(ended.of(keyOf(newest))?.reason, `reason ${newest}`);
  assert.equal(ended.of({ ...keyOf(2), epoch: "0000000000000002" }), undefined, "of another sender");
});
