import { DecodeError } from "../../src/base/bytes.ts";
import { hexOf } from "../../src/base/hex.ts";
import { below, randomBytes, type Random } from "../../src/base/random.ts";
import {
  BlockKind,
  CONTROL_PLAINTEXT_BYTES,
  type ControlHeader,
  datagramLength,
  DatagramType,
  decodeControlHeader,
  decodeFragment,
  encodeControlHeader,
  encodeFragmentHeader,
  epochHalves,
  FRAGMENT_HEADER_BYTES,
  FRAGMENT_PAYLOAD_BYTES,
  isParity,
  LEAST_FRAGMENT_PAYLOAD_BYTES,
  FragmentHeader,
  SEALED_BLOCK_BYTES,
} from "../../src/wire/datagram.ts";
import { BLOCK_FRAGMENTS, PARITY_FRAGMENTS, TAG_BYTES } from "../../src/wire/limits.ts";
import { joined } from "./mutate.ts";
import { pick } from "./random-values.ts";

/** The contents of a datagram, as far as they can be read without a key. */
export type DatagramValue =
  | ({ readonly kind: "control"; readonly plaintextBytes: number } & ControlHeader)
  | ({ readonly kind: "fragment" } & FragmentValue);

interface FragmentValue {
  readonly epoch: string;
  readonly transfer: number;
  readonly block: number;
  readonly stamp: number;
  readonly sealedBytes: number;
  readonly index: number;
  /** What each fragment of the block but the last carries. */
  readonly full: number;
  readonly blockKind: number;
  readonly payload: Uint8Array;
}

/** In a control datagram, zeros stand for the sealed text. */
export function encodeDatagram(value: DatagramValue): Uint8Array {
  if (value.kind === "fragment") return encodeFragment(value);
  const header = encodeControlHeader(value, value.plaintextBytes);
  return joined(header, new Uint8Array(value.plaintextBytes + TAG_BYTES));
}

function encodeFragment(value: FragmentValue): Uint8Array {
  const { epoch, payload, transfer, block, stamp, sealedBytes, index, blockKind: kind } = value;
  const { full: fullBytes } = value;
  const { high: epochHigh, low: epochLow } = epochHalves(epoch);
  const fields = { epochHigh, epochLow, transfer, block, stamp, sealedBytes, index, kind, fullBytes };
  const header = Object.assign(new FragmentHeader(), { ...fields, payloadBytes: payload.length });
  const bytes = new Uint8Array(FRAGMENT_HEADER_BYTES + payload.length);
  encodeFragmentHeader(bytes, 0, header);
  bytes.set(payload, FRAGMENT_HEADER_BYTES);
  return bytes;
}

/** Reads one datagram in the same steps as InboundDatagrams. */
export function decodeDatagram(bytes: Uint8Array): DatagramValue {
  if (datagramLength(bytes, 0, bytes.length) !== bytes.length) throw new DecodeError("not just one datagram");
  if (bytes[2] === DatagramType.fragment) return decodeFragmentValue(bytes);
  if (bytes[2] !== DatagramType.control) throw new DecodeError("unknown datagram type");
  const { epoch, nodeId, counter } = decodeControlHeader(bytes);
  const plaintextBytes = bytes.length - encodeControlHeader({ epoch, nodeId, counter }, 0).length - TAG_BYTES;
  return { kind: "control", epoch, nodeId, counter, plaintextBytes };
}

function decodeFragmentValue(bytes: Uint8Array): DatagramValue {
  const header = new FragmentHeader();
  if (!decodeFragment(bytes, 0, bytes.length, header)) {
    throw new DecodeError("the fields of a fragment contradict each other");
  }
  const { epochHigh, epochLow, transfer, block, stamp, sealedBytes, index, kind, fullBytes: full } = header;
  const epoch = [epochHigh, epochLow].map((half) => half.toString(16).padStart(8, "0")).join("");
  const payload = bytes.subarray(header.payloadStart, header.payloadStart + header.payloadBytes);
  const numbers = { full, transfer, block, stamp, sealedBytes, index };
  return { kind: "fragment", epoch, ...numbers, blockKind: kind, payload };
}

export function randomDatagramValue(random: Random): DatagramValue {
  const epoch = hexOf(randomBytes(random, 8));
  if (below(random, 3) === 0) {
    const plaintextBytes = pick(random, [0, 1, 100, CONTROL_PLAINTEXT_BYTES]);
    const nodeId = hexOf(randomBytes(random, 16));
    const counter = (BigInt(random.u32()) << 32n) | BigInt(random.u32());
    return { kind: "control", epoch, nodeId, counter, plaintextBytes };
  }
  const tail = 1 + below(random, 60);
  const full = pick(random, [
    FRAGMENT_PAYLOAD_BYTES,
    FRAGMENT_PAYLOAD_BYTES,
    LEAST_FRAGMENT_PAYLOAD_BYTES,
    1340,
  ]);
  const whole = full * below(random, SEALED_BLOCK_BYTES / FRAGMENT_PAYLOAD_BYTES);
  const sealedBytes = Math.max(TAG_BYTES + 1, whole + pick(random, [tail, full]));
  const last = Math.ceil(sealedBytes / full) - 1;
  const parity = last > 0 ? BLOCK_FRAGMENTS + below(random, PARITY_FRAGMENTS) : 0;
  const index = pick(random, [0, last, last, below(random, last + 1), parity]);
  const payloadBytes = isParity(index) ? full : Math.min(full, sealedBytes - index * full);
  const payload = randomBytes(random, payloadBytes);
  const numbers = { full, transfer: random.u32(), block: random.u32(), stamp: random.u32() };
  const blockKind = pick(random, Object.values(BlockKind));
  return { kind: "fragment", epoch, ...numbers, sealedBytes, index, blockKind, payload };
}

export const randomDatagram = (random: Random) => encodeDatagram(randomDatagramValue(random));

/** The positions where datagrams begin, by a function that returns the length of the datagram at a position. */
export function startsOf(bytes: Uint8Array, lengthAt: (start: number) => number): number[] {
  const starts: number[] = [];
  for (let start = 0; start < bytes.length;) {
    const length = lengthAt(start);
    if (length === 0) break;
    starts.push(start);
    start += length;
  }
  return starts;
}
