import assert from "node:assert/strict";
import crypto from "node:crypto";
import { test } from "node:test";
import { DecodeError } from "../../../src/base/bytes.ts";
import { below, type Random, SeededRandom } from "../../../src/base/random.ts";
import { FileChunks } from "../../../src/tree/entries/file-chunks.ts";
import type { ReadableFile } from "../../../src/tree/disk/tree-view.ts";
import { StageError } from "../../../src/tree/reasons/stage-error.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../../src/wire/datagram.ts";
import { CHUNK_BYTES } from "../../../src/wire/limits.ts";
import { ManifestWriter, SENT_ANYWAY, type ToldChunk } from "../../../src/wire/manifest.ts";
import { ChunkTags } from "../../../src/tree/entries/chunk-tags.ts";
import { finish } from "../../support/staging.ts";
import { content, file, Member, meta, type Push, TIME_NS } from "./member.ts";

/**
 * Lists of chunks that are true, that lie, or that go on beyond the file, among contents in any order, and a file of the member that
 * changes meanwhile: the member gets exactly what the sender has, or nothing.
 */

const SEED = Number(process.env["SEED"] ?? 1);
const ROUNDS = 250;
const SIZE = 400_000;
/** Fewer bytes than a segment can have. */
const PIECE_BYTES = 50_000;

const TAGS = new ChunkTags(new Uint8Array(32).fill(7));

function bytesOf(random: Random, size: number): Buffer {
  const key = Buffer.from(Array.from({ length: 16 }, () => below(random, 256)));
  return crypto.createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** Another version, with a few insertions, deletions, changes and repetitions. */
function edited(random: Random, old: Buffer): Buffer {
  let bytes = old;
  for (let edits = below(random, 4); edits > 0; edits--) {
    const place = below(random, bytes.length);
    const from = below(random, bytes.length);
    const put = [bytesOf(random, below(random, 40)), bytes.subarray(from, from + below(random, 100_000))];
    const after = bytes.subarray(place + [0, 7, 5_000, 100_000][below(random, 4)]!);
    bytes = Buffer.concat([bytes.subarray(0, place), put[below(random, 2)]!, after]);
  }
  return bytes;
}

/** Chunks of a file, of which some have another length or another digest than they should have. */
function listOf(random: Random, bytes: Buffer): ToldChunk[] {
  const read = (into: Uint8Array, at: number) => bytes.copy(into, 0, at, at + into.length);
  const chunks = new FileChunks(0, CHUNK_BYTES, TAGS);
  const step = () => chunks.step({ read } as ReadableFile);
  const lengths: number[] = [];
  for (let found = step(); found !== undefined; found = step())
    lengths.push(...found.map(({ length }) => length));
  const lies = below(random, 2) === 0;
  // Without a lie, the last chunk is not told.
  if (!lies) lengths.splice(Math.max(0, lengths.length - 1 - below(random, 2)));
  let start = 0;
  return lengths.map((usual) => {
    const length = lies && below(random, 4) === 0 ? 1 + below(random, 2 * usual) : usual;
    const tag =
      lies && below(random, 4) === 0
        ? [bytesOf(random, 16), SENT_ANYWAY][below(random, 2)]!
        : TAGS.tagOf(bytes.subarray(start, start + length));
    start += length;
    return { entry: 0, length, tag };
  });
}

/** Segments with the sender's bytes: they may be shuffled, overlap, and come twice. */
function* segmentsOf(random: Random, bytes: Buffer, [from, end]: readonly [number, number]) {
  const cuts: [number, number][] = [];
  for (let start = from; start < end;) {
    const stop = Math.min(end, start + 1 + below(random, PIECE_BYTES - 100));
    cuts.push([Math.max(0, start - below(random, 3) * 50), stop]);
    start = stop;
  }
  if (below(random, 3) === 0) cuts.push(...cuts.slice(0, 2));
  if (below(random, 3) === 0) cuts.sort(() => below(random, 3) - 1);
  for (const [start, stop] of cuts) yield content(0, bytes.subarray(start, stop), start);
}

/** The receiver's own file gets other bytes at some place. */
function disturb(random: Random, member: Member): void {
  member.in("", (root, disk) => {
    const opened = disk.openFile(root, "f", "write");
    disk.write(opened, bytesOf(random, 1 + below(random, 2_000)), below(random, SIZE));
    disk.closeFile(opened);
  });
}

function begin(member: Member, size: number): Push {
  const push = member.push();
  const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 0);
  writer.addChunkKey(TAGS.key);
  finish(push.stage.plan(writer.finish()));
  push.entries("", [file("f", size, { metadata: meta(0o644, { mtimeNs: TIME_NS + 1n }) })]);
  return push;
}

/** @returns how many chunks were found */
function tellAll(
  random: Random,
  member: Member,
  push: Push,
  chunks: readonly ToldChunk[],
  bytes: Buffer,
): number {
  let [start, found] = [0, 0];
  for (const chunk of chunks) {
    const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 1);
    writer.addChunk(chunk);
    const work = push.stage.plan(writer.finish());
    let step = work.next();
    for (; step.done !== true; step = work.next()) if (below(random, 4) === 0) disturb(random, member);
    if (below(random, 30) === 0) disturb(random, member);
    const end = start + chunk.length;
    if (!step.value.wants.get(0)) found++;
    // Sometimes it is sent anyway, because another member needs it.
    if (step.value.wants.get(0) || below(random, 5) === 0)
      for (const one of segmentsOf(random, bytes, [start, Math.min(end, bytes.length)])) push.send(one);
    start = end;
  }
  for (const one of segmentsOf(random, bytes, [start, bytes.length])) push.send(one);
  return found;
}

for (const canClone of [false, true])
  test(`whatever chunks are told, a file is the sender's or it does not come${canClone ? ", also as a clone" : ""}`, () =>
    checkLists(canClone));

function checkLists(canClone: boolean): void {
  const random = new SeededRandom(SEED);
  let [whole, refused, found] = [0, 0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const old = bytesOf(random, SIZE);
    const bytes = edited(random, old);
    const member = new Member({ canClone }).put({ f: old.toString("latin1") });
    const push = begin(member, bytes.length);
    try {
      found += tellAll(random, member, push, listOf(random, bytes), bytes);
      push.prepare();
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof StageError)) throw error;
      refused++;
      continue;
    }
    push.commit();
    assert.ok(member.text("f") === bytes.toString("latin1"), `SEED=${SEED} round ${round}`);
    whole++;
  }
  assert.ok(whole > ROUNDS / 2 && refused > 10 && found > 2 * ROUNDS, `${whole} ${refused} ${found}`);
}
