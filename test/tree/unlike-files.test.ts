import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { ChunkSearch } from "../../src/tree/apply/chunk-search.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import type { OpenFile } from "../../src/tree/disk/open-file.ts";
import { ChunkTags } from "../../src/tree/entries/chunk-tags.ts";
import { ToldChunks, type WantedFile } from "../../src/tree/scan/told-chunks.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../src/wire/datagram.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { ManifestWriter, SENT_ANYWAY } from "../../src/wire/manifest.ts";

/** A large file that has nothing in common with what members have: its contents do not wait for members that look for its chunks. */

const SIZE = 96 * 1024 * 1024;
const MEBIBYTE = 1024 * 1024;
/** A data block, or nearly. */
const BLOCK_BYTES = 62_000;
const tags = ChunkTags.make();
let base: string;
let directories: Directories;

before(() => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-unlike-"));
  const cipher = crypto.createCipheriv("aes-128-ctr", Buffer.alloc(16, "unlike"), Buffer.alloc(16));
  fs.writeFileSync(path.join(base, "f"), cipher.update(Buffer.alloc(SIZE)));
  directories = Directories.at(linuxDisk, base);
});
after(() => {
  directories.close();
  fs.rmSync(base, { recursive: true });
});

describe("of a file that members do not have", () => {
  test("the next look is told when little of the skipped part is left to be sent", () => {
    const stats = directories.stat("f");
    const entry = { number: 0, path: "f", type: EntryType.file, size: SIZE, stats, isSparse: false };
    const told = new ToldChunks(directories, tags);
    told.add({ entry, manifest: 0 });
    let waiting = 0;
    const want = ({ part }: WantedFile) => void (waiting += (part?.end ?? 0) - (part?.start ?? 0));
    let block = 0;
    const fill = () => {
      const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 1);
      told.fill(++block, writer, waiting, want);
      return writer.entries;
    };
    const answer = (entries: number) => {
      const union = new Bitmap(entries);
      for (let index = 0; index < entries; index++) union.set(index);
      told.settle(block, union, want);
    };
    answer(fill());
    const skipped = fill();
    assert.equal(skipped, 1, "the part that is skipped, in a block for which members look for nothing");
    assert.equal(fill(), 0, "nothing more before it is answered");
    block -= 1;
    answer(skipped);
    assert.ok(waiting > 8 * MEBIBYTE);
    const fills = () => Math.max(...Array.from({ length: 8 }, fill));
    assert.equal(fills(), 0, "no look while much is left to be sent");
    waiting = 8 * MEBIBYTE;
    assert.ok(fills() >= 8, "the next look");
    told.close();
  });

  test("members read ahead while the skipped part is written, so that a look costs little", () => {
    let read = 0;
    const open = (name: string): OpenFile => {
      const file = directories.openToRead("", name);
      const plain = file.read.bind(file);
      file.read = (bytes, offset) => {
        const count = plain(bytes, offset);
        read += count;
        return count;
      };
      return file;
    };
    const search = new ChunkSearch(["f"], SIZE, tags, { open, clone: () => open("f") });
    const look = (chunks: number) => {
      const until = read;
      for (let index = 0; index < chunks; index++) {
        const chunk = { entry: 0, length: 65_536, tag: crypto.randomBytes(16) };
        search.place(chunk);
        assert.equal(search.findNear(chunk), undefined);
        const steps = search.findFar(chunk);
        while (steps.next().done !== true);
      }
      return read - until;
    };
    look(8);
    const skippedBytes = 12 * MEBIBYTE;
    search.place({ entry: 0, length: skippedBytes, tag: SENT_ANYWAY });
    for (let written = 0; written < skippedBytes; written += BLOCK_BYTES) search.noteWritten(BLOCK_BYTES);
    assert.ok(read > 2 * skippedBytes, "it has read ahead");
    assert.ok(look(8) < 4 * MEBIBYTE, "what is left to read for the next look");
    search.end();
  });
});
