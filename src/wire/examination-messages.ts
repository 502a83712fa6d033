/** PROBE, INSPECT, CONDITION: what an examination measures between two hosts (PROTOCOL.md 4.4). */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { DecodeError } from "../base/bytes.ts";
import { bytesOfHex, hexOf } from "../base/hex.ts";
import { PROBE_SERIES, PROBE_FILLER_BYTES, PROBES_ASKED } from "./limits.ts";

/** The series of an examination, by their numbers. The examining node sends all but the last one. */
export const ProbeSeries = {
  /** To the group, short, slowly. */
  short: 1,
  /** To the group, as long as a datagram may be, slowly. */
  long: 2,
  /** To the group, as long as a datagram may be, one right after the other. */
  fast: 3,
  /** To one node, as long as a datagram may be. */
  single: 4,
  /** To the group, from the examined node, because INSPECT asks for them. */
  answer: 5,
} as const;

/** PROBE: one datagram of a series. It is counted where it arrives. */
export interface Probe {
  /** Drawn at random for each examination. */
  readonly examination: number;
  readonly series: number;
  /** Bytes without a meaning: they make the datagram long. */
  readonly fillerBytes: number;
}

export function encodeProbe(writer: ByteWriter, { examination, series, fillerBytes }: Probe): void {
  writer.u32(examination).u8(series).u16(fillerBytes).raw(new Uint8Array(fillerBytes));
}

export function decodeProbe(reader: ByteReader): Probe {
  const examination = reader.u32();
  const series = reader.u8();
  if (series < 1 || series > PROBE_SERIES) throw new DecodeError("unknown series");
  const fillerBytes = reader.u16();
  if (fillerBytes > PROBE_FILLER_BYTES) throw new DecodeError("too much filler");
  reader.raw(fillerBytes);
  return { examination, series, fillerBytes };
}

/** INSPECT: asks one node for its CONDITION. */
export interface Inspect {
  /** The epoch of the node that is asked. */
  readonly to: string;
  readonly examination: number;
  /** Comes back in the CONDITION, so that the way there and back can be timed. */
  readonly number: number;
  /** So many PROBE of the last series are sent to the group by the node that is asked. */
  readonly answers: number;
}

export function encodeInspect(writer: ByteWriter, { to, examination, number, answers }: Inspect): void {
  writer.raw(bytesOfHex(to)).u32(examination).u16(number).u8(answers);
}

export function decodeInspect(reader: ByteReader): Inspect {
  const to = hexOf(reader.raw(8));
  const [examination, number, answers] = [reader.u32(), reader.u16(), reader.u8()];
  if (answers > PROBES_ASKED) throw new DecodeError("too many probes are asked for");
  return { to, examination, number, answers };
}

/** What a node says of its disk; the numbers are 0 if the disk has not answered. */
export interface DiskCondition {
  /** Whether the file system of the base directory has answered within a moment. */
  readonly isKnown: boolean;
  /** Whether a file could be written in the base directory. */
  readonly isWritable: boolean;
  readonly freeBytes: number;
  readonly allBytes: number;
  readonly freeInodes: number;
  /** 0 for a file system that does not count them. */
  readonly allInodes: number;
}

/** CONDITION: how the node is that was asked. */
export interface Condition {
  /** The epoch of the node that has asked. */
  readonly to: string;
  readonly examination: number;
  readonly number: number;
  /** How many PROBE of the series 1 to 4 have arrived. */
  readonly arrived: readonly number[];
  /** Milliseconds since 1970 by the clock of the node. */
  readonly clockMs: number;
  /** Whether it sets the owners of files. */
  readonly keepsOwner: boolean;
  readonly disk: DiskCondition;
  /** What the kernel has granted. */
  readonly receiveBufferBytes: number;
  /** Datagrams that its kernel dropped because a buffer was full. */
  readonly dropped: number;
  /** How many members it knows. */
  readonly members: number;
}

/** How many series are counted where they arrive. */
const COUNTED_SERIES = 4;

const Flag = { diskKnown: 1, writable: 2, keepsOwner: 4 } as const;
const ALL_FLAGS = 7;

export function encodeCondition(writer: ByteWriter, condition: Condition): void {
  const { disk, keepsOwner } = condition;
  writer.raw(bytesOfHex(condition.to)).u32(condition.examination).u16(condition.number);
  for (let series = 0; series < COUNTED_SERIES; series++) writer.u16(condition.arrived[series] ?? 0);
  writer.u64(BigInt(condition.clockMs));
  writer.u8(
    (disk.isKnown ? Flag.diskKnown : 0) |
      (disk.isWritable ? Flag.writable : 0) |
      (keepsOwner ? Flag.keepsOwner : 0),
  );
  for (const count of [disk.freeBytes, disk.allBytes, disk.freeInodes, disk.allInodes])
    writer.u64(BigInt(count));
  writer.u32(condition.receiveBufferBytes).u64(BigInt(condition.dropped)).u16(condition.members);
}

export function decodeCondition(reader: ByteReader): Condition {
  const to = hexOf(reader.raw(8));
  const [examination, number] = [reader.u32(), reader.u16()];
  const arrived = Array.from({ length: COUNTED_SERIES }, () => reader.u16());
  const clockMs = safeNumber(reader.u64());
  const flags = reader.u8();
  if (flags > ALL_FLAGS) throw new DecodeError("unknown flags");
  const [freeBytes = 0, allBytes = 0, freeInodes = 0, allInodes = 0] = Array.from({ length: 4 }, () =>
    safeNumber(reader.u64()),
  );
  const isKnown = (flags & Flag.diskKnown) !== 0;
  const isWritable = (flags & Flag.writable) !== 0;
  const disk = { isKnown, isWritable, freeBytes, allBytes, freeInodes, allInodes };
  const keepsOwner = (flags & Flag.keepsOwner) !== 0;
  const receiveBufferBytes = reader.u32();
  const dropped = safeNumber(reader.u64());
  const members = reader.u16();
  return {
    to,
    examination,
    number,
    arrived,
    clockMs,
    keepsOwner,
    disk,
    receiveBufferBytes,
    dropped,
    members,
  };
}

function safeNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new DecodeError("a number is too large");
  return Number(value);
}
