import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfHex, hexOf } from "../../src/base/hex.ts";
import { randomBytes, SeededRandom } from "../../src/base/random.ts";

test("hexadecimal digits come back as the bytes they stand for", () => {
  assert.equal(hexOf(new Uint8Array([0, 9, 0x0a, 0xff])), "00090aff");
  assert.deepEqual([...bytesOfHex("00090aff")], [0, 9, 0x0a, 0xff]);
  const bytes = randomBytes(new SeededRandom(2), 100);
  assert.deepEqual(bytesOfHex(hexOf(bytes)), bytes);
});
