import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { Bitmap } from "../../src/base/bitmap.ts";
import { ChunkTags } from "../../src/tree/entries/chunk-tags.ts";
import { FileReader } from "../../src/tree/scan/file-reader.ts";
import { ToldChunks, type WantedFile } from "../../src/tree/scan/told-chunks.ts";
import { ManifestWriter } from "../../src/wire/manifest.ts";
import { DataWriter } from "../../src/wire/data-block.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../src/wire/datagram.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { contents, StagingPair, whileSettling } from "../support/staging.ts";

/** Large files of which the receiver has another version, from a sender's disk to a receiver's: both are real. */

const SIZE = 8 * 1024 * 1024;
/** What is sent for one change: the chunks around it, as many as have to be missed before a far place is looked at, and the end. */
const FOR_ONE_CHANGE = 768 * 1024;

let pair: StagingPair;

beforeEach(() => {
  pair = new StagingPair();
});
afterEach(() => pair.destroy());

const on = (base: string, name: string) => path.join(base, name);

/** Bytes that nothing repeats in, the same for the same word. */
function bytesOf(word: string, size = SIZE): Buffer {
  const cipher = crypto.createCipheriv("aes-128-ctr", Buffer.from(word.padEnd(16)), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(size));
}

/** The receiver has one version of the file, and the sender another one. */
function push(before: Buffer, after: Buffer): number {
  fs.writeFileSync(on(pair.to, "f"), before);
  fs.writeFileSync(on(pair.from, "f"), after);
  // With the same size and time, it would count as the same file.
  fs.utimesSync(on(pair.to, "f"), 1000, 1000);
  pair.push();
  assert.ok(fs.readFileSync(on(pair.to, "f")).equals(after), "the receiver has the sender's version");
  assert.deepEqual(pair.leftOver(), []);
  return pair.sentBytes;
}

const OLD = bytesOf("old");
const at = (place: number, what: Buffer | string, without = 0) =>
  Buffer.concat([OLD.subarray(0, place), Buffer.from(what), OLD.subarray(place + without)]);

describe("of a large file with another version at the receiver, little is sent", () => {
  const changes: Record<string, Buffer> = {
    "after an insertion": at(3_000_000, "inserted"),
    "after an insertion at its beginning": at(0, "inserted"),
    "after a deletion": at(3_000_000, "", 12_345),
    "after a change in place": at(3_000_000, "changed", 7),
    "after something is appended": at(SIZE, bytesOf("more", 100_000)),
    "after it is cut off": OLD.subarray(0, 5_000_001),
    "after its beginning is cut off": OLD.subarray(1_000_000),
    "after a part has moved to its end": Buffer.concat([OLD.subarray(1_500_000), OLD.subarray(0, 1_500_000)]),
    "after a part is there twice": Buffer.concat([OLD.subarray(0, 2_000_000), OLD]),
  };
  for (const [name, after] of Object.entries(changes))
    test(name, () => {
      const sent = push(OLD, after);
      assert.ok(sent > 0 && sent <= FOR_ONE_CHANGE, `${sent} bytes`);
    });

  test("if other members need other parts, too", () => {
    fs.writeFileSync(on(pair.from, "f"), at(3_000_000, "inserted"));
    fs.writeFileSync(on(pair.to, "f"), OLD);
    // What another member needs comes to this one as well.
    pair.needs = (index) => index % 3 !== 0;
    pair.push();
    assert.ok(fs.readFileSync(on(pair.to, "f")).equals(at(3_000_000, "inserted")));
    assert.ok(pair.sentBytes > SIZE / 2 && pair.sentBytes < SIZE, `${pair.sentBytes} bytes`);
  });

  test("if only its second half is the same", () => {
    const size = 40_000_000;
    const old = bytesOf("both", size);
    const sent = push(old, Buffer.concat([bytesOf("other", size / 2), old.subarray(size / 2)]));
    // After a look, 8 MiB are sent, and after another one 16 MiB.
    assert.ok(sent > size / 2 && sent < 27_000_000, `${sent} bytes`);
  });

  test("if its contents are compressed", () => {
    pair.compression = "yes";
    assert.ok(push(OLD, at(3_000_000, Buffer.alloc(500_000, "text"))) <= FOR_ONE_CHANGE + 500_000);
  });

  test("if another file has its contents, with the same size and time", () => {
    pair.scanRules = { deletes: "also", isForced: true };
    fs.writeFileSync(on(pair.to, "other"), OLD);
    fs.writeFileSync(on(pair.to, "f"), bytesOf("version"));
    fs.writeFileSync(on(pair.from, "f"), OLD);
    for (const name of [on(pair.from, "f"), on(pair.to, "other")]) fs.utimesSync(name, 1000, 1000);
    pair.push();
    assert.deepEqual(contents(pair.to), contents(pair.from));
    assert.ok(pair.sentBytes <= FOR_ONE_CHANGE, `${pair.sentBytes} bytes`);
  });

  test("if it has another name by a hard link", () => {
    fs.writeFileSync(on(pair.from, "f"), at(3_000_000, "inserted"));
    fs.linkSync(on(pair.from, "f"), on(pair.from, "g"));
    fs.writeFileSync(on(pair.to, "f"), OLD);
    pair.push();
    assert.deepEqual(contents(pair.to), contents(pair.from));
    assert.equal(fs.statSync(on(pair.to, "f")).ino, fs.statSync(on(pair.to, "g")).ino);
    assert.ok(pair.sentBytes <= FOR_ONE_CHANGE);
  });
});

