import zlib from "node:zlib";
import { Bitmap } from "../../src/base/bitmap.ts";
import { hexOf } from "../../src/base/hex.ts";
import { below, randomBytes, type Random } from "../../src/base/random.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../src/wire/datagram.ts";
import { DataWriter, SegmentWriter } from "../../src/wire/data-block.ts";
import { CHUNK_KEY_BYTES, TAG_BYTES, UNPACKED_BYTES } from "../../src/wire/limits.ts";
import { differingEntries } from "../../src/wire/differences.ts";
import {
  DIGEST_BYTES,
  TOLD_DIGEST_BYTES,
  type Entry,
  type EntryExtras,
  EntryType,
  isDevice,
  isNameOnly,
} from "../../src/wire/entry.ts";
import { FindingKind } from "../../src/wire/findings.ts";
import { ManifestWriter } from "../../src/wire/manifest.ts";
import type { Condition } from "../../src/wire/examination-messages.ts";
import type { NodeInfo, Route } from "../../src/wire/membership-messages.ts";
import type { ControlMessage } from "../../src/wire/message.ts";
import { type Metadata, NO_METADATA } from "../../src/wire/metadata.ts";
import { isSafeName, STAGING_NAME } from "../../src/wire/path-rules.ts";
import { MemberPhase, type Status } from "../../src/wire/status-message.ts";

/** Random values for the wire, with a preference for the ends of each range. */

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)] as T;
}

function list<T>(random: Random, most: number, make: () => T): T[] {
  const count = pick(random, [0, 1, 2, below(random, most + 1), most]);
  return Array.from({ length: count }, make);
}

function u32(random: Random): number {
  return pick(random, [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, random.u32(), below(random, 300)]);
}

function u16(random: Random): number {
  return pick(random, [0, 1, 0xff, 0x100, 0xffff, below(random, 0x1_0000)]);
}

function u64(random: Random): bigint {
  return (BigInt(u32(random)) << 32n) | BigInt(u32(random));
}

function flag(random: Random): boolean {
  return below(random, 2) === 1;
}

/** Some characters, each of them one byte, from `lowest` on. */
function text(random: Random, least: number, most: number, lowest: number): string {
  const length = pick(random, [least, most, least + below(random, most - least + 1), least]);
  const character = () => String.fromCharCode(lowest + below(random, 256 - lowest));
  return Array.from({ length }, character).join("");
}

function shown(random: Random, most: number): string {
  return text(random, 1, most, 0x21).replaceAll(/[^!-~]/g, "~");
}

function nodeInfo(random: Random): NodeInfo {
  const protocol = pick(random, [2, 3, 4, 255, 999]);
  const hasLength = protocol > 2 && flag(random);
  return {
    hostName: shown(random, 64),
    // The text of both versions and the length has at most 32 bytes.
    version: shown(random, hasLength ? 11 : 24),
    protocol,
    ...(hasLength && { datagramBytes: pick(random, [1252, 1372, 1439]) }),
    receives: flag(random),
    sends: flag(random),
    labels: list(random, 16, () => shown(random, 32)),
  };
}

function route(random: Random): Route {
  const ip = [...randomBytes(random, 4)].join(".");
  return { to: hexOf(randomBytes(random, 8)), from: { ip, port: u16(random) } };
}

function bitmap(random: Random, size: number): Bitmap {
  return new Bitmap(size, randomBytes(random, (size + 7) >> 3));
}

