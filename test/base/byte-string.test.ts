import assert from "node:assert/strict";
import { test } from "node:test";
import { byteStringOf, bytesOf } from "../../src/base/byte-string.ts";
import { bytesOfHex, hexOf } from "../../src/base/hex.ts";
import { randomBytes, SeededRandom } from "../../src/base/random.ts";

test("a byte string has one character for each byte, of any value", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, value) => value);
  const text = byteStringOf(bytes);
  assert.equal(text.length, 256);
  for (let value = 0; value < 256; value++) assert.equal(text.charCodeAt(value), value);
  assert.deepEqual(bytesOf(text), bytes);
});

test("byte strings of every length come back as the bytes they were made of", () => {
  const random = new SeededRandom(1);
  for (const length of [0, 1, 255, 4095, 4096, 4097, 8192, 8193, 300_000]) {
    const bytes = randomBytes(random, length);
    assert.deepEqual(bytesOf(byteStringOf(bytes)), bytes);
  }
});

test("names that are not UTF-8 go through JSON without loss", () => {
  const name = byteStringOf(new Uint8Array([0xff, 0xfe, 0x0a, 0x22, 0x5c, 0xc3, 0x28]));
  assert.equal(JSON.parse(JSON.stringify(name)), name);
});

test("hexadecimal digits come back as the bytes they stand for", () => {
  assert.equal(hexOf(new Uint8Array([0, 9, 0x0a, 0xff])), "00090aff");
  assert.deepEqual([...bytesOfHex("00090aff")], [0, 9, 0x0a, 0xff]);
  const bytes = randomBytes(new SeededRandom(2), 100);
  assert.deepEqual(bytesOfHex(hexOf(bytes)), bytes);
});
