import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bitmap } from "../../src/base/bitmap.ts";
import {
  Difference,
  differenceNames,
  differingEntries,
  entriesNeedingContents,
  isOfAttributesAlone,
  SEPARATE,
  separateEntries,
} from "../../src/wire/differences.ts";

/** The bits as PROTOCOL.md 5.2 has them, and whether the contents of an entry are needed where one is set. */
const BITS = [
  ["missing", 1, true],
  ["type", 2, true],
  ["contents", 4, true],
  ["mode", 8, false],
  ["owner", 16, false],
  ["time", 32, false],
  ["attributes", 64, false],
] as const;

test("a hard link that becomes a file of its own has a bit beside its difference, and no name", () => {
  assert.equal(SEPARATE, 128);
  assert.deepEqual(indicesOf(separateEntries(Uint8Array.of(4, 4 | SEPARATE, 0, 1 | SEPARATE))), [1, 3]);
  assert.deepEqual(differenceNames(4 | SEPARATE), ["contents"]);
});

const indicesOf = (bitmap: Bitmap) =>
  Array.from({ length: bitmap.size }, (_, index) => index).filter((index) => bitmap.get(index));

test("each difference has the bit that the protocol gives it", () => {
  assert.deepEqual(
    Object.entries(Difference),
    BITS.map(([name, bit]) => [name, bit]),
  );
});

test("the contents are needed of what is missing, of another type, or has others; nothing else needs them", () => {
  const differences = new Uint8Array(BITS.map(([, bit]) => bit));
  assert.deepEqual(indicesOf(entriesNeedingContents(differences)), [0, 1, 2]);
  for (const [name, bit, needsContents] of BITS) {
    assert.equal(isOfAttributesAlone(bit), !needsContents, name);
    assert.equal(isOfAttributesAlone(bit | 8 | 64), !needsContents, `${name} among others`);
  }
});

test("an entry differs where any bit is set, also one without a name", () => {
  assert.deepEqual(indicesOf(differingEntries(new Uint8Array([0, 1, 0, 64, 128, 0]))), [1, 3, 4]);
  assert.deepEqual(indicesOf(entriesNeedingContents(new Uint8Array([0, 12, 8]))), [1]);
});

test("differences are named one by one, in the order of their bits", () => {
  assert.deepEqual(differenceNames(0), []);
  for (const [name, bit] of BITS) assert.deepEqual(differenceNames(bit), [name]);
  assert.deepEqual(differenceNames(4 | 8 | 32), ["contents", "mode", "time"]);
});
