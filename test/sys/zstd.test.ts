import assert from "node:assert/strict";
import { test } from "node:test";
import zlib from "node:zlib";
import { compressInto, hasNativeZstd, unpackInto } from "../../src/sys/zstd.ts";

/** zstd by the library inside Node, beside that of node:zlib. */

const skip = process.env["MAKUOSAN_WITHOUT_FFI"] === "1";
const TEXT = Buffer.from("All members switch to the new state together. ".repeat(3000));
const GUARD = 0xa5;

test("this Node lets its zstd be called", { skip }, () => assert.ok(hasNativeZstd()));

for (const level of [1, 3, 5]) {
  test(`frames of level ${level} are those of node:zlib, both ways`, { skip }, () => {
    const memory = new Uint8Array(TEXT.length);
    const bytes = compressInto(memory, TEXT, level);
    assert.ok(bytes !== undefined && bytes < TEXT.length / 10, String(bytes));
    assert.ok(zlib.zstdDecompressSync(memory.subarray(0, bytes)).equals(TEXT));
    const frame = zlib.zstdCompressSync(TEXT, {
      params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
    });
    const target = new Uint8Array(TEXT.length);
    assert.equal(unpackInto(target, frame), TEXT.length);
    assert.ok(TEXT.equals(target));
  });
}

test("nothing is written behind the memory that is given", { skip }, () => {
  const memory = new Uint8Array(TEXT.length + 16).fill(GUARD);
  const frame = memory.slice(0, compressInto(memory, TEXT, 1));
  for (const room of [0, 1, frame.length - 1]) {
    memory.fill(GUARD);
    assert.equal(compressInto(memory.subarray(0, room), TEXT, 1), undefined);
    assert.ok(memory.subarray(room).every((byte) => byte === GUARD));
  }
  for (const room of [0, 1, TEXT.length - 1]) {
    memory.fill(GUARD);
    assert.equal(unpackInto(memory.subarray(0, room), frame), undefined);
    assert.ok(memory.subarray(room).every((byte) => byte === GUARD));
  }
});

test("what is no whole frame, or more than one, is refused", { skip }, () => {
  const frame = zlib.zstdCompressSync(TEXT);
  const target = new Uint8Array(2 * TEXT.length);
  for (let bytes = 0; bytes < frame.length; bytes++)
    assert.equal(unpackInto(target, frame.subarray(0, bytes)), undefined);
  assert.equal(unpackInto(target, Buffer.concat([frame, frame])), undefined);
  assert.equal(unpackInto(target, Buffer.concat([frame, Buffer.from([0])])), undefined);
  for (let at = 0; at < frame.length; at++) {
    const damaged = Buffer.from(frame);
    damaged[at]! ^= 0xff;
    const bytes = unpackInto(target, damaged) ?? 0;
    assert.ok(bytes <= target.length);
  }
  // A damaged frame spoils nothing for those after it.
  assert.equal(unpackInto(target, frame), TEXT.length);
});
