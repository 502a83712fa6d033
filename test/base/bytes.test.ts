import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../src/base/assert.ts";
import { ByteReader, ByteWriter, DecodeError } from "../../src/base/bytes.ts";

test("what a writer wrote, a reader reads", () => {
  const writer = new ByteWriter(100);
  writer.u8(0xff).u16(0xfffe).u32(0xffff_fffd).u64(0xffff_ffff_ffff_fffcn).i64(-3n);
  writer
    .raw(new Uint8Array([1, 2]))
    .text("ab")
    .shortText("")
    .shortText("\u00ff")
    .longText("long");
  const reader = new ByteReader(writer.written());
  assert.equal(reader.u8(), 0xff);
  assert.equal(reader.u16(), 0xfffe);
  assert.equal(reader.u32(), 0xffff_fffd);
  assert.equal(reader.u64(), 0xffff_ffff_ffff_fffcn);
  assert.equal(reader.i64(), -3n);
  assert.deepEqual([...reader.raw(2)], [1, 2]);
  assert.equal(reader.text(2), "ab");
  assert.equal(reader.shortText(), "");
  assert.equal(reader.shortText(), "\u00ff");
  assert.equal(reader.longText(), "long");
  reader.expectEnd();
});

test("a short text is passed over where it is the one that is asked for, and else stays to be read", () => {
  const written = new ByteWriter(20).shortText("root").shortText("").u8(7).written();
  const reader = new ByteReader(written);
  for (const other of ["", "roo", "rooT", "root ", "\u0000root"])
    assert.ok(!reader.skipShortText(other), other);
  assert.ok(reader.skipShortText("root"));
  assert.ok(!reader.skipShortText("\u0007"));
  assert.ok(reader.skipShortText(""));
  assert.equal(reader.u8(), 7);
  assert.ok(!reader.skipShortText(""));
  // Bytes after the end are not read, even if they would match.
  assert.ok(!new ByteReader(written.subarray(0, 4)).skipShortText("root"));
});

test("texts of every length come back", () => {
  for (let length = 0; length < 20; length++) {
    const text = Array.from({ length }, (_, index) => String.fromCharCode(255 - index)).join("");
    assert.equal(new ByteReader(new ByteWriter(20).text(text).written()).text(length), text);
  }
});

test("integers are little-endian", () => {
  const writer = new ByteWriter(15).u8(1).u16(0x0302).u32(0x0706_0504).u64(0x0f0e_0d0c_0b0a_0908n);
  assert.deepEqual(
    [...writer.bytes],
    Array.from({ length: 15 }, (_, index) => index + 1),
  );
});

/** Every reading method, with the least number of bytes that it needs. */
const READS: readonly (readonly [string, number, (reader: ByteReader) => unknown])[] = [
  ["u8", 1, (reader) => reader.u8()],
  ["u16", 2, (reader) => reader.u16()],
  ["u32", 4, (reader) => reader.u32()],
  ["u64", 8, (reader) => reader.u64()],
  ["i64", 8, (reader) => reader.i64()],
  ["flag", 1, (reader) => reader.flag()],
  ["u53", 8, (reader) => reader.u53("a size")],
  ["raw", 5, (reader) => reader.raw(5)],
  ["text", 5, (reader) => reader.text(5)],
  ["shortText", 3, (reader) => reader.shortText()],
  ["longText", 4, (reader) => reader.longText()],
];

/** The number two as a length in one byte and in two, so that each text is exactly as long as the table says. */
const prefixes: Readonly<Record<string, readonly number[]>> = { shortText: [2], longText: [2, 0] };

for (const [name, needed, read] of READS) {
  test(`input that ends too early is refused by ${name}, wherever it ends`, () => {
    const memory = new Uint8Array(needed + 8);
    memory.set(prefixes[name] ?? []);
    // There are bytes after the end, but they do not belong to the reader.
    for (let length = 0; length < needed; length++) {
      assert.throws(() => read(new ByteReader(memory.subarray(0, length))), DecodeError);
    }
    const reader = new ByteReader(memory.subarray(0, needed));
    read(reader);
    assert.equal(reader.remaining, 0);
    reader.expectEnd();
    assert.throws(() => read(reader), DecodeError);
  });
}

