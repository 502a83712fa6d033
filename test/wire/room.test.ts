import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "../../src/base/bytes.ts";
import { DataWriter } from "../../src/wire/data-block.ts";
import {
  encodeEntry,
  type Entry,
  entryBytes,
  EntryType,
  NO_EXTRAS,
  TOLD_DIGEST_BYTES,
} from "../../src/wire/entry.ts";
import { FindingKind, findingBytes, FINDINGS_FIXED_BYTES, makeFinding } from "../../src/wire/findings.ts";
import { type DirectoryHeader, ManifestWriter } from "../../src/wire/manifest.ts";
import { encodeMessage } from "../../src/wire/message.ts";
import { encodeMetadata, metadataBytes } from "../../src/wire/metadata.ts";
import { encodeTerms, termsBytes } from "../../src/wire/terms.ts";

/** Blocks and messages are filled by the bytes that things are said to take. */

const METADATA = { mode: 0o644, mtimeNs: 5n, user: { id: 1, name: "me" }, group: { id: 2, name: "us all" } };
const EMPTY = { type: EntryType.file, metadata: METADATA, size: 3, target: "", extras: undefined };
const FULL_EXTRAS = {
  ...NO_EXTRAS,
  digest: new Uint8Array(32),
  allocated: 2,
  attributes: [
    { name: "user.one", value: new Uint8Array(5) },
    { name: "user.second", value: new Uint8Array(0) },
  ],
};

/** How many bytes something writes. */
function written(write: (writer: ByteWriter) => unknown): number {
  const writer = new ByteWriter(10_000);
  write(writer);
  return writer.position;
}

test("metadata, terms and findings take just the bytes that they are said to take", () => {
  assert.equal(
    metadataBytes(METADATA),
    written((writer) => encodeMetadata(writer, METADATA)),
  );
  const terms = { isForced: true, isCheck: false, deletes: true, tellsDigests: true, base: "/srv/www" };
  assert.equal(
    termsBytes(terms),
    written((writer) => encodeTerms(writer, terms)),
  );
  const finding = makeFinding(FindingKind.note, "a/path", "a text");
  const message = (findings: (typeof finding)[]) =>
    encodeMessage({
      type: "findings",
      body: { sender: "0123456789abcdef", transfer: 1, first: 0, hasMore: false, findings },
    });
  assert.equal(message([]).length, 1 + FINDINGS_FIXED_BYTES);
  assert.equal(message([finding]).length - message([]).length, findingBytes(finding));
});

test("an entry takes what it is said to take, but for the fields of other types", () => {
  // The size is 8 bytes, the length of a target 2, a device 8; the marks of its extras are 49.
  const cases: [name: string, entry: Entry, unusedBytes: number][] = [
    ["a file", { ...EMPTY, name: "file" }, 2],
    ["a directory", { ...EMPTY, type: EntryType.directory, name: "directory" }, 8 + 2],
    ["a link", { ...EMPTY, type: EntryType.symlink, name: "link", target: "to/here" }, 8],
    ["a file with extras", { ...EMPTY, name: "file", extras: FULL_EXTRAS }, 2 + 8],
    [
      "a file with a digest",
      { ...EMPTY, name: "f", extras: { ...FULL_EXTRAS, attributes: undefined } },
      2 + 8 + 1,
    ],
    [
      "a device",
      {
        ...EMPTY,
        type: EntryType.blockDevice,
        name: "d",
        extras: { ...NO_EXTRAS, device: { major: 1, minor: 2 } },
      },
      8 + 2 + 32 + 8 + 1,
    ],
  ];
  for (const [name, entry, unusedBytes] of cases)
    assert.equal(entryBytes(entry) - written((writer) => encodeEntry(writer, entry)), unusedBytes, name);
});

/** The least memory with which something can be added to a manifest block. */
function leastRoom(add: (writer: ManifestWriter) => boolean): number {
  for (let size = 7; size < 1000; size++) if (add(new ManifestWriter(new Uint8Array(size), 0))) return size;
  return assert.fail("it never fits");
}

/** What stands in a manifest block before its records. */
const HEADER_BYTES = 1 + 4 + 2;
const DIRECTORY: DirectoryHeader = { path: "srv/www", metadata: METADATA };
const DIRECTORY_BYTES = 1 + 2 + DIRECTORY.path.length + 1 + metadataBytes(METADATA);

