/** LOG, FETCH, PIECE, ASK, ANSWER, SERVED, NUDGE: members compare their logs of publications, and serve each other. */
import { type ByteReader, type ByteWriter, DecodeError } from "../base/bytes.ts";
import { bytesOfHex, hexOf } from "../base/hex.ts";
import { LOG_BYTES, LOG_REASON_BYTES, PIECE_BYTES, PUBLICATIONS } from "./limits.ts";

/** Bytes of the digest of a log. */
const DIGEST_BYTES = 8;

/** A text that may stand in these messages: it is cut, and what cannot be shown is replaced. */
export function reasonText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, LOG_REASON_BYTES);
}

/** LOG: which publications a node knows, and how many of them it lacks (PROTOCOL.md 9.1). */
export interface Log {
  /** The highest place of a transfer that the node has heard of. */
  readonly place: number;
  /** 16 hexadecimal digits. */
  readonly digest: string;
  /** How many publications are in the log. */
  readonly count: number;
  /** How many publications for this node have not taken effect on it. */
  readonly behind: number;
  /** A hash of those: nodes with the same log and the same hash cannot help each other. */
  readonly lacks: number;
  /** Whether it gets by itself what it lacks. */
  readonly catchesUp: boolean;
  /** Whether it wants the LOG of the node that it sends this to. */
  readonly asks: boolean;
  /** When the first of those was pushed, in milliseconds since 1970; 0 if there is none. */
  readonly sinceMs: number;
  /** Why the node is behind, as far as it knows. */
  readonly reason: string;
}

/** What a node tells that keeps no log: its digest, which no log has. */
export const NO_LOG: Log = {
  ...{ place: 0, digest: "00".repeat(DIGEST_BYTES), count: 0, behind: 0, lacks: 0 },
  ...{ catchesUp: false, asks: false, sinceMs: 0, reason: "" },
};

export function encodeLog(writer: ByteWriter, log: Log): void {
  writer.u32(log.place).raw(bytesOfHex(log.digest)).u16(log.count).u16(log.behind).u32(log.lacks);
  writer
    .u8(log.catchesUp ? 1 : 0)
    .u8(log.asks ? 1 : 0)
    .u64(BigInt(log.sinceMs))
    .shortText(log.reason);
}

export function decodeLog(reader: ByteReader): Log {
  const place = reader.u32();
  const digest = decodeDigest(reader);
  const count = bounded(reader.u16(), PUBLICATIONS);
  const behind = bounded(reader.u16(), PUBLICATIONS);
  const lacks = reader.u32();
  const catchesUp = reader.flag();
  const asks = reader.flag();
  const sinceMs = reader.u53("a time");
  return { place, digest, count, behind, lacks, catchesUp, asks, sinceMs, reason: decodeReason(reader) };
}

/** FETCH: asks a member for its log, from a byte on (PROTOCOL.md 9.2). */
export interface Fetch {
  /** A random number: answers to other questions are late ones. */
  readonly question: number;
  /** The digest of the log that is asked for. */
  readonly digest: string;
  readonly offset: number;
}

export function encodeFetch(writer: ByteWriter, { question, digest, offset }: Fetch): void {
  writer.u32(question).raw(bytesOfHex(digest)).u32(offset);
}

export function decodeFetch(reader: ByteReader): Fetch {
  const question = reader.u32();
  return { question, digest: decodeDigest(reader), offset: bounded(reader.u32(), LOG_BYTES) };
}

/** PIECE: a part of a log. */
export interface Piece {
  /** That of the FETCH. */
  readonly question: number;
  /** The digest of the log as it is now: another one than was asked for begins again. */
  readonly digest: string;
  readonly offset: number;
  /** Bytes of the whole log. */
  readonly total: number;
  readonly bytes: Uint8Array;
}

export function encodePiece(writer: ByteWriter, { question, digest, offset, total, bytes }: Piece): void {
  writer.u32(question).raw(bytesOfHex(digest)).u32(offset).u32(total).u16(bytes.length).raw(bytes);
}

