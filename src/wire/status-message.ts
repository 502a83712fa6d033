/** STATUS: phase, stamp, window, missing blocks and wants. */
import { Bitmap } from "../base/bitmap.ts";
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { DecodeError } from "../base/bytes.ts";
import { bytesOfHex, hexOf } from "../base/hex.ts";
import { differingEntries } from "./differences.ts";
import {
  MANIFEST_ENTRIES,
  MISSING_FRAGMENTS,
  MISSING_RUNS,
  REASON_BYTES,
  WANTS_PER_STATUS,
} from "./limits.ts";
import { decodeReason } from "./transfer-messages.ts";

/** The phase of a member in a transfer (PROTOCOL.md 5.3). It only moves forward. */
export const MemberPhase = {
  /** It has no room for the transfer yet, and will have room later. */
  waiting: 0,
  receiving: 1,
  ready: 2,
  /** It has proposed a place for the transfer among the others. */
  ordered: 3,
  /** It switches, or waits for the transfers that come first. */
  committing: 4,
  done: 5,
  failed: 6,
  /** The transfer must not happen on any member: this one would delete more than its limit. */
  refused: 7,
} as const;

export type MemberPhase = (typeof MemberPhase)[keyof typeof MemberPhase];

/** Fragments of one block that are missing; the mask has one bit for each fragment, in two halves. */
export interface MissingFragments {
  readonly block: number;
  /** Fragments 0 to 31. */
  readonly maskLow: number;
  /** Fragments 32 to 43. */
  readonly maskHigh: number;
}

/** Consecutive blocks of which nothing has arrived. */
export interface MissingRun {
  readonly firstBlock: number;
  readonly blocks: number;
}

/** The entries of one manifest block that a member wants. */
export interface Want {
  readonly block: number;
  /** The entries that differ. */
  readonly entries: Bitmap;
  /** How each entry differs, in bits of Difference; undefined if the sender need not know. */
  readonly differences: Uint8Array | undefined;
}

/** STATUS: everything that the sender needs to know of a member (PROTOCOL.md 5.3). */
export interface Status {
  /** The epoch of the transfer's sender. With a number only, a STATUS could be replayed to another sender. */
  readonly sender: string;
  readonly transfer: number;
  readonly phase: MemberPhase;
  /** The highest stamp seen, plus one: all fragments sent before it have arrived or are lost. */
  readonly stamp: number;
  /** Every block below this number is staged. */
  readonly stagedBelow: number;
  /** The member has no room yet for blocks from this number on. */
  readonly windowEnd: number;
  /** How many fragments may be in flight to this member at a time. */
  readonly inFlight: number;
  /** Fragments that have arrived, needed or not; a serial number. With the stamp it shows how many were lost. */
  readonly received: number;
  readonly missingRuns: readonly MissingRun[];
  readonly missingFragments: readonly MissingFragments[];
  readonly wants: readonly Want[];
  /** Why it failed; empty otherwise. */
  readonly reason: string;
  /** How many findings the member has so far. */
  readonly findings: number;
  /** A serial number that grows while the member works on something long, such as comparing a large file. */
  readonly worked: number;
  /** The place of the transfer among all others, as far as the member knows; 0 before an ORDER. */
  readonly order: number;
  /**
   * Which of its admissions this is, as a serial number: the member counts up with each transfer that it admits. In
   * phase waiting, the newest of all. 0 stands for none: version 2 knows no admissions, and then nothing is ahead.
   */
  readonly admission: number;
  /**
   * Other transfers that come first at this member. In phase waiting, those admitted and those that are admitted
   * before; in another phase, those that wait though they have a lower rank: they ask for this one's place.
   */
  readonly ahead: number;
}

const WantForm = { none: 0, all: 1, bitmap: 2, differences: 3 } as const;

/** Bytes of a STATUS without its lists, for the receiver, which fills them up to the size of a datagram. */
export const STATUS_FIXED_BYTES = 8 + 4 + 1 + 4 + 4 + 4 + 4 + 4 + 1 + 1 + 1 + 2 + 4 + 4 + 4 + 4 + 2;
/** A missing run: first block u32, blocks u16; and below missing fragments: block u32, mask u32 and u16. */
export const MISSING_RUN_BYTES = 6;
export const MISSING_FRAGMENTS_BYTES = 10;

