import assert from "node:assert/strict";
import crypto from "node:crypto";
import { describe, test } from "node:test";
import { Chunker, chunkBytesFor, chunkMemory } from "../../src/tree/entries/chunker.ts";
import { ChunkTags } from "../../src/tree/entries/chunk-tags.ts";
import { type FileChunk, FileChunks } from "../../src/tree/entries/file-chunks.ts";
import type { ReadableFile } from "../../src/tree/disk/tree-view.ts";
import { CHUNK_BYTES, CHUNK_BYTES_MOST, CHUNKS_OF_A_FILE } from "../../src/wire/limits.ts";

const USUAL = 4096;
const BYTES = crypto
  .createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16))
  .update(Buffer.alloc(1_000_000));

/** The places where chunks end, if the contents come in pieces of a length. */
function endsOf(contents: Uint8Array, pieceBytes = contents.length, usualBytes = USUAL): number[] {
  const chunker = new Chunker(usualBytes);
  const ends: number[] = [];
  for (let start = 0; start < contents.length; start += pieceBytes) {
    const piece = contents.subarray(start, start + pieceBytes);
    for (let from = 0; from < piece.length;) {
      const end = chunker.findEnd(piece, from);
      if (end === undefined) break;
      ends.push(start + end);
      from = end;
    }
  }
  return ends;
}

describe("chunks", () => {
  test("end at the same places, in whatever pieces the contents come", () => {
    const ends = endsOf(BYTES);
    assert.ok(ends.length > 100);
    for (const pieceBytes of [1, 31, 1000, 4096, 77_777]) assert.deepEqual(endsOf(BYTES, pieceBytes), ends);
  });

  test("end where they always did: members of other versions look for the same ones", () => {
    assert.deepEqual(endsOf(BYTES).slice(0, 5), [2070, 4421, 6829, 9367, 11799]);
  });

  test("end at the same places in memory of the kernel, which is fast", () => {
    for (const usualBytes of [64, USUAL, CHUNK_BYTES])
      for (const contents of [BYTES, Buffer.alloc(300_000), Buffer.alloc(300_000, "abc")]) {
        // The memory grows: what it has then counts.
        const memory = chunkMemory(contents.length);
        memory.set(contents);
        const ends = endsOf(contents, contents.length, usualBytes);
        for (const pieceBytes of [1, 9, 1001, 77_777, contents.length])
          assert.deepEqual(endsOf(memory, pieceBytes, usualBytes), ends);
      }
  });

  test("of a file are found in memory of the kernel", () => {
    const buffers = new Set<ArrayBufferLike>();
    const read = (into: Uint8Array, at: number) => {
      buffers.add(into.buffer);
      return BYTES.copy(into, 0, at);
    };
    new FileChunks(0, USUAL, ChunkTags.make()).step({ read } as ReadableFile);
    assert.deepEqual([...buffers], [chunkMemory(1).buffer]);
  });

  test("are neither shorter than half of the usual length nor longer than twice as much", () => {
    for (const contents of [BYTES, Buffer.alloc(100_000), Buffer.alloc(100_000, "ab")]) {
      const ends = [0, ...endsOf(contents)];
      for (const [index, end] of ends.slice(1).entries()) {
        const length = end - (ends[index] as number);
        assert.ok(length >= USUAL / 2 && length <= 2 * USUAL, `${length}`);
      }
    }
  });

  test("move with what is around them: an insertion changes few", () => {
    const inserted = Buffer.concat([
      BYTES.subarray(0, 500_000),
      Buffer.from("inserted"),
      BYTES.subarray(500_000),
    ]);
    const moved = new Set(endsOf(inserted).map((end) => (end > 500_008 ? end - 8 : end)));
    const lost = endsOf(BYTES).filter((end) => !moved.has(end));
    assert.ok(lost.length <= 3, `${lost.length} of ${moved.size}`);
  });

  test("of a file are those of its contents, however much of it a call reads, and have the tags of their bytes", () => {
    const tags = ChunkTags.make();
    for (const mostBytes of [Infinity, 100_000, 9_000]) {
      const read = (into: Uint8Array, at: number) =>
        BYTES.copy(into, 0, at, Math.min(at + into.length, at + mostBytes));
      const file = { read } as ReadableFile;
      const chunks = new FileChunks(0, USUAL, tags);
      const found: FileChunk[] = [];
      for (let step = chunks.step(file); step !== undefined; step = chunks.step(file)) found.push(...step);
      assert.deepEqual(
        found.map(({ offset, length }) => offset + length),
        endsOf(BYTES),
      );
      found.push(...(chunks.rest(file) ?? []));
      assert.equal(chunks.rest(file), undefined);
      let place = 0;
      for (const { offset, length, tag } of found) {
        assert.equal(offset, place);
        place += length;
        assert.ok(tags.matches(BYTES.subarray(offset, place), tag));
      }
      assert.equal(place, BYTES.length);
    }
  });

  test("are longer for larger files, up to a bound", () => {
    assert.equal(chunkBytesFor(0), CHUNK_BYTES);
    assert.equal(chunkBytesFor(CHUNK_BYTES * CHUNKS_OF_A_FILE), CHUNK_BYTES);
    assert.equal(chunkBytesFor(CHUNK_BYTES * CHUNKS_OF_A_FILE + 1), 2 * CHUNK_BYTES);
    assert.equal(4 * chunkBytesFor(2 ** 53 - 1), CHUNK_BYTES_MOST);
  });
});