export function decodePiece(reader: ByteReader): Piece {
  const question = reader.u32();
  const digest = decodeDigest(reader);
  const offset = reader.u32();
  const total = bounded(reader.u32(), LOG_BYTES);
  const bytes = reader.raw(bounded(reader.u16(), PIECE_BYTES)).slice();
  if (offset + bytes.length > total) throw new DecodeError("a piece is outside of its log");
  return { question, digest, offset, total, bytes };
}

/** ASK: asks a member to serve publications (PROTOCOL.md 9.3). */
export interface Ask {
  /** The digest of the log that both have. */
  readonly digest: string;
  /** The publications that the asking node lacks, by their positions in that log. */
  readonly missing: readonly number[];
}

export function encodeAsk(writer: ByteWriter, { digest, missing }: Ask): void {
  writer.raw(bytesOfHex(digest));
  encodePositions(writer, missing);
}

export function decodeAsk(reader: ByteReader): Ask {
  return { digest: decodeDigest(reader), missing: decodePositions(reader) };
}

/** ANSWER: whether the member serves them. */
export interface Answer {
  readonly digest: string;
  readonly serves: boolean;
  /** Why not; empty if it does. */
  readonly reason: string;
}

export function encodeAnswer(writer: ByteWriter, { digest, serves, reason }: Answer): void {
  writer
    .raw(bytesOfHex(digest))
    .u8(serves ? 1 : 0)
    .shortText(reason);
}

export function decodeAnswer(reader: ByteReader): Answer {
  return { digest: decodeDigest(reader), serves: reader.flag(), reason: decodeReason(reader) };
}

/** SERVED: a transfer has brought publications as they are in the log, or not all of them. */
export interface Served {
  readonly transfer: number;
  readonly digest: string;
  readonly brought: readonly number[];
  /** Why not all that was published could be handed on; empty if it was. */
  readonly reason: string;
}

export function encodeServed(writer: ByteWriter, { transfer, digest, brought, reason }: Served): void {
  writer.u32(transfer).raw(bytesOfHex(digest));
  encodePositions(writer, brought);
  writer.shortText(reason);
}

export function decodeServed(reader: ByteReader): Served {
  const transfer = reader.u32();
  const digest = decodeDigest(reader);
  const brought = decodePositions(reader);
  return { transfer, digest, brought, reason: decodeReason(reader) };
}

/** Positions are a bitmap over the log, lowest bit of the first byte first, after its length in bytes. */
function encodePositions(writer: ByteWriter, positions: readonly number[]): void {
  const bytes = new Uint8Array((Math.max(-1, ...positions) >> 3) + 1);
  for (const position of positions)
    bytes[position >> 3] = (bytes[position >> 3] ?? 0) | (1 << (position & 7));
  writer.u8(bytes.length).raw(bytes);
}

function decodePositions(reader: ByteReader): number[] {
  const bytes = reader.raw(reader.u8());
  if (bytes.length > Math.ceil(PUBLICATIONS / 8) || bytes.at(-1) === 0)
    throw new DecodeError("positions beyond a log");
  const positions: number[] = [];
  for (let position = 0; position < 8 * bytes.length; position++)
    if (((bytes[position >> 3] ?? 0) & (1 << (position & 7))) !== 0) positions.push(position);
  return positions;
}

function decodeDigest(reader: ByteReader): string {
  return hexOf(reader.raw(DIGEST_BYTES));
}

function decodeReason(reader: ByteReader): string {
  const reason = reader.shortText();
  // It is shown on terminals.
  if (reason.length > LOG_REASON_BYTES || /[^\x20-\x7e]/.test(reason))
    throw new DecodeError("a reason is too long, or cannot be shown");
  return reason;
}

function bounded(value: number, most: number): number {
  if (value > most) throw new DecodeError("a number is beyond its limit");
  return value;
}
