import assert from "node:assert/strict";
import crypto from "node:crypto";
import { describe, test } from "node:test";
import { DiskError } from "../../disk/disk-error.ts";
import type { StagePlan } from "../../../src/tree/decide/planner.ts";
import { ahead } from "../../../src/tree/apply/chunk-search.ts";
import { ChunkTags } from "../../../src/tree/entries/chunk-tags.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../../src/wire/datagram.ts";
import { pathOfError } from "../../../src/tree/reasons/explain.ts";
import { ManifestWriter, type ToldChunk } from "../../../src/wire/manifest.ts";
import { finish } from "../../support/staging.ts";
import { content, file, Member, meta, type Push, TIME_NS, withdrawal } from "./member.ts";

/** Chunks that follow each other are read and written many at a time. */

const TAGS = new ChunkTags(new Uint8Array(32).fill(7));
/** More than what is looked for in one turn. */
const SIZE = 9_000_000;
const CHUNK = 45_000;

const bytesOf = (word: string) =>
  crypto.createCipheriv("aes-128-ctr", Buffer.alloc(16, word), Buffer.alloc(16)).update(Buffer.alloc(SIZE));
const OLD = bytesOf("old");

/** A member with a file, and a transfer that brings another one of that name. */
function begin(old = OLD): { member: Member; push: Push } {
  const member = new Member({ withLooks: true }).put({ f: old.toString("latin1") });
  const push = member.push();
  const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 0);
  writer.addChunkKey(TAGS.key);
  finish(push.stage.plan(writer.finish()));
  push.entries("", [file("f", SIZE, { metadata: meta(0o644, { mtimeNs: TIME_NS + 1n }) })]);
  return { member, push };
}

/** All chunks of a file but the last one. */
function chunksOf(bytes: Buffer): ToldChunk[] {
  const starts = Array.from({ length: SIZE / CHUNK - 1 }, (_, index) => index * CHUNK);
  return starts.map((start) => ({
    entry: 0,
    length: CHUNK,
    tag: TAGS.tagOf(bytes.subarray(start, start + CHUNK)),
  }));
}

function planned(push: Push, chunks: readonly ToldChunk[]): Generator<undefined, StagePlan> {
  const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 1);
  for (const chunk of chunks) assert.ok(writer.addChunk(chunk));
  return push.stage.plan(writer.finish());
}

/** The numbers of the chunks that are needed. */
function tell(push: Push, chunks: readonly ToldChunk[]): number[] {
  const { wants } = finish(planned(push, chunks));
  return chunks.map((_, index) => index).filter((index) => wants.get(index));
}

/** Sends some bytes of a file from a place on. */
function send(push: Push, bytes: Buffer, from: number, to: number): void {
  for (let start = from; start < to; start += 50_000)
    push.send(content(0, bytes.subarray(start, Math.min(to, start + 50_000)), start));
}

/** Sends what is needed, and the end. */
function complete({ member, push }: ReturnType<typeof begin>, bytes: Buffer, needed: number[]): void {
  for (const index of [...needed, SIZE / CHUNK - 1]) send(push, bytes, index * CHUNK, (index + 1) * CHUNK);
  push.prepare().commit();
  assert.ok(member.text("f") === bytes.toString("latin1"));
}

describe("chunks that follow each other", () => {
  test("are read and written many at a time", () => {
    const pushed = begin();
    const { member, push } = pushed;
    const calls = (kind: string) => member.disk.lines.filter((line) => line.startsWith(`${kind} `)).length;
    member.disk.lines.length = 0;
    let reads = 0;
    const read = member.memory.read.bind(member.memory);
    member.memory.read = (...given) => {
      reads++;
      return read(...given);
    };
    const chunks = chunksOf(OLD);
    assert.deepEqual(tell(push, chunks), []);
    assert.ok(calls("write") <= chunks.length / 5, `${calls("write")} writes`);
    assert.ok(reads <= chunks.length / 5, `${reads} reads`);
    member.memory.read = read;
    complete(pushed, OLD, []);
  });

  test("are right between others, wherever they are", () => {
    const changed = Buffer.from(OLD);
    for (const place of [0, 100_000, 3_333_333, 3_400_000, SIZE - 200_000]) changed[place]! ^= 1;
    const moved = Buffer.concat([OLD.subarray(4_000_123), OLD.subarray(0, 4_000_123)]);
    for (const now of [changed, moved]) {
      const pushed = begin();
      const needed = tell(pushed.push, chunksOf(now));
      assert.ok(needed.length > 0);
      complete(pushed, now, needed);
    }
  });

  test("of two transfers in turns have their own bytes", () => {
    const [one, other] = [begin(), begin(bytesOf("other"))];
    const plans = [planned(one.push, chunksOf(OLD)), planned(other.push, chunksOf(bytesOf("other")))];
    let turns = 0;
    for (const left = new Set(plans); left.size > 0; turns++)
      for (const plan of left) if (plan.next().done === true) left.delete(plan);
    assert.ok(turns > 2);
    complete(one, OLD, []);
    complete(other, bytesOf("other"), []);
  });

  test("have the bytes that were compared, whatever happens to the file meanwhile", () => {
    const pushed = begin();
    const { member, push } = pushed;
    const chunks = chunksOf(OLD);
    assert.deepEqual(tell(push, chunks.slice(0, 100)), []);
    member.in("", (root, disk) => {
      const opened = disk.openFile(root, "f", "write");
      disk.write(opened, bytesOf("other"), 0);
      disk.closeFile(opened);
    });
    const needed = tell(push, chunks.slice(100)).map((index) => 100 + index);
    assert.ok(needed.length > 0);
    complete(pushed, OLD, needed);
  });

  test("are written before other work gets its turn, and a file may be withdrawn then", () => {
    const lie: ToldChunk = { entry: 0, length: CHUNK, tag: Buffer.alloc(16, 1) };
    const all = chunksOf(OLD);
    const lies = [17, 18, 19, 20].map((index) => [...all.slice(0, index), lie, ...all.slice(index + 1)]);
    // Steps come after some megabytes, and where a chunk is looked for further away.
    for (const chunks of [all, ...lies]) {
      const { member, push } = begin();
      const plan = planned(push, chunks);
      assert.equal(plan.next().done, false);
      member.disk.lines.length = 0;
      ahead.forget();
      assert.deepEqual(member.disk.lines, []);
      push.send(withdrawal(0));
      finish(plan);
      push.prepare().commit();
      assert.ok(member.text("f") === OLD.toString("latin1"));
    }
  });

  test("are not taken for written if there is no room for them", () => {
    const { member, push } = begin();
    member.memory.before = ({ kind }) => {
      if (kind === "write") throw new DiskError("ENOSPC", kind);
    };
    const isRight = (error: Error) =>
      "code" in error && error.code === "ENOSPC" && pathOfError(error) === "f";
    assert.throws(() => tell(push, chunksOf(OLD)), isRight);
    member.memory.before = undefined;
    finish(push.stage.clean());
    assert.ok(member.text("f") === OLD.toString("latin1"));
  });
});