test("bytes behind the end are too many", () => {
  const reader = new ByteReader(new Uint8Array(3));
  reader.u8();
  assert.throws(() => reader.expectEnd(), new DecodeError("2 bytes too many"));
});

test("a refused read takes nothing", () => {
  const reader = new ByteReader(new Uint8Array([7, 0]));
  assert.throws(() => reader.u32(), new DecodeError("2 bytes too few"));
  assert.equal(reader.position, 0);
  assert.equal(reader.u16(), 7);
});

test("a reader and a writer keep to the piece of memory they are given", () => {
  const memory = new Uint8Array(10).fill(9);
  new ByteWriter(memory.subarray(3, 6)).u8(1).u16(0x0302);
  assert.deepEqual([...memory], [9, 9, 9, 1, 2, 3, 9, 9, 9, 9]);
  new ByteWriter(memory.subarray(6)).text("a");
  assert.deepEqual([...memory.subarray(6)], [0x61, 9, 9, 9], "what lies behind a text stays");
  const reader = new ByteReader(memory.subarray(3, 6));
  assert.equal(reader.raw(3).byteOffset, 3, "a view, not a copy");
  assert.throws(() => reader.u8(), DecodeError);
});

test("a writer that runs past its memory is a fault of this program", () => {
  const writes: ((writer: ByteWriter) => unknown)[] = [
    (writer) => writer.u32(1),
    (writer) => writer.u64(1n),
    (writer) => writer.i64(1n),
    (writer) => writer.raw(new Uint8Array(4)),
    (writer) => writer.text("four"),
    (writer) => writer.shortText("tri"),
    (writer) => writer.longText("du"),
  ];
  for (const write of writes) {
    const writer = new ByteWriter(3);
    assert.throws(() => write(writer), InvariantError);
    assert.ok(writer.room >= 0);
  }
});

test("a text longer than its length can say is a fault of this program", () => {
  const writer = new ByteWriter(70_000);
  assert.throws(() => writer.shortText("x".repeat(256)), InvariantError);
  assert.throws(() => writer.longText("x".repeat(65_536)), InvariantError);
  assert.equal(writer.position, 0);
  writer.shortText("x".repeat(255)).longText("x".repeat(65_535));
  const reader = new ByteReader(writer.written());
  assert.deepEqual([reader.shortText().length, reader.longText().length], [255, 65_535]);
});

test("a flag is 0 or 1", () => {
  const reader = new ByteReader(new Uint8Array([0, 1, 2, 255]));
  assert.equal(reader.flag(), false);
  assert.equal(reader.flag(), true);
  assert.throws(() => reader.flag(), DecodeError);
  assert.throws(() => reader.flag(), DecodeError);
});

test("a number of 64 bits is read where a number can hold it, and else refused by its name", () => {
  for (const value of [0n, 1n, 2n ** 32n, 2n ** 53n - 1n])
    assert.equal(new ByteReader(new ByteWriter(8).u64(value).written()).u53("a size"), Number(value));
  for (const value of [2n ** 53n, 2n ** 64n - 1n]) {
    const reader = new ByteReader(new ByteWriter(8).u64(value).written());
    assert.throws(() => reader.u53("a size"), new DecodeError("a size is out of range"));
  }
});

test("a short text that ends where the input ends is passed over", () => {
  const written = new ByteWriter(5).shortText("root").written();
  assert.ok(new ByteReader(written).skipShortText("root"));
  assert.ok(!new ByteReader(written).skipShortText("toot"));
  assert.ok(!new ByteReader(written.subarray(0, 4)).skipShortText("root"));
});

test("a count can be filled in later, but only where something was written", () => {
  const writer = new ByteWriter(6).u16(0).u8(7);
  writer.patchU16(0, 0x1234);
  assert.deepEqual([...writer.written()], [0x34, 0x12, 7]);
  assert.throws(() => writer.patchU16(2, 1), InvariantError);
  writer.patchU16(1, 0x5678);
  assert.deepEqual([...writer.written()], [0x34, 0x78, 0x56]);
});

test("room and remaining tell what is left", () => {
  const writer = new ByteWriter(5).u16(1);
  assert.equal(writer.room, 3);
  assert.equal(writer.written().length, 2);
  const reader = new ByteReader(writer.bytes);
  reader.u8();
  assert.equal(reader.remaining, 4);
});
