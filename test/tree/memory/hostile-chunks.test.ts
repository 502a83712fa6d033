import assert from "node:assert/strict";
import crypto from "node:crypto";
import { describe, test } from "node:test";
import { DecodeError } from "../../../src/base/bytes.ts";
import { below, type Random, SeededRandom } from "../../../src/base/random.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../../src/wire/datagram.ts";
import { CHUNK_BYTES_MOST, MANIFEST_ENTRIES } from "../../../src/wire/limits.ts";
import { ManifestWriter, SENT_ANYWAY, type ToldChunk } from "../../../src/wire/manifest.ts";
import { ChunkTags } from "../../../src/tree/entries/chunk-tags.ts";
import { finish } from "../../support/staging.ts";
import { content, file, hole, Member, meta, type Push, TIME_NS } from "./member.ts";

/** A sender that has the key and lies: how much work it can give to a member with the few bytes of a chunk, a digest or a segment. */

const SEED = Number(process.env["SEED"] ?? 1);
const TAGS = new ChunkTags(new Uint8Array(32).fill(7));
const SIZE = 1_000_000;
/** The member's file is read so often, on average. */
const MOST_READ_BYTES = 4 * SIZE;
/** As many as a large disk has room for: what a sender says of a size costs it nothing. */
const ENDLESS = 2 ** 45;

const OLD = crypto
  .createCipheriv("aes-128-ctr", Buffer.alloc(16, "old"), Buffer.alloc(16))
  .update(Buffer.alloc(SIZE));

const later = (name: string, size: number) =>
  file(name, size, { metadata: meta(0o644, { mtimeNs: TIME_NS + 1n }) });

/** A member with a file, and a transfer that brings another one of that name. */
function begin(size = ENDLESS, old = OLD): { member: Member; push: Push; readBytes: () => number } {
  const member = new Member().put({ f: old.toString("latin1") });
  const readBytes = countReads(member);
  const push = member.push();
  const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 0);
  writer.addChunkKey(TAGS.key);
  finish(push.stage.plan(writer.finish()));
  push.entries("", [later("f", size)]);
  return { member, push, readBytes };
}

/** @returns tells how many bytes have been read since */
function countReads({ memory }: Member): () => number {
  const read = memory.read.bind(memory);
  let bytes = 0;
  memory.read = (...given) => {
    const count = read(...given);
    bytes += count;
    return count;
  };
  return () => bytes;
}

const chunkAt = (start: number, length: number): ToldChunk => ({
  entry: 0,
  length,
  tag: TAGS.tagOf(OLD.subarray(start, start + length)),
});
const lie = (length: number): ToldChunk => ({ entry: 0, length, tag: crypto.randomBytes(16) });
const anyway = (length: number): ToldChunk => ({ entry: 0, length, tag: SENT_ANYWAY });

/** @returns how many of them are needed */
function tell(push: Push, chunks: readonly ToldChunk[]): number {
  let needed = 0;
  for (let first = 0; first < chunks.length; first += MANIFEST_ENTRIES) {
    const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 1);
    for (const chunk of chunks.slice(first, first + MANIFEST_ENTRIES)) assert.ok(writer.addChunk(chunk));
    needed += finish(push.stage.plan(writer.finish())).wants.count();
  }
  return needed;
}

