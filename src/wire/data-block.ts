/** Data blocks: segments of content, holes, withdrawals. */
import { ByteReader, ByteWriter, DecodeError } from "../base/bytes.ts";
import { BLOCK_PLAINTEXT_BYTES, BlockKind } from "./datagram.ts";
import { BLOCK_UNPACKED_BYTES, REASON_BYTES, UNPACKED_BYTES } from "./limits.ts";

/** The kinds of segments in a data block (PROTOCOL.md 6.2). */
export const SegmentKind = { content: 1, withdrawn: 2, hole: 3, compressed: 4 } as const;

/** A piece of a file. */
export interface ContentSegment {
  readonly kind: typeof SegmentKind.content;
  readonly entry: number;
  /** Position in the file, in bytes. */
  readonly offset: number;
  /** A view of the block. */
  readonly bytes: Uint8Array;
}

/** The sender takes an entry back: its file changed or could not be read while it was sent. */
export interface WithdrawnSegment {
  readonly kind: typeof SegmentKind.withdrawn;
  readonly entry: number;
  readonly reason: string;
}

/** A piece of a file that reads as zeros and takes no room on the disk. */
export interface HoleSegment {
  readonly kind: typeof SegmentKind.hole;
  readonly entry: number;
  /** Position in the file, in bytes; `length` is in bytes, too. */
  readonly offset: number;
  readonly length: number;
}

export type Segment = ContentSegment | WithdrawnSegment | HoleSegment;

/** The header of a content segment: kind u8, entry u32, offset u64, length u16. */
const CONTENT_HEADER_BYTES = 15;

/** A hole: kind u8, entry u32, offset u64, length u64. */
const HOLE_BYTES = 1 + 4 + 8 + 8;

/** A compressed segment: kind u8, length u16, and the frame. */
export const COMPRESSED_HEADER_BYTES = 1 + 2;

/** Most bytes of one content segment: its length has two bytes. */
const CONTENT_BYTES = 0xffff;

/** Writes segments, one after the other. Content is read straight into its place. */
export class SegmentWriter {
  protected readonly writer: ByteWriter;

  constructor(memory: Uint8Array) {
    this.writer = new ByteWriter(memory);
  }

  get isEmpty(): boolean {
    return this.writer.position === 0;
  }

  /** How many bytes of content another segment could hold. */
  get contentRoom(): number {
    return Math.min(CONTENT_BYTES, Math.max(0, this.writer.room - CONTENT_HEADER_BYTES));
  }

  /** The memory for the content of the next segment. */
  contentSpace(mostBytes: number): Uint8Array {
    const start = this.writer.position + CONTENT_HEADER_BYTES;
    return this.writer.bytes.subarray(start, start + mostBytes);
  }

  /** Turns the first bytes of the content space into a segment. */
  addContent(entry: number, offset: number, byteCount: number): void {
    this.writer.u8(SegmentKind.content).u32(entry).u64(BigInt(offset)).u16(byteCount);
    this.writer.position += byteCount;
  }

  /** Adds a hole; false if it does not fit. */
  addHole(entry: number, offset: number, length: number): boolean {
    if (this.writer.room < HOLE_BYTES) return false;
    this.writer.u8(SegmentKind.hole).u32(entry).u64(BigInt(offset)).u64(BigInt(length));
    return true;
  }

  /** Adds a withdrawal; false if it does not fit. */
  addWithdrawal(entry: number, reason: string): boolean {
    const text = reason.slice(0, REASON_BYTES);
    if (this.writer.room < 1 + 4 + 2 + text.length) return false;
    this.writer.u8(SegmentKind.withdrawn).u32(entry).longText(text);
    return true;
  }

  finish(): Uint8Array {
    return this.writer.written();
  }
}

/** Fills one data block: kind u8, then segments to the end. */
export class DataWriter extends SegmentWriter {
  /** Bytes of compressed segments before they were compressed. */
  private unpackedBytes = 0;

  constructor(memory: Uint8Array) {
    super(memory.subarray(0, BLOCK_PLAINTEXT_BYTES));
    this.writer.u8(BlockKind.data);
  }

  override get isEmpty(): boolean {
    return this.writer.position === 1;
  }

  /** Adds segments as they are; false if they do not fit. */
  addSegments(segments: Uint8Array): boolean {
    if (this.writer.room < segments.length) return false;
    this.writer.raw(segments);
    return true;
  }

  /**
   * Adds segments that have been compressed together; false if they do not fit, or would unpack to too much.
   *
   * @param frame the compressed bytes
   * @param unpackedBytes how many they were before
   */
  addCompressed(frame: Uint8Array, unpackedBytes: number): boolean {
    if (this.writer.room < COMPRESSED_HEADER_BYTES + frame.length) return false;
    if (this.unpackedBytes + unpackedBytes > BLOCK_UNPACKED_BYTES) return false;
    this.writer.u8(SegmentKind.compressed).u16(frame.length).raw(frame);
    this.unpackedBytes += unpackedBytes;
    return true;
  }
}

/**
 * Unpacks a compressed segment.
 *
 * @param mostBytes the most that may come out
 * @throws DecodeError if it is damaged, or if more would come out
 */
export type Unpack = (frame: Uint8Array, mostBytes: number) => Uint8Array;

/**
 * The segments of a data block, one by one; those of a compressed segment in its place.
 *
 * @throws DecodeError
 */
export function* segmentsOf(plaintext: Uint8Array, unpack: Unpack): Generator<Segment> {
  const reader = new ByteReader(plaintext);
  if (reader.u8() !== BlockKind.data) throw new DecodeError("not a data block");
  let room = BLOCK_UNPACKED_BYTES;
  while (reader.remaining > 0) {
    const kind = reader.u8();
    if (kind === SegmentKind.compressed) {
      const unpacked = unpack(reader.raw(reader.u16()), Math.min(UNPACKED_BYTES, room));
      room -= unpacked.length;
      yield* plainSegments(new ByteReader(unpacked));
    } else yield plainSegment(reader, kind);
  }
}

function* plainSegments(reader: ByteReader): Generator<Segment> {
  while (reader.remaining > 0) yield plainSegment(reader, reader.u8());
}

function plainSegment(reader: ByteReader, kind: number): Segment {
  const entry = reader.u32();
  if (kind === SegmentKind.withdrawn) {
    const reason = reader.longText();
    if (reason.length > REASON_BYTES) throw new DecodeError("a reason is too long");
    return { kind, entry, reason };
  }
  if (kind === SegmentKind.content) {
    const offset = reader.u53("an offset");
    return { kind, entry, offset, bytes: reader.raw(reader.u16()) };
  }
  if (kind === SegmentKind.hole) {
    return { kind, entry, offset: reader.u53("an offset"), length: reader.u53("an offset") };
  }
  throw new DecodeError("unknown segment");
}
