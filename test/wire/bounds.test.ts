import assert from "node:assert/strict";
import type { NodeInfo } from "../../src/wire/membership-messages.ts";
import { test } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { ByteReader, ByteWriter, DecodeError } from "../../src/base/bytes.ts";
import {
  BLOCK_ASSOCIATED_BYTES,
  BlockKind,
  datagramLength,
  decodeFragment,
  encodeFragmentHeader,
  FRAGMENT_HEADER_BYTES,
  FragmentHeader,
  writeBlockAssociatedData,
} from "../../src/wire/datagram.ts";
import { decodeAttributes, encodeAttributes, EntryType, NO_EXTRAS } from "../../src/wire/entry.ts";
import { decodeManifest, ManifestWriter } from "../../src/wire/manifest.ts";
import { type ControlMessage, decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import type { Status } from "../../src/wire/status-message.ts";
import { decodeTerms, encodeTerms } from "../../src/wire/terms.ts";

/** What just keeps to a limit of PROTOCOL.md is taken, and what just exceeds it is refused. */

const EPOCH = "0123456789abcdef";
const repeated = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

const INFO = {
  hostName: "host",
  version: "2.0.0",
  protocol: 2,
  receives: true,
  sends: true,
  labels: [] as string[],
};
const STATUS: Status = {
  sender: EPOCH,
  transfer: 1,
  phase: 1,
  stamp: 0,
  stagedBelow: 0,
  windowEnd: 0,
  inFlight: 0,
  received: 0,
  missingRuns: [],
  missingFragments: [],
  wants: [],
  reason: "",
  findings: 0,
  worked: 0,
  admission: 1,
  ahead: 0,
  order: 0,
};

const hello = (info: Partial<NodeInfo>): ControlMessage => ({
  type: "hello",
  body: { info: { ...INFO, ...info } },
});
const status = (parts: Partial<Status>): ControlMessage => ({
  type: "status",
  body: { ...STATUS, ...parts },
});
const want = (size: number) => ({ block: 1, entries: new Bitmap(size), differences: undefined });
const findings = (count: number, path: number, text: number): ControlMessage => {
  const finding = { kind: 1, path: "p".repeat(path), text: "t".repeat(text) } as const;
  const body = { sender: EPOCH, transfer: 1, first: 0, hasMore: false, findings: repeated(count, finding) };
  return { type: "findings", body };
};

const MESSAGES: [name: string, most: number, make: (count: number) => ControlMessage][] = [
  ["bytes of a host name", 64, (count) => hello({ hostName: "h".repeat(count) })],
  ["bytes of a version", 32, (count) => hello({ version: "1".repeat(count) })],
  ["keys", 8, (count) => ({ type: "keys", body: { keys: repeated(count, "1a2b3c4d") } })],
  ["labels", 16, (count) => hello({ labels: repeated(count, "label") })],
  ["bytes of a label", 32, (count) => hello({ labels: ["l".repeat(count)] })],
  [
    "targets",
    128,
    (count) => ({ type: "commit", body: { transfer: 1, order: 1, targets: repeated(count, EPOCH) } }),
  ],
  [
    "runs of missing blocks",
    16,
    (count) => status({ missingRuns: repeated(count, { firstBlock: 1, blocks: 2 }) }),
  ],
  [
    "blocks missing in part",
    40,
    (count) => status({ missingFragments: repeated(count, { block: 1, maskLow: 2, maskHigh: 3 }) }),
  ],
  ["wants", 64, (count) => status({ wants: repeated(count, want(1)) })],
  ["entries of a want", 1024, (count) => status({ wants: [want(count)] })],
  ["findings", 100, (count) => findings(count, 1, 1)],
  ["bytes of the path of a finding", 1000, (count) => findings(1, count, 0)],
  ["bytes of the text of a finding", 256, (count) => findings(1, 0, count)],
];

for (const [name, most, make] of MESSAGES) {
  test(`a message has at most ${most} ${name}`, () => {
    const message = make(most);
    assert.deepEqual(decodeMessage(encodeMessage(message)), message);
    assert.throws(() => decodeMessage(encodeMessage(make(most + 1))), DecodeError);
  });
}

/** What a decoder makes of something written by an encoder. */
function through<T>(write: (writer: ByteWriter) => unknown, read: (reader: ByteReader) => T): T {
  const writer = new ByteWriter(100_000);
  write(writer);
  return read(new ByteReader(writer.written()));
}

test("a name shows every character from 0x21 to 0x7e, and no other", () => {
  for (let code = 0; code < 256; code++) {
    const bytes = encodeMessage(hello({ hostName: `a${String.fromCharCode(code)}` }));
    if (code >= 0x21 && code <= 0x7e) assert.equal(decodeMessage(bytes).type, "hello");
    else assert.throws(() => decodeMessage(bytes), DecodeError, `0x${code.toString(16)}`);
  }
  assert.throws(() => decodeMessage(encodeMessage(hello({ hostName: " a" }))), DecodeError);
});

test("flags of PROGRESS are two bits, and each is its own", () => {
  const progress = { transfer: 1, sentBlocks: 2, stamp: 3, settledBelow: 4, spreadMs: 5 };
  for (const [final, poll] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    const message: ControlMessage = { type: "progress", body: { ...progress, final, poll } };
    const bytes = encodeMessage(message);
    assert.deepEqual(decodeMessage(bytes), message);
    bytes[17] = (bytes[17] as number) | 4;
    assert.throws(() => decodeMessage(bytes), DecodeError);
  }
});

test("terms are four bits, and each is its own", () => {
  for (let bits = 0; bits < 16; bits++) {
    const terms = {
      isForced: (bits & 1) !== 0,
      isCheck: (bits & 2) !== 0,
      deletes: (bits & 4) !== 0,
      tellsDigests: (bits & 8) !== 0,
      base: "/srv",
    };
    assert.deepEqual(
      through((writer) => encodeTerms(writer, terms), decodeTerms),
      terms,
    );
  }
  assert.throws(() => through((writer) => writer.u8(16).longText(""), decodeTerms), DecodeError);
});

test("a base directory and a pattern have at most 4,096 bytes", () => {
  const decoded = (bytes: number) => {
    const writer = new ManifestWriter(new Uint8Array(20_000), 0);
    writer.addTerms({
      isForced: false,
      isCheck: false,
      deletes: true,
      tellsDigests: false,
      base: "b".repeat(bytes),
    });
    return decodeManifest(writer.finish()).terms?.base.length;
  };
  assert.equal(decoded(4096), 4096);
  assert.throws(() => decoded(4097), DecodeError);
  const pattern = (bytes: number) => {
    const writer = new ManifestWriter(new Uint8Array(20_000), 0);
    writer.addExclude("*".repeat(bytes));
    return decodeManifest(writer.finish()).excludes[0]?.length;
  };
  assert.equal(pattern(4096), 4096);
  assert.throws(() => pattern(4097), DecodeError);
});

test("a directory has a path of at most 4,096 bytes", () => {
  const decoded = (path: string) => {
    const writer = new ManifestWriter(new Uint8Array(20_000), 0);
    writer.addComplete({ path, metadata: undefined });
    return decodeManifest(writer.finish()).directories[0]?.header.path.length;
  };
  assert.equal(decoded(`${"d/".repeat(2047)}dd`), 4096);
  assert.throws(() => decoded(`${"d/".repeat(2047)}ddd`), DecodeError);
});

test("a manifest block has at most 1,024 entries", () => {
  const block = (count: number) => {
    const writer = new ByteWriter(60_000).u8(BlockKind.manifest).u32(0).u16(count);
    writer.u8(1).longText("").u8(0);
    for (let index = 0; index < count; index++) writer.u8(2).u8(EntryType.gone).shortText("n");
    return writer.written();
  };
  assert.equal(decodeManifest(block(1024)).directories[0]?.entries.length, 1024);
  assert.throws(() => decodeManifest(block(1025)), DecodeError);
});

test("an entry has at most 100 attributes, with names of 1 to 255 bytes without NUL and 16 KiB of values", () => {
  const decoded = (names: readonly string[], valueBytes = 0) => {
    const attributes = names.map((name) => ({ name, value: new Uint8Array(valueBytes) }));
    return through((writer) => encodeAttributes(writer, attributes), decodeAttributes);
  };
  assert.equal(decoded(repeated(100, "user.a")).length, 100);
  assert.equal(decoded(["n".repeat(255)])[0]?.name.length, 255);
  assert.equal(decoded(["a", "b"], 8192).length, 2);
  for (const refused of [
    () => decoded(repeated(101, "user.a")),
    () => decoded([""]),
    () => decoded(["user.a\0b"]),
    // 16,385 bytes.
    () => decoded(["a", "b", "c", "d", "e"], 3277),
  ])
    assert.throws(refused, DecodeError);
});

test("attributes come back with their values, which are copies", () => {
  const value = new Uint8Array([1, 2, 3]);
  const attributes = [{ name: "user.a", value }];
  const decoded = through((writer) => encodeAttributes(writer, attributes), decodeAttributes);
  assert.deepEqual(decoded, attributes);
  assert.equal(decoded[0]?.value.buffer.byteLength, 3);
});

test("a device that is not said is device 0:0", () => {
  const metadata = { mode: 0, mtimeNs: 0n, user: { id: 0, name: "" }, group: { id: 0, name: "" } };
  const entry = { type: EntryType.blockDevice, name: "d", metadata, size: 0, target: "", extras: undefined };
  const writer = new ManifestWriter(new Uint8Array(1000), 0);
  writer.add({ path: "", metadata: undefined }, entry);
  const [decoded] = decodeManifest(writer.finish()).directories[0]?.entries ?? [];
  assert.deepEqual(decoded?.extras, { ...NO_EXTRAS, device: { major: 0, minor: 0 } });
});

/** A fragment's header in memory that held something else before. */
function fragment(start: number, payloadBytes: number): Uint8Array {
  const bytes = new Uint8Array(start + FRAGMENT_HEADER_BYTES + payloadBytes).fill(0xff);
  const fields = {
    transfer: 1,
    block: 2,
    stamp: 3,
    sealedBytes: payloadBytes,
    index: 0,
    kind: BlockKind.data,
  };
  const header = Object.assign(new FragmentHeader(), { ...fields, epochHigh: 4, epochLow: 5, payloadBytes });
  encodeFragmentHeader(bytes, start, header);
  return bytes;
}

test("a header that is written over another one is good, wherever it stands", () => {
  for (const start of [0, 3, 1440]) {
    const bytes = fragment(start, 20);
    const length = FRAGMENT_HEADER_BYTES + 20;
    assert.equal(datagramLength(bytes, start, bytes.length), length, `at ${start}`);
    const header = new FragmentHeader();
    assert.ok(decodeFragment(bytes, start, length, header));
    const { epochHigh, epochLow, transfer, block, stamp, index, payloadStart } = header;
    assert.deepEqual([epochHigh, epochLow, transfer, block, stamp, index], [4, 5, 1, 2, 3, 0]);
    assert.equal(payloadStart, start + FRAGMENT_HEADER_BYTES);
    // What lies before it counts for nothing: only 15 bytes are left.
    assert.equal(datagramLength(bytes, start, start + 15), 0);
    assert.equal(datagramLength(bytes, start, start + length - 1), 0);
  }
});

test("a fragment without a payload is none", () => {
  const bytes = fragment(0, 20);
  assert.equal(decodeFragment(bytes, 0, FRAGMENT_HEADER_BYTES, new FragmentHeader()), false);
});

test("the seal of a block covers its transfer, its number, its length and its kind", () => {
  const bytes = new Uint8Array(BLOCK_ASSOCIATED_BYTES);
  writeBlockAssociatedData(bytes, 0x0403_0201, 0x0807_0605, 0x0a09, 0x0b);
  assert.deepEqual([...bytes], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});
