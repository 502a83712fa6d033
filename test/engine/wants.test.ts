import assert from "node:assert/strict";
import { test } from "node:test";
import { WantCollector } from "../../src/engine/sender/wants.ts";
import { differingEntries, ELSEWHERE, SEPARATE } from "../../src/wire/differences.ts";

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

test("a file that all who need it may have elsewhere is not sent yet, and one that a single member lacks is", () => {
  const wants = new WantCollector();
  wants.add(0, 5);
  wants.note("one", answer(1 | ELSEWHERE, 1 | ELSEWHERE, 0, 1, 1 | ELSEWHERE));
  wants.note("other", answer(4 | ELSEWHERE, 1, 4 | ELSEWHERE, 8, 8));
  const [settled] = wants.takeSettled(["one", "other"]);
  assert.deepEqual([...(settled?.elsewhere?.bytes ?? [])], [0b10101]);
  assert.deepEqual([...(settled?.contents.bytes ?? [])], [0b01010]);
  assert.deepEqual([...(settled?.union.bytes ?? [])], [0b11111]);
});

test("a member that tells no differences has nothing elsewhere", () => {
  const wants = new WantCollector();
  wants.add(0, 1);
  wants.note("one", answer(1 | ELSEWHERE));
  wants.note("other", { block: 0, entries: differingEntries(Uint8Array.of(1)), differences: undefined });
  const [settled] = wants.takeSettled(["one", "other"]);
  assert.equal(settled?.elsewhere, undefined);
  assert.deepEqual([...(settled?.contents.bytes ?? [])], [1]);
});

test("a mark on an entry whose contents nobody needs is no need of them", () => {
  const wants = new WantCollector();
  wants.add(0, 1);
  wants.note("one", answer(8 | ELSEWHERE));
  const [settled] = wants.takeSettled(["one"]);
  assert.equal(settled?.elsewhere, undefined);
  assert.deepEqual([...(settled?.contents.bytes ?? [])], [0]);
});
