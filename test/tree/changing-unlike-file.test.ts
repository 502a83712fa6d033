import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { type Random, SeededRandom } from "../../src/base/random.ts";
import { Owners } from "../../src/tree/entries/owners.ts";
import { NO_RULES } from "../../src/tree/scan/request.ts";
import { Source } from "../../src/tree/scan/source.ts";
import { BLOCK_PLAINTEXT_BYTES, BlockKind } from "../../src/wire/datagram.ts";
import { MANIFEST_ENTRIES } from "../../src/wire/limits.ts";
import { StagingPair } from "../support/staging.ts";

/** A large file that shares nothing with what members have, and is changed while it is sent. */

const MEMORY = new Uint8Array(BLOCK_PLAINTEXT_BYTES);
const FILE_BYTES = 60_000_000;

let pair: StagingPair;
beforeEach(() => (pair = new StagingPair()));
afterEach(() => pair.destroy());

/** A bitmap of all that a member may be asked. */
function all(isWanted: boolean): Bitmap {
  const bitmap = new Bitmap(MANIFEST_ENTRIES);
  if (isWanted) for (let index = 0; index < bitmap.size; index++) bitmap.set(index);
  return bitmap;
}

/**
 * Sends the file; members have none of it, and answer at any time.
 *
 * @param changesAfter it is changed when so many blocks of contents were made
 * @param answers one of so many blocks is followed by an answer to an earlier one
 * @returns whether the sender comes to an end
 */
function endsWithChange(file: string, changesAfter: number, answers: number, random: Random): boolean {
  fs.truncateSync(file, FILE_BYTES);
  const options = { rules: NO_RULES, dryRun: false, tellsChunks: true };
  const source = new Source(pair.from, new Owners(), { paths: [""], recursive: true }, options);
  const unanswered: number[] = [];
  let dataBlocks = 0;
  let isFirst = true;
  const answer = (block: number) => {
    const wanted = all(true);
    source.settle(block, { union: wanted, contents: wanted, ...(isFirst ? { elsewhere: wanted } : {}) });
    isFirst = false;
  };
  try {
    for (let block = 0; !source.isEnded;) {
      const made = source.makeBlock(block, MEMORY, 0);
      if (made?.kind === BlockKind.manifest) unanswered.push(block);
      else if (made !== undefined && ++dataBlocks === changesAfter) fs.appendFileSync(file, "changed");
      if (made !== undefined) block++;
      const [next] = unanswered;
      const isAnswered = made === undefined && !source.isBusy ? true : random.u32() % answers === 0;
      if (next !== undefined && isAnswered) answer(unanswered.shift() as number);
      else if (made === undefined && !source.isBusy && !source.isEnded) return false;
    }
    return true;
  } finally {
    source.close();
  }
}

test("the sender comes to an end whenever the file changes", () => {
  const file = path.join(pair.from, "large");
  const random = new SeededRandom(1);
  const piece = Buffer.alloc(1_000_000);
  fs.writeFileSync(file, "");
  for (let bytes = 0; bytes < FILE_BYTES; bytes += piece.length) {
    for (let at = 0; at < piece.length; at += 4) piece.writeUInt32LE(random.u32(), at);
    fs.appendFileSync(file, piece);
  }
  for (let blocks = 1; blocks < 700; blocks += 9) {
    for (const answers of [1, 10, 100])
      assert.ok(
        endsWithChange(file, blocks, answers, random),
        `${blocks} blocks, ${answers}: neither end nor more`,
      );
  }
});
