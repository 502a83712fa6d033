import assert from "node:assert/strict";
import { test } from "node:test";
import { WantCollector } from "../../src/engine/sender/wants.ts";
import { differingEntries, SEPARATE } from "../../src/wire/differences.ts";

/** What the answers of several members come to. */

const answer = (...differences: number[]) => {
  const bytes = Uint8Array.of(...differences);
  return { block: 0, entries: differingEntries(bytes), differences: bytes };
};

test("the contents of a hard link are sent if one member makes it a file of its own, and only then", () => {
  const wants = new WantCollector();
  wants.add(0, 3);
  wants.note("one", answer(4, 4, 0));
  wants.note("other", answer(0, 4 | SEPARATE, 8));
  const [settled] = wants.takeSettled(["one", "other"]);
  assert.deepEqual([...(settled?.separate?.bytes ?? [])], [0b010]);
  wants.add(0, 1);
  wants.note("one", answer(4));
  assert.equal(wants.takeSettled(["one"])[0]?.separate, undefined);
});
