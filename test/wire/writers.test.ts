import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../src/base/assert.ts";
import { Bitmap } from "../../src/base/bitmap.ts";
import {
  BLOCK_PLAINTEXT_BYTES,
  CONTROL_PLAINTEXT_BYTES,
  fragmentCount,
  SEALED_BLOCK_BYTES,
  stampFragment,
} from "../../src/wire/datagram.ts";
import { DataWriter } from "../../src/wire/data-block.ts";
import { DATAGRAM_BYTES, MANIFEST_ENTRIES, REASON_BYTES } from "../../src/wire/limits.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { decodeManifest, ManifestWriter } from "../../src/wire/manifest.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import {
  MemberPhase,
  MISSING_FRAGMENTS_BYTES,
  MISSING_RUN_BYTES,
  type Status,
  STATUS_FIXED_BYTES,
  wantBytes,
} from "../../src/wire/status-message.ts";
import { encodeDatagram } from "./datagrams.ts";
import { joined } from "./mutate.ts";
import { readSegments } from "../support/read-segments.ts";

const METADATA = { mode: 0o644, mtimeNs: 5n, user: { id: 0, name: "" }, group: { id: 0, name: "" } };
const memory = () => new Uint8Array(BLOCK_PLAINTEXT_BYTES);

function file(name: string) {
  return { type: EntryType.file, name, metadata: METADATA, size: 1, target: "", extras: undefined };
}

test("a manifest block holds as many entries as fit, and says when it is full", () => {
  const writer = new ManifestWriter(memory(), 10);
  const directory = { path: "some/directory", metadata: METADATA };
  let count = 0;
  while (writer.add(directory, file(`name-${count}`.padEnd(100, "x")))) count++;
  assert.equal(writer.entries, count);
  const bytes = writer.finish();
  // The block is full: it would not have had room for one more entry.
  assert.ok(
    bytes.length <= BLOCK_PLAINTEXT_BYTES && bytes.length > BLOCK_PLAINTEXT_BYTES - 160,
    `${bytes.length}`,
  );
  const { firstEntry, directories } = decodeManifest(bytes);
  assert.equal(firstEntry, 10);
  assert.equal(directories.length, 1, "the directory stands there once");
  assert.equal(directories[0]?.entries.length, count);
});

test("a manifest block has no more entries than a STATUS can tell the differences of", () => {
  const writer = new ManifestWriter(memory(), 0);
  const directory = { path: "", metadata: undefined };
  while (writer.add(directory, file("x")));
  assert.equal(writer.entries, MANIFEST_ENTRIES);
  const differences = new Uint8Array(MANIFEST_ENTRIES).fill(1);
  const want = { block: 0, entries: new Bitmap(MANIFEST_ENTRIES), differences };
  assert.ok(1 + STATUS_FIXED_BYTES + wantBytes(want) <= CONTROL_PLAINTEXT_BYTES);
});

test("a directory is written again in each block, and whenever it changes", () => {
  const [a, b] = [
    { path: "a", metadata: undefined },
    { path: "b", metadata: METADATA },
  ];
  const writer = new ManifestWriter(memory(), 0);
  for (const [directory, name] of [
    [a, "1"],
    [a, "2"],
    [b, "3"],
    [a, "4"],
  ] as const) {
    writer.add(directory, file(name));
  }
  const { directories } = decodeManifest(writer.finish());
  const paths = directories.map(({ header, entries }) => [
    header.path,
    entries.map(({ name }) => name).join(),
  ]);
  assert.deepEqual(paths, [
    ["a", "1,2"],
    ["b", "3"],
    ["a", "4"],
  ]);
});

test("the longest entry in the longest directory fits into an empty block", () => {
  const owner = { id: 0xffff_ffff, name: "u".repeat(255) };
  const metadata = { mode: 0o7777, mtimeNs: -1n, user: owner, group: owner };
  const directory = { path: "d/".repeat(1920).slice(0, 3839), metadata };
  const entry = {
    type: EntryType.symlink,
    name: "n".repeat(255),
    metadata,
    size: 0,
    target: "t".repeat(4096),
    extras: undefined,
  };
  const writer = new ManifestWriter(memory(), 0);
  assert.ok(writer.add(directory, entry));
  assert.deepEqual(decodeManifest(writer.finish()).directories[0], {
    header: directory,
    entries: [entry],
    isComplete: false,
  });
});