describe("a sender that lies makes a member read its own file only a few times", () => {
  test("by chunks that are found, and chunks between them that are not", () => {
    const { push, readBytes } = begin();
    const round = [chunkAt(0, 40_000), lie(300_000), lie(1), anyway(500_000), lie(1)];
    const chunks = Array.from({ length: 200 }, () => round).flat();
    const needed = tell(push, chunks);
    assert.ok(readBytes() > SIZE && readBytes() <= MOST_READ_BYTES, `${readBytes()} bytes`);
    assert.ok(needed > chunks.length - 100, "the others are needed");
    push.stage.clean();
  });

  test("by long chunks", () => {
    const { push, readBytes } = begin();
    const round = [chunkAt(0, 40_000), lie(SIZE - 40_000)];
    tell(push, Array.from({ length: 50 }, () => round).flat());
    assert.ok(readBytes() <= MOST_READ_BYTES, `${readBytes()} bytes`);
    push.stage.clean();
  });

  test("by chunks that are found again and again", () => {
    const { member, push, readBytes } = begin();
    const needed = tell(
      push,
      Array.from({ length: 100 }, () => chunkAt(0, SIZE)),
    );
    assert.ok(needed >= 96, `${needed} are needed`);
    assert.ok(readBytes() <= MOST_READ_BYTES, `${readBytes()} bytes`);
    push.stage.clean();
    assert.ok(member.text("f") === OLD.toString("latin1"));
  });

  test("by digests that are told again and again, of one file and of many", () => {
    const member = new Member().put({ old: OLD.toString("latin1") });
    const readBytes = countReads(member);
    const push = member.push();
    const names = Array.from({ length: 20 }, (_, index) => `new${index}`);
    const entries = names.map((name) => file(name, SIZE));
    push.plan({
      terms: { tellsDigests: true },
      directories: [{ path: "", entries, isComplete: true }],
    });
    for (let round = 0; round < 3; round++)
      assert.equal(push.tell(Object.fromEntries(names.map((_, index) => [index, "other"]))).length, 20);
    assert.ok(readBytes() >= SIZE && readBytes() <= MOST_READ_BYTES, `${readBytes()} bytes`);
    push.stage.clean();
  });

  test("whatever it tells", () => {
    const random = new SeededRandom(SEED);
    for (let round = 0; round < 12; round++) {
      const { member, push, readBytes } = begin();
      try {
        tell(
          push,
          Array.from({ length: 1_500 }, () => anyChunk(random)),
        );
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
      }
      assert.ok(readBytes() <= MOST_READ_BYTES, `SEED=${SEED} round ${round}: ${readBytes()} bytes`);
      push.stage.clean();
      assert.ok(member.text("f") === OLD.toString("latin1"));
    }
  });
});

function anyChunk(random: Random): ToldChunk {
  const start = below(random, SIZE - 1);
  const length = 1 + below(random, [10, 1_000, 100_000][below(random, 3)]!);
  const kinds = [
    () => chunkAt(start, Math.min(length, SIZE - start)),
    () => chunkAt(0, 40_000),
    () => lie(length),
    () => lie(1 + below(random, CHUNK_BYTES_MOST)),
    () => anyway(1 + below(random, 300_000)),
  ];
  return kinds[below(random, kinds.length)]!();
}

describe("a segment over many little gaps", () => {
  const GAPS = 2_000;
  /** Every other byte at the beginning is found. */
  const told = Array.from({ length: GAPS }, (_, index) => [chunkAt(2 * index, 1), anyway(1)]).flat();
  const isWrite = (line: string) => /^(write|truncate) /.test(line);

  test("is written at once, and nothing is written of it twice when it comes again", () => {
    const size = 300_000;
    const { member, push } = begin(size);
    assert.equal(tell(push, told), GAPS);
    member.disk.lines.length = 0;
    const segment = content(0, OLD.subarray(0, 2 * GAPS + 100));
    push.send(segment, segment);
    assert.equal(member.disk.lines.filter(isWrite).length, 1, member.disk.lines.join("\n").slice(0, 500));
    for (let start = 0; start < size; start += 50_000)
      push.send(content(0, OLD.subarray(start, start + 50_000), start));
    push.prepare().commit();
    assert.ok(member.text("f") === OLD.subarray(0, size).toString("latin1"));
  });

  test("costs as little if it is a hole", () => {
    const { member, push } = begin(300_000);
    tell(push, told);
    member.disk.lines.length = 0;
    push.send(hole(0, 0, 299_000));
    assert.equal(member.disk.lines.filter(isWrite).length, 1);
    push.stage.clean();
  });
});
