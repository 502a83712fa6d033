/** The outside of a datagram: common header, control header, fragment header. */
import { ByteReader, ByteWriter, DecodeError } from "../base/bytes.ts";
import { bytesOfHex, hexOf } from "../base/hex.ts";
import {
  BLOCK_FRAGMENTS,
  DATAGRAM_BYTES,
  DATAGRAM_VERSION,
  LEAST_DATAGRAM_BYTES,
  PARITY_FRAGMENTS,
  TAG_BYTES,
} from "./limits.ts";

/**
 * The outside of every datagram (PROTOCOL.md 2): a common header, then either the header of a sealed control message or
 * that of a fragment. Each datagram has its own length, because the kernel may deliver several in one piece.
 */

/** The letter M. */
export const MAGIC = 0x4d;

export const DatagramType = { control: 1, fragment: 2 } as const;

/** Common header: magic u8, version u8, type u8, 0 u8, length u16, full length u16 (fragments) or 0, epoch 8 bytes. */
export const COMMON_HEADER_BYTES = 16;

/** After the common header: node id 16 bytes, counter u64. */
export const CONTROL_HEADER_BYTES = COMMON_HEADER_BYTES + 24;

/** Most bytes of a control message before sealing. */
export const CONTROL_PLAINTEXT_BYTES = DATAGRAM_BYTES - CONTROL_HEADER_BYTES - TAG_BYTES;

/** After the common header: transfer u32, block u32, stamp u32, sealed length u16, index u8, kind u8. */
export const FRAGMENT_HEADER_BYTES = COMMON_HEADER_BYTES + 16;

/** Bytes of a sealed block that one fragment carries; all but the last are full. */
export const FRAGMENT_PAYLOAD_BYTES = DATAGRAM_BYTES - FRAGMENT_HEADER_BYTES;

/** Fewest bytes that a full fragment carries, where the network does not take the longest datagrams. */
export const LEAST_FRAGMENT_PAYLOAD_BYTES = LEAST_DATAGRAM_BYTES - FRAGMENT_HEADER_BYTES;

/** Most bytes of a sealed block, and below it those of its plaintext. */
export const SEALED_BLOCK_BYTES = FRAGMENT_PAYLOAD_BYTES * BLOCK_FRAGMENTS;
export const BLOCK_PLAINTEXT_BYTES = SEALED_BLOCK_BYTES - TAG_BYTES;

/** The kind of a block. It is in the header because manifest blocks are opened in order. */
export const BlockKind = { manifest: 1, data: 2 } as const;

/**
 * How many fragments a sealed block of this length needs.
 *
 * @param fullBytes what each of them but the last carries
 */
export function fragmentCount(sealedBytes: number, fullBytes = FRAGMENT_PAYLOAD_BYTES): number {
  return Math.ceil(sealedBytes / fullBytes);
}

/** Whether a fragment is a parity fragment, by its index (PROTOCOL.md 2.1). */
export function isParity(index: number): boolean {
  return index >= BLOCK_FRAGMENTS;
}

/** A parity fragment that lies in the place of a missing fragment of its block. */
export interface KeptParity {
  /** The index of that fragment. */
  readonly place: number;
  /** Its own index, from BLOCK_FRAGMENTS on. */
  readonly index: number;
}

export interface ControlHeader {
  /** 32 hexadecimal digits. */
  readonly nodeId: string;
  /** 16 hexadecimal digits. */
  readonly epoch: string;
  /** Counts up with every control message of an epoch: it is the nonce, and the number for the replay window. */
  readonly counter: bigint;
}

/** Writes the header of a control message; the header is the associated data of the seal. */
export function encodeControlHeader(header: ControlHeader, plaintextBytes: number): Uint8Array {
  const writer = new ByteWriter(CONTROL_HEADER_BYTES);
  const length = CONTROL_HEADER_BYTES + plaintextBytes + TAG_BYTES;
  writer.u8(MAGIC).u8(DATAGRAM_VERSION).u8(DatagramType.control).u8(0).u16(length).u16(0);
  writer.raw(bytesOfHex(header.epoch)).raw(bytesOfHex(header.nodeId)).u64(header.counter);
  return writer.bytes;
}

/**
 * Reads the header of a control message.
 *
 * @throws DecodeError
 */
export function decodeControlHeader(datagram: Uint8Array): ControlHeader {
  const reader = new ByteReader(datagram);
  reader.raw(COMMON_HEADER_BYTES - 8);
  const epoch = hexOf(reader.raw(8));
  const nodeId = hexOf(reader.raw(16));
  const counter = reader.u64();
  if (reader.remaining < TAG_BYTES) throw new DecodeError("no room for a seal");
  return { nodeId, epoch, counter };
}

