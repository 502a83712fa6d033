/** Decides whether contents are compressed, and keeps what did not fit into a block. */
import { COMPRESSED_HEADER_BYTES, type DataWriter, SegmentWriter } from "../../wire/data-block.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../wire/datagram.ts";
import { UNPACKED_BYTES } from "../../wire/limits.ts";
import { compress, type CompressionLevel, type CompressionMode } from "../entries/compression.ts";
import { NetworkPace } from "./network-pace.ts";

/**
 * Blocks that wait to be sent when "auto" compresses: a megabyte, 9 ms at 1 Gbit/s. With fewer, the reading thread is
 * what the transfer waits for, and compressing would make it slower.
 */
const WAITING_BLOCKS = 16;

/**
 * The first pieces of a transfer: for these, the transfers before decide. Half a window of blocks is on its way before any
 * block has to wait.
 */
const FIRST_PIECES = 128;

/**
 * With so many, a slow network has the time for smaller blocks. If they take too long, fewer wait, and the next ones are made
 * faster.
 */
const LEVELS: readonly (readonly [waitingBlocks: number, level: CompressionLevel])[] = [
  [96, 5],
  [48, 3],
];

/** Most pieces that are not tried after one that did not get smaller: 4 MB, which is 1 % of the time that 64 take to compress. */
const MOST_SKIPPED = 64;

/** How much of a block a piece is to fill, by what the last one came to: contents are not all alike. */
const FILLED = 0.85;

/** What goes into a block at once. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly plainBytes: number;
  readonly isCompressed: boolean;
}

/**
 * Compresses segments in pieces (PROTOCOL.md 6.2), and puts as many of them into a block as fit. A piece is as long as a block, or
 * longer where the last one got so much smaller that more will fit. Contents that do not get smaller go as they are, and the
 * next pieces are not tried: one, then two, four and so on.
 */
export class Packer {
  private readonly mode: CompressionMode;
  private readonly pace: NetworkPace;
  /** Made with the first piece: small pushes that are not compressed need none. */
  private plainMemory: Uint8Array | undefined;
  /** Of the piece that waits, if it is compressed. */
  private frameMemory: Uint8Array | undefined;
  /** Parts of a piece that did not get small enough as a whole; each fits into a block as it is. */
  private parts: Uint8Array[] = [];
  private piece: Piece | undefined;
  /** What the last piece came to, as a share of itself. */
  private ratio = 1;
  private asked = 0;
  private skips = 0;
  private nextSkips = 1;

  constructor(mode: CompressionMode, pace = new NetworkPace()) {
    this.mode = mode;
    this.pace = pace;
  }

  /** Whether nothing waits for the next block. */
  get isEmpty(): boolean {
    return this.piece === undefined && this.parts.length === 0;
  }

  /** Another large file begins: its contents may be of another kind. */
  noteFile(): void {
    this.skips = 0;
    this.nextSkips = 1;
    this.ratio = 1;
  }

  /**
   * Whether the next segments are to be compressed, and how hard.
   *
   * @param waitingBlocks blocks that were made and not yet sent
   * @returns undefined if they go as they are
   */
  levelOfNext(waitingBlocks: number): CompressionLevel | undefined {
    if (this.mode === "no" || (this.mode === "auto" && !this.isWorthIt(waitingBlocks))) return undefined;
    return LEVELS.find(([least]) => waitingBlocks >= least)?.[1] ?? 1;
  }

  private isWorthIt(waitingBlocks: number): boolean {
    let isWaiting = waitingBlocks >= WAITING_BLOCKS;
    if (++this.asked > FIRST_PIECES) this.pace.note(isWaiting);
    else isWaiting ||= this.pace.isSlow;
    if (isWaiting && this.skips > 0) {
      this.skips--;
      return false;
    }
    return isWaiting;
  }

  /**
   * Makes the next piece, if none waits.
   *
   * @param room what is left in the block, in bytes
   * @param mostBytes less than a block holds, so that they go into one if they do not get smaller
   * @param level how hard to try; undefined if only what waits is to go, as it is
   * @param fill writes segments; if it writes none, there is no piece
   */
  pack(
    room: number,
    mostBytes: number,
    level: CompressionLevel | undefined,
    fill: (writer: SegmentWriter) => void,
  ): void {
    if (this.parts.length === 0 && level !== undefined) {
      this.parts = this.partsOf(this.bytesFor(room, mostBytes), mostBytes, fill);
      if (this.parts.length > 1) this.piece = this.compressed(joined(this.parts), mostBytes, level);
      if (this.piece !== undefined) this.parts = [];
    }
    const part = this.piece === undefined ? this.parts.shift() : undefined;
    if (part !== undefined)
      this.piece =
        level === undefined
          ? plainPiece(part)
          : (this.compressed(part, mostBytes, level) ?? this.given(part));
  }

  /** How long a piece may be to fill what is left of the block, or all of the next one. */
  private bytesFor(room: number, mostBytes: number): number {
    const fitting = (room * FILLED) / this.ratio;
    const bytes = fitting >= mostBytes ? fitting : (mostBytes * FILLED) / this.ratio;
    return Math.max(mostBytes, Math.min(UNPACKED_BYTES, Math.floor(bytes)));
  }

  /** Segments, in parts of which each fits into a block. */
  private partsOf(bytes: number, mostBytes: number, fill: (writer: SegmentWriter) => void): Uint8Array[] {
    this.plainMemory ??= new Uint8Array(UNPACKED_BYTES);
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes;) {
      const writer = new SegmentWriter(this.plainMemory.subarray(at, Math.min(bytes, at + mostBytes)));
      fill(writer);
      if (writer.isEmpty) break;
      parts.push(writer.finish());
      at += writer.finish().length;
    }
    return parts;
  }

  private compressed(plain: Uint8Array, mostBytes: number, level: CompressionLevel): Piece | undefined {
    this.frameMemory ??= new Uint8Array(BLOCK_PLAINTEXT_BYTES);
    const frame = compress(plain, level, this.frameMemory.subarray(0, mostBytes - COMPRESSED_HEADER_BYTES));
    if (frame === undefined) return undefined;
    this.ratio = frame.length / plain.length;
    this.nextSkips = 1;
    return { bytes: frame, plainBytes: plain.length, isCompressed: true };
  }

  /** What did not get smaller. */
  private given(plain: Uint8Array): Piece {
    this.ratio = 1;
    this.skips = this.nextSkips;
    this.nextSkips = Math.min(MOST_SKIPPED, 2 * this.nextSkips);
    return plainPiece(plain);
  }

  /**
   * Puts the piece that waits into a block.
   *
   * @returns how many bytes it was before it was compressed; undefined if there is no room for it
   */
  putInto(writer: DataWriter): number | undefined {
    const { piece } = this;
    if (piece === undefined) return 0;
    const { bytes, plainBytes, isCompressed } = piece;
    const isIn = isCompressed ? writer.addCompressed(bytes, plainBytes) : writer.addSegments(bytes);
    if (!isIn) return undefined;
    this.piece = undefined;
    return plainBytes;
  }
}

function plainPiece(bytes: Uint8Array): Piece {
  return { bytes, plainBytes: bytes.length, isCompressed: false };
}

/** Parts that lie one after the other in the same memory. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts as [Uint8Array];
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  return new Uint8Array(first.buffer, first.byteOffset, bytes);
}
