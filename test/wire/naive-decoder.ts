import { Cursor, demand, isOne, reason, Refused } from "./naive-cursor.ts";
import type { Plain } from "./plain.ts";

// Control messages: a type, then its body, then nothing.

const BODIES: Readonly<Record<number, readonly [string, (from: Cursor) => Plain]>> = {
  1: ["hello", (from) => ({ info: nodeInfo(from) })],
  2: ["alive", (from) => ({ info: nodeInfo(from) })],
  3: ["exit", () => null],
  4: ["old-challenge", (from) => ({ nonce: from.hex(16), info: nodeInfo(from) })],
  5: ["old-response", (from) => ({ answer: from.hex(16), nonce: from.hex(16), info: nodeInfo(from) })],
  6: [
    "challenge",
    (from) => ({ nonce: from.hex(16), ...route(from), isMissed: isOne(from.u8()), info: nodeInfo(from) }),
  ],
  7: [
    "response",
    (from) => ({ answer: from.hex(16), nonce: from.hex(16), ...route(from), info: nodeInfo(from) }),
  ],
  8: [
    "keys",
    (from) => {
      const count = from.u8();
      demand(count >= 1 && count <= 8, "keys");
      return { keys: from.times(count, () => from.hex(4)) };
    },
  ],
  16: ["offer", offer],
  17: ["progress", progress],
  18: ["status", status],
  19: ["commit", order],
  20: ["abort", (from) => ({ transfer: from.u32(), targets: targets(from), reason: reason(from) })],
  21: ["inquiry", (from) => ({ transfer: from.u32(), first: from.u32() })],
  22: ["findings", findings],
  23: ["order", order],
  24: ["query", (from) => ({ sender: from.hex(8), transfer: from.u32() })],
  25: ["relay", (from) => ({ sender: from.hex(8), ...(order(from) as object) })],
  26: ["yield", (from) => ({ transfer: from.u32(), target: from.hex(8), admission: from.u32() })],
  27: ["probe", probe],
  28: ["inspect", inspect],
  29: ["condition", condition],
  30: [
    "log",
    (from) => {
      const [place, digest, count, behind] = [from.u32(), from.hex(8), from.u16(), from.u16()];
      demand(count <= 1000 && behind <= 1000, "count");
      const [lacks, catchesUp, asks, sinceMs] = [from.u32(), isOne(from.u8()), isOne(from.u8()), safe(from)];
      return { place, digest, count, behind, lacks, catchesUp, asks, sinceMs, reason: shortReason(from) };
    },
  ],
  31: [
    "fetch",
    (from) => {
      const [question, digest, offset] = [from.u32(), from.hex(8), from.u32()];
      demand(offset <= 1048576, "offset");
      return { question, digest, offset };
    },
  ],
  32: [
    "piece",
    (from) => {
      const question = from.u32();
      const [digest, offset, total, length] = [from.hex(8), from.u32(), from.u32(), from.u16()];
      demand(total <= 1048576 && length <= 1200 && offset + length <= total, "piece");
      return { question, digest, offset, total, bytes: from.hex(length) };
    },
  ],
  33: ["ask", (from) => ({ digest: from.hex(8), missing: positions(from) })],
  34: ["answer", (from) => ({ digest: from.hex(8), serves: isOne(from.u8()), reason: shortReason(from) })],
  35: [
    "served",
    (from) => ({
      transfer: from.u32(),
      digest: from.hex(8),
      brought: positions(from),
      reason: shortReason(from),
    }),
  ],
  36: ["nudge", () => null],
};

export function naiveMessage(bytes: Uint8Array): Plain {
  const from = new Cursor(bytes);
  const entry = BODIES[from.u8()];
  if (entry === undefined) throw new Refused("type");
  const body = entry[1](from);
  demand(from.left === 0, "end");
  return { type: entry[0], body };
}

/** The set bits of a bitmap without zero bytes at its end. */
function positions(from: Cursor): Plain {
  const bytes = from.times(from.u8(), () => from.u8());
  demand(bytes.length <= 125 && bytes[bytes.length - 1] !== 0, "positions");
  return bytes.flatMap((byte, index) =>
    [0, 1, 2, 3, 4, 5, 6, 7]
      .filter((bit) => Math.floor(byte / 2 ** bit) % 2 === 1)
      .map((bit) => 8 * index + bit),
  );
}

function shortReason(from: Cursor): string {
  const text = from.text(from.u8());
  demand(text.length <= 200 && /^[ -~]*$/.test(text), "reason");
  return text;
}

function probe(from: Cursor): Plain {
  const [examination, series, fillerBytes] = [from.u32(), from.u8(), from.u16()];
  demand(series >= 1 && series <= 5, "series");
  demand(fillerBytes <= 1376, "filler");
  from.hex(fillerBytes);
  return { examination, series, fillerBytes };
}

function inspect(from: Cursor): Plain {
  const body = { to: from.hex(8), examination: from.u32(), number: from.u16(), answers: from.u8() };
  demand(body.answers <= 20, "answers");
  return body;
}