/** The length of the datagram that begins at `start`; 0 if none of this version lies there wholly before `end`. */
export function datagramLength(bytes: Uint8Array, start: number, end: number): number {
  return bytes[start + 1] === DATAGRAM_VERSION ? lengthInHeader(bytes, start, end) : 0;
}

/**
 * A datagram of another version, which this program cannot read. Every version has the same common header, so that nodes of
 * another version can be named (PROTOCOL.md 2).
 *
 * @returns undefined if no such datagram lies wholly before `end`
 */
export function datagramOfOtherVersion(
  bytes: Uint8Array,
  start: number,
  end: number,
): OtherVersion | undefined {
  const version = bytes[start + 1];
  const lengthBytes = lengthInHeader(bytes, start, end);
  if (lengthBytes === 0 || version === undefined || version === DATAGRAM_VERSION) return undefined;
  return { version, lengthBytes, isControl: bytes[start + 2] === DatagramType.control };
}

/** The header of a datagram of another version, as far as it is the same in all versions. */
export interface OtherVersion {
  readonly version: number;
  readonly lengthBytes: number;
  readonly isControl: boolean;
}

function lengthInHeader(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < COMMON_HEADER_BYTES || bytes[start] !== MAGIC) return 0;
  if (bytes[start + 3] !== 0) return 0;
  // Only fragments have a field there.
  if (bytes[start + 2] !== DatagramType.fragment && readU16(bytes, start + 6) !== 0) return 0;
  const length = readU16(bytes, start + 4);
  return length >= COMMON_HEADER_BYTES && length <= end - start && length <= DATAGRAM_BYTES ? length : 0;
}

/** The fields of a fragment. One object is reused, so that no object is made per datagram. */
export class FragmentHeader {
  /** The sender's epoch in two halves, which the hot path compares as numbers. */
  epochHigh = 0;
  epochLow = 0;
  transfer = 0;
  block = 0;
  /** Counts the fragments of a transfer in the order in which they were sent, repairs included; wraps. */
  stamp = 0;
  sealedBytes = 0;
  /** From BLOCK_FRAGMENTS on: that of a parity fragment. */
  index = 0;
  kind = 0;
  /** What each fragment of the block but the last carries. */
  fullBytes = FRAGMENT_PAYLOAD_BYTES;
  /** Where the payload begins in the bytes that were read. */
  payloadStart = 0;
  payloadBytes = 0;
}

/** The two halves of an epoch as a fragment has them. */
export function epochHalves(epoch: string): { high: number; low: number } {
  return { high: parseInt(epoch.slice(0, 8), 16), low: parseInt(epoch.slice(8, 16), 16) };
}

/**
 * Reads a fragment of `length` bytes at `start` into `header`.
 *
 * @returns false for a fragment whose fields contradict each other
 */
export function decodeFragment(
  bytes: Uint8Array,
  start: number,
  length: number,
  header: FragmentHeader,
): boolean {
  if (length <= FRAGMENT_HEADER_BYTES) return false;
  const fullBytes = readU16(bytes, start + 6);
  header.fullBytes = fullBytes === 0 ? FRAGMENT_PAYLOAD_BYTES : fullBytes;
  header.epochHigh = readU32BigEndian(bytes, start + 8);
  header.epochLow = readU32BigEndian(bytes, start + 12);
  header.transfer = readU32(bytes, start + 16);
  header.block = readU32(bytes, start + 20);
  header.stamp = readU32(bytes, start + 24);
  header.sealedBytes = readU16(bytes, start + 28);
  header.index = bytes[start + 30] as number;
  header.kind = bytes[start + 31] as number;
  header.payloadStart = start + FRAGMENT_HEADER_BYTES;
  header.payloadBytes = length - FRAGMENT_HEADER_BYTES;
  return isConsistent(header);
}

/**
 * Reads the headers of a train whose payloads lie elsewhere. All datagrams have the longest length, except that the last
 * one may be shorter. They hold consecutive fragments of one block, and none of them is a parity fragment.
 *
 * @param start where the first header begins; the others follow without a gap
 * @param sizeBytes of all datagrams
 * @param header gets the fields of the last header; its payloadStart is not set
 * @returns false for anything else, which may still be valid datagrams
 */