test("a record is added where it just fits, and not with a byte less", () => {
  const terms = { isForced: false, isCheck: true, deletes: false, tellsDigests: false, base: "/srv" };
  const entry = { ...EMPTY, name: "file" };
  assert.equal(
    leastRoom((writer) => writer.addTerms(terms)),
    HEADER_BYTES + 1 + 1 + 2 + 4,
  );
  assert.equal(
    leastRoom((writer) => writer.addExclude("*.log")),
    HEADER_BYTES + 1 + 2 + 5,
  );
  assert.equal(
    leastRoom((writer) => writer.addDigest({ entry: 7, digest: new Uint8Array(TOLD_DIGEST_BYTES) })),
    HEADER_BYTES + 1 + 4 + 16,
  );
  assert.equal(
    leastRoom((writer) => writer.addComplete(DIRECTORY)),
    HEADER_BYTES + DIRECTORY_BYTES + 1,
  );
  const bare = { path: "srv/www", metadata: undefined };
  assert.equal(
    leastRoom((writer) => writer.addComplete(bare)),
    HEADER_BYTES + 1 + 2 + 7 + 1 + 1,
  );
  const needed = HEADER_BYTES + DIRECTORY_BYTES + 1 + entryBytes(entry);
  assert.equal(
    leastRoom((writer) => writer.add(DIRECTORY, entry)),
    needed,
  );
});

test("a directory that stands in the block already takes no more room", () => {
  const entry = { ...EMPTY, name: "file" };
  const first = leastRoom((writer) => writer.add(DIRECTORY, entry));
  // The first one leaves the two bytes unused that a target would have.
  const second = leastRoom((writer) => writer.add(DIRECTORY, entry) && writer.add(DIRECTORY, entry));
  assert.equal(second, first - 2 + 1 + entryBytes(entry));
  const complete = leastRoom((writer) => writer.add(DIRECTORY, entry) && writer.addComplete(DIRECTORY));
  assert.equal(complete, Math.max(first, first - 2 + 1));
});

test("the word that a directory is complete takes one byte where the directory stands there already", () => {
  for (const left of [0, 1]) {
    const writer = new ManifestWriter(new Uint8Array(200), 0);
    assert.ok(writer.add(DIRECTORY, { ...EMPTY, name: "file" }));
    const usedBytes = HEADER_BYTES + DIRECTORY_BYTES + 1 + entryBytes({ ...EMPTY, name: "file" }) - 2;
    assert.ok(writer.addExclude("x".repeat(200 - usedBytes - 3 - left)));
    assert.equal(writer.addComplete(DIRECTORY), left === 1);
  }
});

test("a directory that is complete is written again for what follows", () => {
  const [one, twice] = [1, 2].map((times) => {
    const writer = new ManifestWriter(new Uint8Array(1000), 0);
    for (let time = 0; time < times; time++) assert.ok(writer.addComplete(DIRECTORY));
    return writer.finish().length - HEADER_BYTES;
  }) as [number, number];
  assert.equal(twice, 2 * one);
});

test("a manifest block is empty until something is added", () => {
  const writer = new ManifestWriter(new Uint8Array(100), 0);
  assert.equal(writer.isEmpty, true);
  writer.addExclude("*");
  assert.equal(writer.isEmpty, false);
});

test("a hole or a withdrawal is added where it just fits, and not with a byte less", () => {
  const least = (add: (writer: DataWriter) => boolean) => {
    for (let size = 1; size < 100; size++) if (add(new DataWriter(new Uint8Array(size)))) return size;
    return undefined;
  };
  assert.equal(
    least((writer) => writer.addHole(1, 2, 3)),
    1 + 1 + 4 + 8 + 8,
  );
  assert.equal(
    least((writer) => writer.addWithdrawal(1, "gone")),
    1 + 1 + 4 + 2 + 4,
  );
});

test("a finding keeps the end of a path that is too long, and the start of its text", () => {
  const told = (path: string, text: string) => makeFinding(FindingKind.superfluous, path, text);
  const longest = "p".repeat(1000);
  assert.equal(told(longest, "").path, longest);
  assert.equal(told(`x${longest}`, "").path, `...${"p".repeat(997)}`);
  assert.equal(told("p", "t".repeat(257)).text, "t".repeat(256));
  assert.deepEqual(told("p", "t"), { kind: 1, path: "p", text: "t" });
});
