/** OFFER, PROGRESS, ORDER, COMMIT, ABORT, QUERY, RELAY, YIELD. */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { DecodeError } from "../base/bytes.ts";
import { bytesOfHex, hexOf } from "../base/hex.ts";
import { REASON_BYTES, TARGETS_PER_MESSAGE } from "./limits.ts";

/** OFFER: a transfer begins; the epochs listed are asked to take part (PROTOCOL.md 5.1). */
export interface Offer {
  readonly transfer: number;
  /** Members only report what they want, and stage nothing. */
  readonly dryRun: boolean;
  /**
   * Nothing is to change anywhere if a member fails before COMMIT: so members fail early where they can. Only beside a rank.
   */
  readonly allOrNothing: boolean;
  /**
   * Transfers with a lower rank are admitted first (PROTOCOL.md 5.10); it stays the same in repetitions. 0 stands for
   * none: version 2 knows no ranks.
   */
  readonly rank: number;
  readonly targets: readonly string[];
}

// The flags of an offer.
const DRY_RUN = 1;
const ALL_OR_NOTHING = 2;

export function encodeOffer(writer: ByteWriter, message: Offer): void {
  const allOrNothing = message.allOrNothing && message.rank !== 0;
  writer.u32(message.transfer).u8((message.dryRun ? DRY_RUN : 0) | (allOrNothing ? ALL_OR_NOTHING : 0));
  encodeTargets(writer, message.targets);
  if (message.rank !== 0) writer.u32(message.rank);
}

export function decodeOffer(reader: ByteReader): Offer {
  const transfer = reader.u32();
  const flags = reader.u8();
  if (flags > (DRY_RUN | ALL_OR_NOTHING)) throw new DecodeError("unknown flags");
  const targets = decodeTargets(reader);
  const rank = reader.remaining === 0 ? 0 : decodeRank(reader);
  const allOrNothing = (flags & ALL_OR_NOTHING) !== 0;
  if (allOrNothing && rank === 0) throw new DecodeError("unknown flags");
  return { transfer, dryRun: (flags & DRY_RUN) !== 0, allOrNothing, targets, rank };
}

function decodeRank(reader: ByteReader): number {
  const rank = reader.u32();
  if (rank === 0) throw new DecodeError("no rank");
  return rank;
}

/** PROGRESS: how far the sender has come (PROTOCOL.md 5.4). */
export interface Progress {
  readonly transfer: number;
  /** Every block below this number has been sent. */
  readonly sentBlocks: number;
  /** The stamp after that of the last fragment sent. */
  readonly stamp: number;
  /** Every answer to a manifest block below this number has arrived. */
  readonly settledBelow: number;
  /** No block will follow. */
  readonly final: boolean;
  /** Every member is asked for a STATUS. */
  readonly poll: boolean;
  /** Members spread their answers over this time. */
  readonly spreadMs: number;
}

export function encodeProgress(writer: ByteWriter, message: Progress): void {
  writer.u32(message.transfer).u32(message.sentBlocks).u32(message.stamp).u32(message.settledBelow);
  writer.u8((message.final ? 1 : 0) | (message.poll ? 2 : 0)).u16(message.spreadMs);
}

export function decodeProgress(reader: ByteReader): Progress {
  const transfer = reader.u32();
  const sentBlocks = reader.u32();
  const stamp = reader.u32();
  const settledBelow = reader.u32();
  const flags = reader.u8();
  if (flags > 3) throw new DecodeError("unknown flags");
  const spreadMs = reader.u16();
  return {
    transfer,
    sentBlocks,
    stamp,
    settledBelow,
    final: (flags & 1) !== 0,
    poll: (flags & 2) !== 0,
    spreadMs,
  };
}

/** ORDER: asks the epochs listed which place the transfer gets among all others (PROTOCOL.md 5.6). */
export interface Order {
  readonly transfer: number;
  /** The highest place that a member has proposed so far. The transfer's place is no lower than that. */
  readonly order: number;
  readonly targets: readonly string[];
}

/** COMMIT: the epochs listed switch to what they have staged, in the order of all transfers (PROTOCOL.md 5.6). */
export interface Commit {
  readonly transfer: number;
  readonly order: number;
  readonly targets: readonly string[];
}

export function encodeOrder(writer: ByteWriter, message: Order | Commit): void {
  writer.u32(message.transfer).u32(message.order);
  encodeTargets(writer, message.targets);
}

export function decodeOrder(reader: ByteReader): Order & Commit {
  return { transfer: reader.u32(), order: reader.u32(), targets: decodeTargets(reader) };
}

/** ABORT: the epochs listed, or everybody if none are listed, throw away what was staged (PROTOCOL.md 5.7). */
export interface Abort {
  readonly transfer: number;
  readonly targets: readonly string[];
  readonly reason: string;
}

export function encodeAbort(writer: ByteWriter, message: Abort): void {
  writer.u32(message.transfer);
  encodeTargets(writer, message.targets);
  writer.longText(message.reason.slice(0, REASON_BYTES));
}

export function decodeAbort(reader: ByteReader): Abort {
  return { transfer: reader.u32(), targets: decodeTargets(reader), reason: decodeReason(reader) };
}

/** QUERY: a member asks the others whether they have heard the COMMIT of a transfer (PROTOCOL.md 5.9). */
export interface Query {
  /** The epoch of the sender of the transfer. */
  readonly sender: string;
  readonly transfer: number;
}

/** RELAY: a member repeats a COMMIT that another node has sent (PROTOCOL.md 5.9). */
export interface Relay extends Commit {
  /** The epoch of the sender of the transfer. */
  readonly sender: string;
}

export function encodeQuery(writer: ByteWriter, message: Query): void {
  writer.raw(bytesOfHex(message.sender)).u32(message.transfer);
}

export function decodeQuery(reader: ByteReader): Query {
  return { sender: hexOf(reader.raw(8)), transfer: reader.u32() };
}

export function encodeRelay(writer: ByteWriter, message: Relay): void {
  writer.raw(bytesOfHex(message.sender));
  encodeOrder(writer, message);
}

export function decodeRelay(reader: ByteReader): Relay {
  return { sender: hexOf(reader.raw(8)), ...decodeOrder(reader) };
}

/** YIELD: the member named gives the place of a transfer back, and lets it wait again (PROTOCOL.md 5.10). */
export interface Yield {
  readonly transfer: number;
  /** The epoch of the member. Without it, the message could be replayed to another one. */
  readonly target: string;
  /** The admission that is given back, as the member has numbered it. */
  readonly admission: number;
}

export function encodeYield(writer: ByteWriter, message: Yield): void {
  writer.u32(message.transfer).raw(bytesOfHex(message.target)).u32(message.admission);
}

export function decodeYield(reader: ByteReader): Yield {
  return { transfer: reader.u32(), target: hexOf(reader.raw(8)), admission: reader.u32() };
}

export function decodeReason(reader: ByteReader): string {
  const reason = reader.longText();
  if (reason.length > REASON_BYTES) throw new DecodeError("a reason is too long");
  return reason;
}

function encodeTargets(writer: ByteWriter, targets: readonly string[]): void {
  writer.u16(targets.length);
  for (const epoch of targets) writer.raw(bytesOfHex(epoch));
}

function decodeTargets(reader: ByteReader): string[] {
  const count = reader.u16();
  if (count > TARGETS_PER_MESSAGE) throw new DecodeError("too many targets");
  const targets: string[] = [];
  for (let index = 0; index < count; index++) targets.push(hexOf(reader.raw(8)));
  return targets;
}
