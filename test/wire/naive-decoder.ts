import type { Plain } from "./plain.ts";

/**
 * A second decoder, written from the byte tables of PROTOCOL.md alone: slow, plain, and sharing nothing with src/wire, so that a
 * mistake would have to be made twice. It gives values as plainOf() does. A number that ends too early shows
 * as the RangeError of a DataView; every other fault as Refused. Limits are written out on purpose.
 */
export class Refused extends Error {
  override name = "Refused";
}

function demand(condition: boolean, what: string): void {
  if (!condition) throw new Refused(what);
}

/** Bytes, and how far they have been read. */
class Cursor {
  readonly view: DataView;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get left(): number {
    return this.view.byteLength - this.at;
  }

  u8(): number {
    this.at += 1;
    return this.view.getUint8(this.at - 1);
  }

  u16(): number {
    this.at += 2;
    return this.view.getUint16(this.at - 2, true);
  }

  u32(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  u64(): bigint {
    return BigInt(this.u32()) + (BigInt(this.u32()) << 32n);
  }

  i64(): bigint {
    const value = this.u64();
    return value >= 1n << 63n ? value - (1n << 64n) : value;
  }

  hex(count: number): string {
    return this.piece(count).toString("hex");
  }

  text(count: number): string {
    return this.piece(count).toString("latin1");
  }

  times<T>(count: number, read: () => T): T[] {
    return Array.from({ length: count }, read);
  }

  private piece(count: number): Buffer {
    demand(count <= this.left, "length");
    this.at += count;
    return Buffer.from(this.view.buffer, this.view.byteOffset + this.at - count, count);
  }
}

// Control messages: a type, then its body, then nothing.

const BODIES: Readonly<Record<number, readonly [string, (from: Cursor) => Plain]>> = {
  1: ["hello", (from) => ({ info: nodeInfo(from) })],
  2: ["alive", (from) => ({ info: nodeInfo(from) })],
  3: ["exit", () => null],
  4: ["challenge", (from) => ({ nonce: from.hex(16), info: nodeInfo(from) })],
  5: ["response", (from) => ({ answer: from.hex(16), nonce: from.hex(16), info: nodeInfo(from) })],
  16: ["offer", (from) => ({ transfer: from.u32(), dryRun: isOne(from.u8()), targets: targets(from) })],
  17: ["progress", progress],
  18: ["status", status],
  19: ["commit", order],
  20: ["abort", (from) => ({ transfer: from.u32(), targets: targets(from), reason: reason(from) })],
  21: ["inquiry", (from) => ({ transfer: from.u32(), first: from.u32() })],
  22: ["findings", findings],
  23: ["order", order],
};

export function naiveMessage(bytes: Uint8Array): Plain {
  const from = new Cursor(bytes);
  const entry = BODIES[from.u8()];
  if (entry === undefined) throw new Refused("type");
  const body = entry[1](from);
  demand(from.left === 0, "end");
  return { type: entry[0], body };
}

function nodeInfo(from: Cursor): Plain {
  const flags = from.u8();
  demand(flags < 4, "flags");
  const hostName = shown(from, 64);
  const version = shown(from, 32);
  const count = from.u8();
  demand(count <= 16, "labels");
  const labels = from.times(count, () => shown(from, 32));
  return { hostName, version, receives: flags % 2 === 1, sends: Math.floor(flags / 2) % 2 === 1, labels };
}

function isOne(value: number): boolean {
  demand(value === 0 || value === 1, "0 or 1");
  return value === 1;
}

/** A name that is shown to people: 1 to `most` bytes, all of them printable ASCII. */
function shown(from: Cursor, most: number): string {
  const name = from.text(from.u8());
  demand(name.length >= 1 && name.length <= most, "name");
  demand(/^[!-~]*$/.test(name), "character");
  return name;
}

function targets(from: Cursor): Plain {
  const count = from.u16();
  demand(count <= 128, "targets");
  return from.times(count, () => from.hex(8));
}

function reason(from: Cursor): string {
  const length = from.u16();
  // The length comes before the text: one that is too long is refused either way.
  demand(length <= 512, "reason");
  return from.text(length);
}

/** ORDER and COMMIT look the same. */
function order(from: Cursor): Plain {
  return { transfer: from.u32(), order: from.u32(), targets: targets(from) };
}

function progress(from: Cursor): Plain {
  const [transfer, sentBlocks, stamp, settledBelow] = from.times(4, () => from.u32()) as [
    number,
    number,
    number,
    number,
  ];
  const flags = from.u8();
  demand(flags < 4, "flags");
  const spreadMs = from.u16();
  const isSet = (bit: number) => Math.floor(flags / bit) % 2 === 1;
  return { transfer, sentBlocks, stamp, settledBelow, final: isSet(1), poll: isSet(2), spreadMs };
}

function status(from: Cursor): Plain {
  const sender = from.hex(8);
  const transfer = from.u32();
  const phase = from.u8();
  demand(phase <= 7, "phase");
  const [stamp, stagedBelow, windowEnd, inFlight, received] = from.times(5, () => from.u32()) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const runs = from.u8();
  demand(runs <= 16, "runs");
  const missingRuns = from.times(runs, () => ({ firstBlock: from.u32(), blocks: from.u16() }));
  const fragments = from.u8();
  demand(fragments <= 40, "fragments");
  const missingFragments = from.times(fragments, () => ({
    block: from.u32(),
    maskLow: from.u32(),
    maskHigh: from.u16(),
  }));
  const answers = from.u8();
  demand(answers <= 64, "wants");
  const wants = from.times(answers, () => want(from));
  const common = { sender, transfer, phase, stamp, stagedBelow, windowEnd, inFlight, received };
  const rest = { reason: reason(from), findings: from.u32(), worked: from.u32(), order: from.u32() };
  return { ...common, missingRuns, missingFragments, wants, ...rest };
}

function want(from: Cursor): Plain {
  const block = from.u32();
  const size = from.u16();
  const form = from.u8();
  demand(size <= 1024 && form <= 3, "want");
  if (form === 3) {
    const each = from.times(size, () => from.u8());
    const set = each.flatMap((value, index) => (value === 0 ? [] : [index]));
    return { block, entries: { size, set }, differences: Buffer.from(each).toString("hex") };
  }
  const bytes = form === 2 ? from.times(Math.ceil(size / 8), () => from.u8()) : [];
  const isWanted = (index: number) => form === 1 || ((bytes[index >> 3] ?? 0) >> (index & 7)) % 2 === 1;
  const all = Array.from({ length: size }, (_, index) => index);
  return { block, entries: { size, set: all.filter(isWanted) }, differences: null };
}

function findings(from: Cursor): Plain {
  const common = { sender: from.hex(8), transfer: from.u32(), first: from.u32(), hasMore: isOne(from.u8()) };
  const count = from.u8();
  demand(count <= 100, "findings");
  const each = () => {
    const kind = from.u8();
    demand(kind === 1 || kind === 2, "finding");
    const path = from.text(from.u16());
    const text = from.text(from.u16());
    demand(path.length <= 1000 && text.length <= 256, "length");
    return { kind, path, text };
  };
  return { ...common, findings: from.times(count, each) };
}

// Datagrams.

/** The length of the datagram at `start`, or 0 where none begins. */
export function naiveLength(bytes: Uint8Array, start: number): number {
  if (bytes.length - start < 16) return 0;
  const from = new Cursor(bytes, start);
  const [magic, version, , zero] = [from.u8(), from.u8(), from.u8(), from.u8()];
  const length = from.u16();
  if (magic !== 0x4d || version !== 2 || zero !== 0 || from.u16() !== 0) return 0;
  return length >= 16 && length <= 1440 && start + length <= bytes.length ? length : 0;
}

/** A whole datagram: of a control message only the header can be read without the key. */
export function naiveDatagram(bytes: Uint8Array): Plain {
  demand(naiveLength(bytes, 0) === bytes.length, "length");
  const from = new Cursor(bytes, 2);
  const type = from.u8();
  from.at = 8;
  const epoch = from.hex(8);
  if (type === 2) return fragment(from, epoch);
  demand(type === 1, "type");
  const header = { kind: "control", epoch, nodeId: from.hex(16), counter: String(from.u64()) };
  demand(from.left >= 16, "tag");
  return { ...header, plaintextBytes: from.left - 16 };
}

function fragment(from: Cursor, epoch: string): Plain {
  const [transfer, block, stamp] = [from.u32(), from.u32(), from.u32()];
  const sealedBytes = from.u16();
  const index = from.u8();
  const blockKind = from.u8();
  demand(blockKind === 1 || blockKind === 2, "kind");
  demand(sealedBytes > 16 && sealedBytes <= 44 * 1408, "sealed length");
  // Cut into pieces of 1408, the block's piece of this index is just as long as the payload.
  const pieces: number[] = [];
  for (let rest = sealedBytes; rest > 0; rest -= 1408) pieces.push(Math.min(rest, 1408));
  demand(pieces[index] === from.left, "payload");
  return {
    kind: "fragment",
    epoch,
    transfer,
    block,
    stamp,
    sealedBytes,
    index,
    blockKind,
    payload: from.hex(from.left),
  };
}

// Blocks.

export function naiveManifest(bytes: Uint8Array): Plain {
  const from = new Cursor(bytes);
  demand(from.u8() === 1, "block kind");
  const firstEntry = from.u32();
  const announced = from.u16();
  demand(announced <= 1024, "entries");
  const directories: { header: { path: string; metadata: Plain }; entries: Plain[]; isComplete: boolean }[] =
    [];
  const excludes: string[] = [];
  let terms: Plain = null;
  let found = 0;
  while (from.left > 0) {
    const record = from.u8();
    if (record === 1) {
      const path = from.text(from.u16());
      demand(isBelowBase(path), "directory");
      const header = { path, metadata: isOne(from.u8()) ? metadata(from) : null };
      directories.push({ header, entries: [], isComplete: false });
    } else if (record === 3) {
      const flags = from.u8();
      demand(flags < 4, "terms");
      const base = from.text(from.u16());
      demand(base.length <= 4096, "base");
      terms = { isForced: flags % 2 === 1, isCheck: flags >= 2, base };
    } else if (record === 4) {
      const pattern = from.text(from.u16());
      demand(pattern.length <= 4096, "pattern");
      excludes.push(pattern);
    } else {
      demand(record === 2 || record === 5, "record");
      const directory = directories[directories.length - 1];
      if (directory === undefined || directory.isComplete) throw new Refused("no directory");
      if (record === 5) directory.isComplete = true;
      else {
        directory.entries.push(manifestEntry(from, directory.header.path));
        found += 1;
      }
    }
  }
  demand(found === announced, "count");
  return { firstEntry, terms, excludes, directories };
}

function manifestEntry(from: Cursor, directory: string): Plain {
  const first = from.u8();
  const type = first % 16;
  const [hasOtherNames, hasDigest, hasHoles, hasAttributes] = [16, 32, 64, 128].map(
    (bit) => Math.floor(first / bit) % 2 === 1,
  );
  demand(type >= 1 && type <= 10, "entry type");
  demand(type === 1 || !(hasOtherNames || hasDigest || hasHoles), "contents");
  const isName = type === 5 || type === 6;
  demand(!(hasAttributes && (isName || type === 10)), "attributes");
  const name = from.text(from.u8());
  demand(name !== "" && !name.includes("/"), "name");
  demand(isBelowBase(directory === "" ? name : directory + "/" + name), "path");
  const nobody = { id: 0, name: "" };
  const data = isName ? { mode: 0, mtimeNs: "0", user: nobody, group: nobody } : metadata(from);
  const common = { type, name, metadata: data, size: type === 1 ? place(from) : 0, target: "" };
  if (type === 3 || type === 10) {
    common.target = from.text(from.u16());
    const isFine = common.target !== "" && common.target.length <= 4096 && !common.target.includes("\0");
    demand(isFine && (type === 3 || isBelowBase(common.target)), "target");
  }
  const isDevice = type === 8 || type === 9;
  if (first < 16 && !isDevice) return { ...common, extras: null };
  const device = isDevice ? { major: from.u32(), minor: from.u32() } : null;
  const digest = hasDigest ? from.hex(32) : null;
  const allocated = hasHoles ? place(from) : null;
  return {
    ...common,
    extras: {
      hasOtherNames: hasOtherNames === true,
      digest,
      allocated,
      device,
      attributes: hasAttributes ? attributes(from) : null,
    },
  };
}

function place(from: Cursor): number {
  const value = from.u64();
  demand(value < 1n << 53n, "size");
  return Number(value);
}

function attributes(from: Cursor): Plain {
  const count = from.u8();
  demand(count <= 100, "attributes");
  const all = from.times(count, () => {
    const name = from.text(from.u8());
    demand(name !== "" && !name.includes("\0"), "attribute");
    return { name, value: from.hex(from.u16()) };
  });
  const bytes = all.reduce((sum, { value }) => sum + value.length / 2, 0);
  demand(bytes <= 16384, "attributes");
  return all;
}

/** Looks for each kind of hostile path by itself. */
function isBelowBase(path: string): boolean {
  if (path === "") return true;
  const padded = "/" + path + "/";
  const isHostile =
    padded.includes("//") || padded.includes("/../") || padded.includes("/./") || padded.includes("\0");
  const isStaging = padded.startsWith("/.makuosan/");
  const longest = Math.max(...path.split("/").map((component) => component.length));
  return !isHostile && !isStaging && longest < 256 && path.length <= 4096;
}

function metadata(from: Cursor): Plain {
  const mode = from.u16();
  demand(mode < 4096, "mode");
  const mtimeNs = String(from.i64());
  const owner = () => ({ id: from.u32(), name: from.text(from.u8()) });
  return { mode, mtimeNs, user: owner(), group: owner() };
}

export function naiveSegments(bytes: Uint8Array): Plain {
  const from = new Cursor(bytes);
  demand(from.u8() === 2, "block kind");
  const segments: Plain[] = [];
  while (from.left > 0) {
    const kind = from.u8();
    const entry = from.u32();
    demand(kind >= 1 && kind <= 3, "segment");
    if (kind === 2) segments.push({ kind, entry, reason: reason(from) });
    else if (kind === 3) segments.push({ kind, entry, offset: place(from), length: place(from) });
    else {
      const offset = from.u64();
      demand(offset < 1n << 53n, "offset");
      segments.push({ kind, entry, offset: Number(offset), bytes: from.hex(from.u16()) });
    }
  }
  return segments;
}
