import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { DecodeError } from "../../src/base/bytes.ts";
import { compress, unpack } from "../../src/tree/entries/compression.ts";
import { NetworkPace } from "../../src/tree/scan/network-pace.ts";
import { NO_RULES } from "../../src/tree/scan/request.ts";
import { type MadeBlock, Source } from "../../src/tree/scan/source.ts";
import { Owners } from "../../src/tree/entries/owners.ts";
import { Bitmap } from "../../src/base/bitmap.ts";
import { BLOCK_PLAINTEXT_BYTES, BlockKind } from "../../src/wire/datagram.ts";
import { BLOCK_UNPACKED_BYTES, UNPACKED_BYTES } from "../../src/wire/limits.ts";
import { StagingPair } from "../support/staging.ts";

/** Contents that are compressed on their way. */

let pair: StagingPair;
beforeEach(() => (pair = new StagingPair()));
afterEach(() => pair.destroy());

/** Enough blocks wait for "auto" to compress. */
const MANY = 16;

const words = (bytes: number) => {
  const sentence = "All members switch to the new state together, or none of them does. ";
  return Buffer.from(
    Array.from({ length: bytes / 60 }, (_, index) => `${index} ${sentence}`).join(""),
  ).subarray(0, bytes);
};

const put = (name: string, bytes: Buffer) => fs.writeFileSync(path.join(pair.from, name), bytes);

/** What a fast network leaves behind. */
function fastPace(): NetworkPace {
  const pace = new NetworkPace();
  for (let piece = 0; piece < 50; piece++) pace.note(false);
  return pace;
}

/** All blocks with contents, while so many blocks wait. */
function blocksOf(
  compression: "auto" | "yes" | "no",
  waiting: number,
  pace = fastPace(),
): { blocks: MadeBlock[]; sentBytes: number; savedBytes: number } {
  const options = { rules: NO_RULES, dryRun: false, compression, pace };
  const source = new Source(pair.from, new Owners(), { paths: [""], recursive: true }, options);
  const blocks: MadeBlock[] = [];
  for (let number = 0; !source.isEnded; number++) {
    const made = source.makeBlock(number, new Uint8Array(BLOCK_PLAINTEXT_BYTES), waiting);
    if (made?.kind === BlockKind.data) blocks.push(made);
    if (made?.kind !== BlockKind.manifest) continue;
    const all = new Bitmap(made.entries);
    for (let entry = 0; entry < made.entries; entry++) all.set(entry);
    source.settle(number, { union: all, contents: all });
  }
  const { sentBytes, savedBytes } = source.totals;
  source.close();
  return { blocks, sentBytes, savedBytes };
}

const sum = (blocks: readonly MadeBlock[]) => blocks.reduce((all, { bytes }) => all + bytes, 0);

test("what arrives is what was sent: text, random bytes, holes, small and large files, in one tree", () => {
  put("a-text", words(700_000));
  put("b-random", crypto.randomBytes(300_000));
  put("c-empty", Buffer.alloc(0));
  put("d-zeros", Buffer.alloc(3_000_000));
  for (let index = 0; index < 300; index++) put(`e${index}`, words(40 * index));
  fs.writeFileSync(path.join(pair.from, "f-holes"), "begin");
  fs.truncateSync(path.join(pair.from, "f-holes"), 5_000_000);
  fs.appendFileSync(path.join(pair.from, "f-holes"), words(100_000));
  put("g-random", crypto.randomBytes(70_000));
  put("h-text", words(60_000));
  pair.compression = "yes";
  pair.push();
  for (const name of fs.readdirSync(pair.from)) {
    const [sent, arrived] = [pair.from, pair.to].map((base) => fs.readFileSync(path.join(base, name)));
    assert.ok(sent?.equals(arrived!), name);
  }
});

test("a block holds as many compressed pieces as go into it, and unpacks to no more than the limit", () => {
  put("zeros", Buffer.alloc(20_000_000));
  const { blocks, sentBytes, savedBytes } = blocksOf("yes", 0);
  assert.ok(blocks.length < 25, `${blocks.length} blocks`);
  // 20 MB, and at most 1 MiB a block.
  assert.ok(blocks.length >= 20_000_000 / BLOCK_UNPACKED_BYTES, `${blocks.length} blocks`);
  assert.equal(savedBytes, sentBytes - sum(blocks));
});

test("auto compresses while blocks wait for the network, and only then", () => {
  put("text", words(2_000_000));
  const plain = blocksOf("no", MANY);
  assert.equal(plain.savedBytes, 0);
  assert.deepEqual(blocksOf("auto", MANY - 1), plain);
  const waiting = blocksOf("auto", MANY);
  assert.ok(waiting.savedBytes > 1_500_000, `${waiting.savedBytes} bytes saved`);
  assert.ok(waiting.sentBytes >= 2_000_000);
});