describe("all of a file is sent", () => {
  test("if it is asked for", () => {
    pair.tellsChunks = false;
    assert.equal(push(OLD, at(3_000_000, "inserted")), SIZE + 8);
  });

  test("if the receiver has nothing of it", () => {
    fs.writeFileSync(on(pair.from, "f"), OLD);
    pair.push();
    assert.deepEqual(contents(pair.to), contents(pair.from));
    assert.equal(pair.sentBytes, SIZE);
  });

  test("if nothing is in common, and no more chunks are told after the first ones", () => {
    assert.equal(push(OLD, bytesOf("new", 60_000_000)), 60_000_000);
    // The file itself, and one for each chunk that was told.
    assert.ok(pair.wanted > 8 && pair.wanted < 60, `${pair.wanted}`);
  });

  test("if it is small", () => assert.equal(push(OLD, OLD.subarray(0, 200_000)), 200_000));
});

describe("a sender's file that changes", () => {
  /** @returns what the receiver has in the end */
  function changing(change: (settled: number) => void): Buffer {
    fs.writeFileSync(on(pair.to, "f"), OLD);
    fs.utimesSync(on(pair.to, "f"), 1000, 1000);
    fs.writeFileSync(on(pair.from, "f"), at(6_000_000, "inserted"));
    let settled = 0;
    whileSettling(
      () => change(settled++),
      () => pair.push(),
    );
    return fs.readFileSync(on(pair.to, "f"));
  }

  for (const round of [0, 1, 2])
    test(`is withdrawn, and the receiver keeps its own (after answer ${round})`, () => {
      const kept = changing((settled) => {
        if (settled === round) fs.writeFileSync(on(pair.from, "f"), bytesOf("changed"));
      });
      assert.ok(kept.equals(OLD));
      assert.deepEqual(
        pair.notices.map(({ path: name }) => name),
        ["f"],
      );
      assert.deepEqual(pair.leftOver(), []);
    });

  test("is withdrawn if only a chunk shows it", () => {
    fs.writeFileSync(on(pair.from, "f"), OLD);
    const directories = Directories.at(linuxDisk, pair.from);
    const stats = directories.stat("f");
    const entry = { number: 0, path: "f", type: EntryType.file, size: SIZE, stats, isSparse: false };
    const part = { start: 1000, end: 21_000 };
    const tags = ChunkTags.make();
    const right = tags.tagOf(OLD.subarray(1000, 21_000));
    const failures = [right, Buffer.alloc(16)].map((tag) => {
      const reader = new FileReader(directories, tags);
      reader.start(entry, { ...part, tag });
      assert.ok(reader.fill(new DataWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES))));
      return reader.failure?.code;
    });
    assert.deepEqual(failures, [undefined, "changed-while-sent"]);
    directories.close();
  });
});

test("the end of a file is compared with what was read for its chunks", () => {
  fs.writeFileSync(on(pair.from, "f"), OLD);
  const directories = Directories.at(linuxDisk, pair.from);
  const stats = directories.stat("f");
  const entry = { number: 0, path: "f", type: EntryType.file, size: SIZE, stats, isSparse: false };
  const tags = ChunkTags.make();
  const told = new ToldChunks(directories, tags);
  told.add({ entry, manifest: 0 });
  const parts: WantedFile[] = [];
  const want = (part: WantedFile) => void parts.push(part);
  for (let block = 1; block < 10; block++) {
    const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 1);
    told.fill(block, writer, 0, want);
    told.settle(block, new Bitmap(writer.entries), want);
  }
  const [rest] = parts;
  const { start = 0, end, tag } = rest?.part ?? {};
  assert.deepEqual([parts.length, end], [1, SIZE]);
  assert.ok(tags.matches(OLD.subarray(start), tag!));
  told.close();
  directories.close();
});

test("chunks of a file that is withdrawn meanwhile do not count as found", () => {
  fs.writeFileSync(on(pair.from, "f"), bytesOf("long", 4 * SIZE));
  const directories = Directories.at(linuxDisk, pair.from);
  const stats = directories.stat("f");
  const entry = { number: 0, path: "f", type: EntryType.file, size: 4 * SIZE, stats, isSparse: false };
  const told = new ToldChunks(directories, ChunkTags.make());
  told.add({ entry, manifest: 0 });
  let chunked: WantedFile["chunked"];
  const found: number[] = [];
  for (let block = 1; block < 20; block++) {
    const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 1);
    told.fill(block, writer, 0, () => undefined);
    if (writer.entries === 0) continue;
    const union = new Bitmap(writer.entries);
    if (found.length === 1) union.set(0);
    told.settle(block, union, (part) => (chunked ??= part.chunked));
    if (chunked !== undefined) chunked.isWithdrawn = true;
    found.push(told.foundBytes);
  }
  assert.ok(found.length > 3 && (found[0] as number) > 0);
  assert.ok((found[1] as number) > (found[0] as number), "of the block with the chunk that was needed");
  assert.equal(found.at(-1), found[1]);
  told.close();
  directories.close();
});
