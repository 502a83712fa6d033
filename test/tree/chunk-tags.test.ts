import assert from "node:assert/strict";
import crypto from "node:crypto";
import { test } from "node:test";
import { below, randomBytes, SeededRandom } from "../../src/base/random.ts";
import { ChunkTags } from "../../src/tree/entries/chunk-tags.ts";

/** Tags of chunks, beside node:crypto's own in one piece. */

const SEED = Number(process.env["SEED"] ?? 1);

function plainTag(key: Uint8Array, bytes: Uint8Array): Buffer {
  const cipher = crypto.createCipheriv("aes-256-gcm", key, Buffer.alloc(12)).setAAD(bytes);
  cipher.final();
  return cipher.getAuthTag();
}

test("the tag of bytes is the same, in one piece and in many, with two keys in turns", () => {
  const random = new SeededRandom(SEED);
  const all = [0, 1].map(() => new ChunkTags(randomBytes(random, 32)));
  for (const length of [1, 15, 16, 17, 255, 4096, 65_537, 300_000]) {
    const bytes = randomBytes(random, length);
    for (const tags of all) {
      const expected = plainTag(tags.key, bytes);
      assert.deepEqual(Buffer.from(tags.tagOf(bytes)), expected, `SEED=${SEED} ${length} bytes`);
      const tagger = tags.begin();
      for (let start = 0; start < length;) {
        const end = Math.min(length, start + below(random, length + 1));
        tagger.add(bytes.subarray(start, end));
        start = end;
      }
      assert.deepEqual(Buffer.from(tagger.tag()), expected, `SEED=${SEED} ${length} bytes in pieces`);
      assert.ok(tags.matches(bytes, expected));
      bytes[below(random, length)]! ^= 1 << below(random, 8);
      assert.ok(!tags.matches(bytes, expected));
    }
  }
  assert.notDeepEqual(ChunkTags.make().key, ChunkTags.make().key);
});
