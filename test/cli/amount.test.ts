import assert from "node:assert/strict";
import { test } from "node:test";
import { amountText } from "../../src/cli/amount.ts";

test("what did not cross the network is said, where anything did not", () => {
  const amounts = { entries: 2, bytes: 3_000 };
  assert.equal(amountText({ ...amounts, savedBytes: 2_900 }), "2 entries, 3000 bytes (2900 saved)");
  assert.equal(amountText({ ...amounts, savedBytes: 0 }), "2 entries, 3000 bytes");
  // What was received, and what an older daemon says, has no such number.
  assert.equal(amountText(amounts), "2 entries, 3000 bytes");
});