function condition(from: Cursor): Plain {
  const head = { to: from.hex(8), examination: from.u32(), number: from.u16() };
  const arrived = from.times(4, () => from.u16());
  const clockMs = safe(from);
  const flags = from.u8();
  demand(flags < 8, "flags");
  const [freeBytes, allBytes, freeInodes, allInodes] = [safe(from), safe(from), safe(from), safe(from)];
  const [isKnown, isWritable] = [flags % 2 === 1, Math.floor(flags / 2) % 2 === 1];
  const disk = { isKnown, isWritable, freeBytes, allBytes, freeInodes, allInodes };
  const keepsOwner = flags >= 4;
  const receiveBufferBytes = from.u32();
  const dropped = safe(from);
  return { ...head, arrived, clockMs, keepsOwner, disk, receiveBufferBytes, dropped, members: from.u16() };
}

/** A u64 that a number of JavaScript holds exactly. */
function safe(from: Cursor): number {
  const value = Number(from.u64());
  demand(Number.isSafeInteger(value), "number");
  return value;
}

function nodeInfo(from: Cursor): Plain {
  const flags = from.u8();
  demand(flags < 4, "flags");
  const hostName = shown(from, 64);
  const told = shown(from, 32);
  // The version of the protocol is behind that of the program, where it is not 2.
  const cut = told.lastIndexOf("+wire");
  const digits = told.slice(cut + 5);
  const isTold = cut > 0 && /^[0-9]{1,3}$/.test(digits) && digits[0] !== "0" && Number(digits) > 2;
  const [rest, protocol] = isTold ? [told.slice(0, cut), Number(digits)] : [told, 2];
  // Before it may stand the longest datagram of the node, where it is not the usual one.
  const longest = isTold ? /[+]datagram[0-9]{4}$/.exec(rest) : null;
  const longestBytes = Number(longest?.[0].slice(-4));
  const isMarked = longest !== null && longest.index > 0;
  const version = isMarked ? rest.slice(0, longest.index) : rest;
  const isShort = isMarked && longestBytes >= 1252 && longestBytes < 1440;
  const count = from.u8();
  demand(count <= 16, "labels");
  const labels = from.times(count, () => shown(from, 32));
  const [receives, sends] = [flags % 2 === 1, Math.floor(flags / 2) % 2 === 1];
  const common = { hostName, version, protocol, receives, sends, labels };
  return isShort ? { ...common, datagramBytes: longestBytes } : common;
}

function route(from: Cursor): { to: Plain; from: Plain } {
  const to = from.hex(8);
  const ip = from.times(4, () => String(from.u8())).join(".");
  return { to, from: { ip, port: from.u16() } };
}

/** A name that is shown to people: 1 to `most` bytes of printable ASCII. */
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

function offer(from: Cursor): Plain {
  const transfer = from.u32();
  const flags = from.u8();
  demand(flags < 4, "flags");
  const common = { transfer, dryRun: flags % 2 === 1, allOrNothing: flags >= 2, targets: targets(from) };
  if (from.left === 0) {
    demand(!common.allOrNothing, "flags");
    return { ...common, rank: 0 };
  }
  const rank = from.u32();
  demand(rank > 0, "rank");
  return { ...common, rank };
}

/** ORDER and COMMIT have the same form. */
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
  const admitted =
    from.left === 0 ? { admission: 0, ahead: 0 } : { admission: from.u32(), ahead: from.u16() };
  demand(admitted.admission > 0 || admitted.ahead === 0, "admission");
  return { ...common, missingRuns, missingFragments, wants, ...rest, ...admitted };
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

/** The length of the datagram at `start`, or 0 if none begins there. */
export function naiveLength(bytes: Uint8Array, start: number): number {
  if (bytes.length - start < 16) return 0;
  const from = new Cursor(bytes, start);
  const [magic, version, type, zero] = [from.u8(), from.u8(), from.u8(), from.u8()];
  const length = from.u16();
  const full = from.u16();
  if (magic !== 0x4d || version !== 2 || zero !== 0 || (type !== 2 && full !== 0)) return 0;
  return length >= 16 && length <= 1440 && start + length <= bytes.length ? length : 0;
}

/** A whole datagram: without the key, only the header of a control message can be read. */
export function naiveDatagram(bytes: Uint8Array): Plain {
  demand(naiveLength(bytes, 0) === bytes.length, "length");
  const from = new Cursor(bytes, 2);
  const type = from.u8();
  from.at = 6;
  const told = from.u16();
  const epoch = from.hex(8);
  if (type === 2) return fragment(from, epoch, told === 0 ? 1408 : told);
  demand(type === 1, "type");
  const header = { kind: "control", epoch, nodeId: from.hex(16), counter: String(from.u64()) };
  demand(from.left >= 16, "tag");
  return { ...header, plaintextBytes: from.left - 16 };
}

function fragment(from: Cursor, epoch: string, full: number): Plain {
  const [transfer, block, stamp] = [from.u32(), from.u32(), from.u32()];
  const sealedBytes = from.u16();
  const index = from.u8();
  const blockKind = from.u8();
  demand(blockKind === 1 || blockKind === 2, "kind");
  demand(full >= 1220 && full <= 1408, "full length");
  demand(sealedBytes > 16 && sealedBytes <= 44 * full, "sealed length");
  // The block is cut into pieces of the full length; the piece of this index is exactly as long as the payload.
  const pieces: number[] = [];
  for (let rest = sealedBytes; rest > 0; rest -= full) pieces.push(Math.min(rest, full));
  const isParity = index >= 44 && index <= 63 && pieces.length > 1;
  demand((isParity ? full : pieces[index]) === from.left, "payload");
  return {
    kind: "fragment",
    epoch,
    full,
    transfer,
    block,
    stamp,
    sealedBytes,
    index,
    blockKind,
    payload: from.hex(from.left),
  };
}