test("the more blocks wait for the network, the smaller the next ones get", () => {
  // The test's own words repeat too much: what a level is worth shows with a real text.
  put("text", fs.readFileSync(path.join(import.meta.dirname, "../../PROTOCOL.md")));
  const bytesWith = (waiting: number) => sum(blocksOf("auto", waiting).blocks);
  const [few, more, many] = [MANY, 48, 96].map(bytesWith) as [number, number, number];
  assert.ok(few > more && more > many, `${few}, ${more}, ${many} bytes`);
  assert.equal(bytesWith(47), few);
  assert.equal(bytesWith(95), more);
});

test("the first blocks are compressed if the pushes before have waited for the network, or if there were none", () => {
  put("text", words(60_000_000));
  const unknown = new NetworkPace();
  const first = blocksOf("auto", 0, unknown);
  assert.ok(first.savedBytes > 20_000_000, `${first.savedBytes} bytes saved`);
  // It has found that the network is fast.
  assert.equal(unknown.isSlow, false);
  assert.ok(first.savedBytes < 55_000_000, `${first.savedBytes} bytes saved`);
  assert.equal(blocksOf("auto", 0, unknown).savedBytes, 0);
  assert.ok(blocksOf("auto", MANY, unknown).savedBytes > 50_000_000);
  assert.equal(unknown.isSlow, true);
  put("text", words(100_000));
  const small = blocksOf("auto", 0, unknown);
  assert.ok(small.savedBytes > 80_000, `${small.savedBytes} bytes saved`);
  assert.equal(unknown.isSlow, true);
});

test("contents that change their kind within a piece lose nothing, and cost no more blocks than they must", () => {
  const random = crypto.randomBytes(30_000_000);
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < random.length; turn++) {
    const bytes = [20_000, 300_000, 61_000, 1_000_000][turn % 4]!;
    pieces.push(random.subarray(at, at + bytes), words(bytes));
    at += bytes;
  }
  const all = Buffer.concat(pieces);
  put("mixed", all);
  const { blocks, sentBytes } = blocksOf("yes", 0);
  assert.ok(sentBytes >= all.length);
  assert.ok(sum(blocks) < 0.6 * all.length, `${sum(blocks)} bytes`);
  assert.ok(blocks.length < (1.25 * sum(blocks)) / BLOCK_PLAINTEXT_BYTES, `${blocks.length} blocks`);
  for (const mode of ["yes", "auto"] as const) {
    pair.compression = mode;
    pair.push();
    assert.ok(fs.readFileSync(path.join(pair.to, "mixed")).equals(all), mode);
    fs.rmSync(path.join(pair.to, "mixed"));
  }
});

test("auto stops trying with contents that do not get smaller, and tries again with the next large file", () => {
  put("a", crypto.randomBytes(20_000_000));
  const random = blocksOf("auto", MANY);
  assert.equal(random.savedBytes, 0);
  const plain = blocksOf("no", MANY);
  assert.ok(random.blocks.length <= plain.blocks.length + 8, `${random.blocks.length} blocks`);
  put("b", words(1_000_000));
  assert.ok(blocksOf("auto", MANY).savedBytes > 700_000);
});

test("a file that changes while it is read is withdrawn, and arrives nowhere", () => {
  put("a", words(500_000));
  put("b", words(10_000));
  pair.compression = "yes";
  pair.beforeBlock = (number) => {
    // The manifest is made, and nothing of the file is read.
    if (number === 0) put("a", words(500_001));
  };
  pair.push();
  assert.deepEqual(fs.readdirSync(pair.to), ["b"]);
});

test("a frame unpacks to what it says, and to no more than is allowed", () => {
  const memory = new Uint8Array(UNPACKED_BYTES);
  const frame = compress(words(UNPACKED_BYTES), 1, memory)!.slice();
  assert.ok(Buffer.from(unpack(frame, UNPACKED_BYTES)).equals(words(UNPACKED_BYTES)));
  assert.throws(() => unpack(frame, UNPACKED_BYTES - 1), DecodeError);
  assert.equal(compress(crypto.randomBytes(1000), 5, memory), undefined);
  assert.equal(compress(words(UNPACKED_BYTES), 1, memory.subarray(0, frame.length - 1)), undefined);
  const shared = new Uint8Array(new SharedArrayBuffer(frame.length));
  shared.set(frame);
  assert.ok(Buffer.from(unpack(shared, UNPACKED_BYTES)).equals(words(UNPACKED_BYTES)));
  for (let at = 0; at < frame.length; at++) {
    const damaged = Buffer.from(frame);
    damaged[at]! ^= 0x41;
    try {
      assert.ok(unpack(damaged, UNPACKED_BYTES).length <= UNPACKED_BYTES);
    } catch (error) {
      assert.ok(error instanceof DecodeError, String(error));
    }
  }
});