test("a data block can be filled to its last byte", () => {
  const writer = new DataWriter(memory());
  assert.ok(writer.isEmpty);
  writer.addContent(1, 0, writer.contentSpace(1000).length);
  const room = writer.contentRoom;
  assert.equal(writer.contentSpace(room + 1).length, room, "there is no more space than room");
  writer.contentSpace(room).fill(0x61);
  writer.addContent(2, 7, room);
  assert.equal(writer.contentRoom, 0);
  assert.ok(!writer.isEmpty);
  const bytes = writer.finish();
  assert.equal(bytes.length, BLOCK_PLAINTEXT_BYTES);
  const segments = readSegments(bytes);
  assert.equal(segments.length, 2);
  assert.deepEqual(segments[1], { kind: 1, entry: 2, offset: 7, bytes: new Uint8Array(room).fill(0x61) });
});

test("a withdrawal that does not fit is left for the next block", () => {
  const writer = new DataWriter(memory());
  writer.addContent(1, 0, writer.contentRoom - 10);
  assert.ok(!writer.addWithdrawal(2, "a reason of some length"));
  assert.ok(writer.addWithdrawal(2, "why"));
  assert.deepEqual(readSegments(writer.finish()).at(-1), { kind: 2, entry: 2, reason: "why" });
});

test("reasons are cut to what every receiver takes", () => {
  const long = "r".repeat(REASON_BYTES + 100);
  const aborted = decodeMessage(
    encodeMessage({ type: "abort", body: { transfer: 1, targets: [], reason: long } }),
  );
  assert.deepEqual(aborted.body, { transfer: 1, targets: [], reason: long.slice(0, REASON_BYTES) });
  const writer = new DataWriter(memory());
  writer.addWithdrawal(0, long);
  assert.deepEqual(readSegments(writer.finish()), [
    { kind: 2, entry: 0, reason: long.slice(0, REASON_BYTES) },
  ]);
});

test("a status is as long as its parts are said to be", () => {
  const wants = [
    { block: 1, entries: new Bitmap(20), differences: undefined },
    { block: 2, entries: new Bitmap(20, new Uint8Array(3).fill(0xff)), differences: undefined },
    { block: 3, entries: new Bitmap(20, new Uint8Array([1, 0, 0])), differences: undefined },
  ];
  const body: Status = {
    sender: "0123456789abcdef",
    transfer: 1,
    phase: MemberPhase.failed,
    stamp: 1,
    stagedBelow: 1,
    windowEnd: 1,
    inFlight: 1,
    received: 1,
    missingRuns: [{ firstBlock: 1, blocks: 2 }],
    missingFragments: [{ block: 1, maskLow: -1, maskHigh: 1 }],
    wants,
    reason: "why",
    findings: 3,
    worked: 4,
    order: 5,
    admission: 6,
    ahead: 7,
  };
  const lists =
    MISSING_RUN_BYTES + MISSING_FRAGMENTS_BYTES + wants.reduce((sum, want) => sum + wantBytes(want), 0);
  assert.equal(encodeMessage({ type: "status", body }).length, 1 + STATUS_FIXED_BYTES + lists + 3);
  assert.deepEqual(wants.map(wantBytes), [7, 7, 10]);
});

test("a message that is longer than a datagram is a fault of this program", () => {
  const targets = new Array<string>(200).fill("0123456789abcdef");
  const body = { transfer: 1, order: 1, targets };
  assert.throws(() => encodeMessage({ type: "commit", body }), InvariantError);
});

test("a fragment that is sent again differs in its stamp alone", () => {
  const payload = new Uint8Array(100).fill(0xaa);
  const numbers = { full: 1408, transfer: 1, block: 2, sealedBytes: 100, index: 0, blockKind: 2 };
  const encode = (stamp: number) =>
    encodeDatagram({ kind: "fragment", epoch: "0123456789abcdef", ...numbers, stamp, payload });
  const [datagrams, expected] = [joined(new Uint8Array(7), encode(3)), encode(0xfedc_ba98)];
  stampFragment(datagrams, 7, 0xfedc_ba98);
  assert.deepEqual(datagrams.subarray(7), expected);
});

test("a block is cut into as many fragments as one train holds", () => {
  assert.equal(fragmentCount(1), 1);
  assert.equal(fragmentCount(1408), 1);
  assert.equal(fragmentCount(1409), 2);
  assert.equal(fragmentCount(SEALED_BLOCK_BYTES), 44);
  assert.ok(44 * DATAGRAM_BYTES <= 65_507, "a train fits one UDP send");
});