function status(random: Random): Status {
  // No more than fits into one datagram: the engine ensures that, the encoder asserts it.
  const want = () => {
    const block = u32(random);
    if (below(random, 4) === 0) {
      const differences = randomBytes(random, below(random, 70));
      return { block, entries: differingEntries(differences), differences };
    }
    const entries = pick(random, [
      new Bitmap(pick(random, [0, 1, 1024])),
      bitmap(random, 1 + below(random, 70)),
    ]);
    return { block, entries, differences: undefined };
  };
  return {
    sender: hexOf(randomBytes(random, 8)),
    transfer: u32(random),
    phase: pick(random, Object.values(MemberPhase)),
    stamp: u32(random),
    stagedBelow: u32(random),
    windowEnd: u32(random),
    inFlight: u32(random),
    received: u32(random),
    missingRuns: list(random, 16, () => ({ firstBlock: u32(random), blocks: u16(random) })),
    missingFragments: list(random, 40, () => ({
      block: u32(random),
      maskLow: u32(random),
      maskHigh: u16(random),
    })),
    wants: list(random, 10, want),
    reason: text(random, 0, 300, 0),
    findings: u32(random),
    worked: u32(random),
    order: u32(random),
    ...pick(random, [
      { admission: 0, ahead: 0 },
      { admission: 1 + below(random, 2 ** 32 - 1), ahead: u16(random) },
    ]),
  };
}

const targetsOf = (random: Random, most: number) => list(random, most, () => hexOf(randomBytes(random, 8)));
const epochs = (random: Random) => targetsOf(random, 128);

const MAKERS: readonly ((random: Random) => ControlMessage)[] = [
  (random) => ({ type: "hello", body: { info: nodeInfo(random) } }),
  (random) => ({ type: "alive", body: { info: nodeInfo(random) } }),
  () => ({ type: "exit", body: null }),
  (random) => ({
    type: "keys",
    body: { keys: ["1a2b3c4d", ...list(random, 7, () => hexOf(randomBytes(random, 4)))] },
  }),
  (random) => ({
    type: "challenge",
    body: {
      nonce: hexOf(randomBytes(random, 16)),
      ...route(random),
      isMissed: flag(random),
      info: nodeInfo(random),
    },
  }),
  (random) => ({
    type: "old-challenge",
    body: { nonce: hexOf(randomBytes(random, 16)), info: nodeInfo(random) },
  }),
  (random) => {
    const [answer, nonce] = [hexOf(randomBytes(random, 16)), hexOf(randomBytes(random, 16))];
    return { type: "response", body: { answer, nonce, ...route(random), info: nodeInfo(random) } };
  },
  (random) => {
    const [answer, nonce] = [hexOf(randomBytes(random, 16)), hexOf(randomBytes(random, 16))];
    return { type: "old-response", body: { answer, nonce, info: nodeInfo(random) } };
  },
  (random) => {
    const [rank, targets] = [u32(random), epochs(random)];
    const flags = { dryRun: flag(random), allOrNothing: rank !== 0 && flag(random) };
    return { type: "offer", body: { transfer: u32(random), ...flags, rank, targets } };
  },
  (random) => ({
    type: "progress",
    body: {
      transfer: u32(random),
      sentBlocks: u32(random),
      stamp: u32(random),
      settledBelow: u32(random),
      final: flag(random),
      poll: flag(random),
      spreadMs: u16(random),
    },
  }),
  (random) => ({ type: "status", body: status(random) }),
  (random) => ({
    type: pick(random, ["order", "commit"] as const),
    body: { transfer: u32(random), order: u32(random), targets: epochs(random) },
  }),
  (random) => ({ type: "query", body: { sender: hexOf(randomBytes(random, 8)), transfer: u32(random) } }),
  (random) => ({
    type: "relay",
    body: {
      sender: hexOf(randomBytes(random, 8)),
      ...{ transfer: u32(random), order: u32(random), targets: epochs(random) },
    },
  }),
  (random) => ({
    type: "abort",
    body: { transfer: u32(random), targets: targetsOf(random, 90), reason: text(random, 0, 512, 0) },
  }),
  (random) => ({
    type: "probe",
    body: { examination: u32(random), series: 1 + (u32(random) % 5), fillerBytes: u32(random) % 1377 },
  }),
  (random) => ({
    type: "inspect",
    body: {
      to: hexOf(randomBytes(random, 8)),
      ...{ examination: u32(random), number: u16(random), answers: u32(random) % 21 },
    },
  }),
  (random) => ({ type: "condition", body: condition(random) }),
  (random) => ({
    type: "log",
    body: {
      ...{ place: u32(random), digest: hexOf(randomBytes(random, 8)) },
      ...{ catchesUp: flag(random), asks: flag(random) },
      ...{
        count: u32(random) % 1001,
        behind: u32(random) % 1001,
        lacks: u32(random),
        sinceMs: u32(random) * 1000,
      },
      reason: "no space left",
    },
  }),
  (random) => ({
    type: "fetch",
    body: { question: u32(random), digest: hexOf(randomBytes(random, 8)), offset: u32(random) % 1048577 },
  }),
  (random) => {
    const bytes = randomBytes(random, u32(random) % 1201);
    const offset = u32(random) % 1000000;
    const total = offset + bytes.length + (u32(random) % 1000);
    const names = { question: u32(random), digest: hexOf(randomBytes(random, 8)) };
    return { type: "piece", body: { ...names, offset, total, bytes } };
  },
  (random) => ({ type: "ask", body: { digest: hexOf(randomBytes(random, 8)), missing: positions(random) } }),
  (random) => ({
    type: "answer",
    body: { digest: hexOf(randomBytes(random, 8)), serves: flag(random), reason: "it lacks it, too" },
  }),
  (random) => ({
    type: "served",
    body: {
      ...{ transfer: u32(random), digest: hexOf(randomBytes(random, 8)) },
      ...{ brought: positions(random), reason: "" },
    },
  }),
  (random) => ({ type: "inquiry", body: { transfer: u32(random), first: u32(random) } }),
  (random) => {
    const [transfer, first, hasMore] = [u32(random), u32(random), flag(random)];
    const findings = list(random, pick(random, [1, 10]), () => ({
      kind: pick(random, Object.values(FindingKind)),
      path: text(random, 0, 90, 0),
      text: text(random, 0, 30, 0),
    }));
    return {
      type: "findings",
      body: { sender: hexOf(randomBytes(random, 8)), transfer, first, hasMore, findings },
    };
  },
];