export function decodeRun(
  headers: Uint8Array,
  start: number,
  sizeBytes: number,
  header: FragmentHeader,
): boolean {
  const count = Math.ceil(sizeBytes / DATAGRAM_BYTES);
  const last = start + (count - 1) * FRAGMENT_HEADER_BYTES;
  const lastBytes = sizeBytes - (count - 1) * DATAGRAM_BYTES;
  if (lastBytes < FRAGMENT_HEADER_BYTES || datagramLength(headers, last, last + lastBytes) !== lastBytes)
    return false;
  if (headers[last + 2] !== DatagramType.fragment || !decodeFragment(headers, last, lastBytes, header))
    return false;
  if (header.fullBytes !== FRAGMENT_PAYLOAD_BYTES || isParity(header.index)) return false;
  const view = new DataView(headers.buffer, headers.byteOffset, headers.byteLength);
  // The index is the third byte of the last word.
  let word = view.getUint32(last + 28, true) - 0x1_0000 * (count - 1);
  for (let at = start; at < last; at += FRAGMENT_HEADER_BYTES, word += 0x1_0000) {
    if (view.getUint32(at + 4, true) !== DATAGRAM_BYTES || view.getUint32(at + 28, true) !== word)
      return false;
    // Magic, version and type; epoch; transfer; block. The stamp is the only other field.
    if (view.getUint32(at, true) !== view.getUint32(last, true)) return false;
    if (view.getUint32(at + 8, true) !== view.getUint32(last + 8, true)) return false;
    if (view.getUint32(at + 12, true) !== view.getUint32(last + 12, true)) return false;
    if (view.getUint32(at + 16, true) !== view.getUint32(last + 16, true)) return false;
    if (view.getUint32(at + 20, true) !== view.getUint32(last + 20, true)) return false;
  }
  return true;
}

function isConsistent(header: FragmentHeader): boolean {
  const { sealedBytes, index, kind, fullBytes } = header;
  if (kind !== BlockKind.manifest && kind !== BlockKind.data) return false;
  if (fullBytes < LEAST_FRAGMENT_PAYLOAD_BYTES || fullBytes > FRAGMENT_PAYLOAD_BYTES) return false;
  if (sealedBytes <= TAG_BYTES || sealedBytes > fullBytes * BLOCK_FRAGMENTS) return false;
  if (isParity(index)) {
    // A block of one fragment needs none: the fragment itself is as good.
    const isAllowed = index < BLOCK_FRAGMENTS + PARITY_FRAGMENTS && sealedBytes > fullBytes;
    return isAllowed && header.payloadBytes === fullBytes;
  }
  const offset = index * fullBytes;
  return offset < sealedBytes && header.payloadBytes === Math.min(fullBytes, sealedBytes - offset);
}

/** Writes a fragment's header at `start`, for a payload of `payloadBytes` that follows it. */
export function encodeFragmentHeader(bytes: Uint8Array, start: number, header: FragmentHeader): void {
  bytes[start] = MAGIC;
  bytes[start + 1] = DATAGRAM_VERSION;
  bytes[start + 2] = DatagramType.fragment;
  bytes[start + 3] = 0;
  writeU16(bytes, start + 4, FRAGMENT_HEADER_BYTES + header.payloadBytes);
  // The usual length is written as 0, so that nodes of version 2 understand it.
  writeU16(bytes, start + 6, header.fullBytes === FRAGMENT_PAYLOAD_BYTES ? 0 : header.fullBytes);
  writeU32BigEndian(bytes, start + 8, header.epochHigh);
  writeU32BigEndian(bytes, start + 12, header.epochLow);
  writeU32(bytes, start + 16, header.transfer);
  writeU32(bytes, start + 20, header.block);
  writeU32(bytes, start + 24, header.stamp);
  writeU16(bytes, start + 28, header.sealedBytes);
  bytes[start + 30] = header.index;
  bytes[start + 31] = header.kind;
}

/** Writes the one field that changes when a fragment is sent again. */
export function stampFragment(bytes: Uint8Array, start: number, stamp: number): void {
  writeU32(bytes, start + 24, stamp);
}

/** Bytes of the associated data of a sealed block. */
export const BLOCK_ASSOCIATED_BYTES = 11;

/** Writes the associated data of a sealed block: transfer u32, block u32, sealed length u16, kind u8. */
export function writeBlockAssociatedData(
  bytes: Uint8Array,
  transfer: number,
  block: number,
  sealedBytes: number,
  kind: number,
): void {
  writeU32(bytes, 0, transfer);
  writeU32(bytes, 4, block);
  writeU16(bytes, 8, sealedBytes);
  bytes[10] = kind;
}

function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

function readU32(bytes: Uint8Array, at: number): number {
  return (readU16(bytes, at) | (readU16(bytes, at + 2) << 16)) >>> 0;
}

function readU32BigEndian(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  writeU16(bytes, at, value);
  writeU16(bytes, at + 2, value >>> 16);
}

function writeU32BigEndian(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