/** Bytes that one want takes in a STATUS. */
export function wantBytes(want: Want): number {
  if (want.differences !== undefined) return 7 + want.differences.length;
  return 7 + (wantForm(want) === WantForm.bitmap ? want.entries.bytes.length : 0);
}

export function encodeStatus(writer: ByteWriter, message: Status): void {
  writer.raw(bytesOfHex(message.sender));
  writer.u32(message.transfer).u8(message.phase).u32(message.stamp).u32(message.stagedBelow);
  writer.u32(message.windowEnd).u32(message.inFlight).u32(message.received);
  writer.u8(message.missingRuns.length);
  for (const run of message.missingRuns) writer.u32(run.firstBlock).u16(run.blocks);
  writer.u8(message.missingFragments.length);
  for (const missing of message.missingFragments) {
    writer
      .u32(missing.block)
      .u32(missing.maskLow >>> 0)
      .u16(missing.maskHigh);
  }
  writer.u8(message.wants.length);
  for (const want of message.wants) encodeWant(writer, want);
  writer.longText(message.reason.slice(0, REASON_BYTES));
  writer.u32(message.findings).u32(message.worked).u32(message.order);
  if (message.admission !== 0) writer.u32(message.admission).u16(message.ahead);
}

const NO_ADMISSION = { admission: 0, ahead: 0 };

function decodeAdmission(reader: ByteReader): Pick<Status, "admission" | "ahead"> {
  const admission = reader.u32();
  if (admission === 0) throw new DecodeError("no admission");
  return { admission, ahead: reader.u16() };
}

export function decodeStatus(reader: ByteReader): Status {
  const sender = hexOf(reader.raw(8));
  const transfer = reader.u32();
  const phase = decodePhase(reader.u8());
  const stamp = reader.u32();
  const stagedBelow = reader.u32();
  const windowEnd = reader.u32();
  const inFlight = reader.u32();
  const received = reader.u32();
  const missingRuns = list(reader, MISSING_RUNS, () => ({ firstBlock: reader.u32(), blocks: reader.u16() }));
  const missingFragments = list(reader, MISSING_FRAGMENTS, () => ({
    block: reader.u32(),
    maskLow: reader.u32(),
    maskHigh: reader.u16(),
  }));
  const wants = list(reader, WANTS_PER_STATUS, () => decodeWant(reader));
  const reason = decodeReason(reader);
  const findings = reader.u32();
  const worked = reader.u32();
  const order = reader.u32();
  const { admission, ahead } = reader.remaining === 0 ? NO_ADMISSION : decodeAdmission(reader);
  return {
    sender,
    transfer,
    phase,
    stamp,
    stagedBelow,
    windowEnd,
    inFlight,
    received,
    missingRuns,
    missingFragments,
    wants,
    reason,
    findings,
    worked,
    order,
    admission,
    ahead,
  };
}

function decodePhase(value: number): MemberPhase {
  if (value > MemberPhase.refused) throw new DecodeError("unknown phase");
  return value as MemberPhase;
}

function list<T>(reader: ByteReader, most: number, read: () => T): T[] {
  const count = reader.u8();
  if (count > most) throw new DecodeError("a list is too long");
  const items: T[] = [];
  for (let index = 0; index < count; index++) items.push(read());
  return items;
}

function wantForm(want: Want): number {
  if (want.differences !== undefined) return WantForm.differences;
  const count = want.entries.count();
  if (count === 0) return WantForm.none;
  return count === want.entries.size ? WantForm.all : WantForm.bitmap;
}

function encodeWant(writer: ByteWriter, want: Want): void {
  const form = wantForm(want);
  writer.u32(want.block).u16(want.entries.size).u8(form);
  if (form === WantForm.bitmap) writer.raw(want.entries.bytes);
  if (want.differences !== undefined) writer.raw(want.differences);
}

function decodeWant(reader: ByteReader): Want {
  const block = reader.u32();
  const size = reader.u16();
  const form = reader.u8();
  if (size > MANIFEST_ENTRIES || form > WantForm.differences) throw new DecodeError("a want is out of range");
  if (form === WantForm.differences) {
    const differences = reader.raw(size).slice();
    return { block, entries: differingEntries(differences), differences };
  }
  const bytes = new Uint8Array((size + 7) >> 3);
  if (form === WantForm.bitmap) bytes.set(reader.raw(bytes.length));
  if (form === WantForm.all) bytes.fill(0xff);
  return { block, entries: new Bitmap(size, bytes), differences: undefined };
}