/** A random message of a random type. */
export function randomMessage(random: Random): ControlMessage {
  return pick(random, MAKERS)(random);
}

function metadata(random: Random): Metadata {
  return {
    mode: pick(random, [0, 0o7777, 0o644, below(random, 0o10000)]),
    mtimeNs: BigInt.asIntN(64, u64(random)),
    user: { id: u32(random), name: text(random, 0, pick(random, [8, 255]), 0) },
    group: { id: u32(random), name: text(random, 0, pick(random, [8, 255]), 0) },
  };
}

function name(random: Random): string {
  const made = text(random, 1, pick(random, [12, 255]), 1).replaceAll("/", "_");
  return isSafeName(made) && made !== STAGING_NAME ? made : "name";
}

function entry(random: Random): Entry {
  const type = pick(random, Object.values(EntryType));
  const isFile = type === EntryType.file;
  const linked = { [EntryType.symlink]: () => text(random, 1, pick(random, [20, 4096]), 1) } as const;
  const hardLinked = { [EntryType.hardLink]: () => `${name(random)}/${name(random)}` } as const;
  const targets: Readonly<Record<number, () => string>> = { ...linked, ...hardLinked };
  return {
    type,
    name: name(random),
    metadata: isNameOnly(type) ? NO_METADATA : metadata(random),
    size: isFile ? fileSize(random) : 0,
    target: targets[type]?.() ?? "",
    extras: extras(random, type),
  };
}

function fileSize(random: Random): number {
  return pick(random, [0, 1, below(random, 1e6), Number.MAX_SAFE_INTEGER]);
}

function extras(random: Random, type: EntryType): EntryExtras | undefined {
  const isFile = type === EntryType.file;
  const device = isDevice(type) ? { major: u32(random), minor: u32(random) } : undefined;
  if (device === undefined && below(random, 2) === 0) return undefined;
  const canHaveAttributes = !isNameOnly(type) && type !== EntryType.hardLink;
  const attribute = () => ({
    name: text(random, 1, pick(random, [10, 255]), 1),
    value: randomBytes(random, below(random, 40)),
  });
  const digest = isFile && flag(random) ? randomBytes(random, DIGEST_BYTES) : undefined;
  const made = {
    hasOtherNames: isFile && flag(random),
    digest,
    isDataDigest: digest !== undefined && flag(random),
    allocated: isFile && flag(random) ? fileSize(random) : undefined,
    device,
    attributes: canHaveAttributes && flag(random) ? list(random, 4, attribute) : undefined,
  };
  return Object.values(made).every((one) => one === undefined || one === false) ? undefined : made;
}

/** The plaintext of a manifest block of up to `most` entries. */
export function randomManifest(random: Random, most: number): Uint8Array {
  const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), u32(random));
  if (below(random, 5) === 0) {
    for (let rest = below(random, most + 1); rest > 0; rest--)
      writer.addDigest({ entry: u32(random), digest: randomBytes(random, TOLD_DIGEST_BYTES) });
    return writer.finish();
  }
  if (below(random, 5) === 0) {
    for (let rest = below(random, most + 1); rest > 0; rest--) {
      const length = 1 + below(random, 16 * 1024 * 1024);
      writer.addChunk({ entry: u32(random), length, tag: randomBytes(random, TAG_BYTES) });
    }
    return writer.finish();
  }
  if (flag(random)) writer.addChunkKey(randomBytes(random, CHUNK_KEY_BYTES));
  if (flag(random))
    writer.addTerms({
      isForced: flag(random),
      isCheck: flag(random),
      deletes: flag(random),
      tellsDigests: flag(random),
      base: `/${name(random)}`,
    });
  for (let count = below(random, 3); count > 0; count--) writer.addExclude(text(random, 0, 50, 0));
  for (let rest = below(random, most + 1); rest > 0;) {
    const components = Array.from({ length: below(random, 5) }, () => name(random));
    const directory = { path: components.join("/"), metadata: pick(random, [undefined, metadata(random)]) };
    for (let inHere = 1 + below(random, 4); inHere > 0 && rest > 0; inHere--, rest--) {
      if (!writer.add(directory, entry(random))) return writer.finish();
    }
    if (flag(random)) writer.addComplete(directory);
  }
  return writer.finish();
}

/** The plaintext of a data block of up to `most` segments. */
export function randomData(random: Random, most: number): Uint8Array {
  const writer = new DataWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES));
  for (let rest = below(random, most + 1); rest > 0; rest--) {
    if (below(random, 5) === 0) addCompressed(random, writer);
    else addSegment(random, writer);
  }
  return writer.finish();
}

function positions(random: Random): number[] {
  return Array.from({ length: 1000 }, (_, position) => position).filter(() => u32(random) % 7 === 0);
}

function addCompressed(random: Random, writer: DataWriter): void {
  const inside = new SegmentWriter(new Uint8Array(UNPACKED_BYTES));
  for (let rest = below(random, 4); rest > 0; rest--) addSegment(random, inside);
  const plain = inside.finish();
  writer.addCompressed(zlib.zstdCompressSync(plain), plain.length);
}

function addSegment(random: Random, writer: SegmentWriter): void {
  if (below(random, 6) === 0) writer.addHole(u32(random), fileSize(random), fileSize(random));
  else if (below(random, 4) === 0) writer.addWithdrawal(u32(random), text(random, 0, 512, 0));
  else if (writer.contentRoom > 0) {
    const bytes = writer.contentSpace(below(random, pick(random, [2, 100, 3000])));
    bytes.set(randomBytes(random, bytes.length));
    writer.addContent(
      u32(random),
      pick(random, [0, below(random, 1e9), Number.MAX_SAFE_INTEGER]),
      bytes.length,
    );
  }
}

function condition(random: Random): Condition {
  const [to, examination, number] = [hexOf(randomBytes(random, 8)), u32(random), u16(random)];
  const arrived = [u16(random), u16(random), u16(random), u16(random)];
  const sizes = { freeBytes: u32(random), allBytes: u32(random) * 4096 };
  const inodes = { freeInodes: u32(random), allInodes: u32(random) };
  const disk = { isKnown: flag(random), isWritable: flag(random), ...sizes, ...inodes };
  const rest = { clockMs: u32(random) * 1000, keepsOwner: flag(random), receiveBufferBytes: u32(random) };
  return { to, examination, number, arrived, disk, ...rest, dropped: u32(random), members: u16(random) };
}
