/** Decides whether contents are compressed, and keeps what did not fit into a block. */
import { type DataWriter, SegmentWriter } from "../../wire/data-block.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../wire/datagram.ts";
import { compress, type CompressionLevel, type CompressionMode } from "../entries/compression.ts";

/**
 * Blocks that wait to be sent when "auto" begins to compress: a megabyte, 9 ms at 1 Gbit/s. With fewer, the reading thread is
 * what the transfer waits for, and compressing would make it slower. It is twice what is asked for at a time, so that the
 * first answer is never compressed: small pushes end with it.
 */
const WAITING_BLOCKS = 16;

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

interface Piece {
  readonly bytes: Uint8Array;
  readonly plainBytes: number;
  readonly isCompressed: boolean;
}

/**
 * Compresses segments in pieces as long as a block (PROTOCOL.md 6.2), and puts as many of them into a block as fit. Contents
 * that do not get smaller go as they are, and the next pieces are not tried: one, then two, four and so on.
 */
export class Packer {
  private readonly mode: CompressionMode;
  private readonly memory: Uint8Array;
  private piece: Piece | undefined;
  private skips = 0;
  private nextSkips = 1;

  constructor(mode: CompressionMode) {
    this.mode = mode;
    this.memory = new Uint8Array(mode === "no" ? 0 : BLOCK_PLAINTEXT_BYTES);
  }

  /** Whether nothing waits for the next block. */
  get isEmpty(): boolean {
    return this.piece === undefined;
  }

  /** Another large file begins: its contents may be of another kind. */
  noteFile(): void {
    this.skips = 0;
    this.nextSkips = 1;
  }

  /**
   * Whether the next segments are to be compressed, and how hard.
   *
   * @param waitingBlocks blocks that were made and not yet sent
   * @returns undefined if they go as they are
   */
  levelOfNext(waitingBlocks: number): CompressionLevel | undefined {
    if (this.mode === "no" || (this.mode === "auto" && waitingBlocks < WAITING_BLOCKS)) return undefined;
    if (this.skips > 0 && this.mode === "auto") {
      this.skips--;
      return undefined;
    }
    return LEVELS.find(([least]) => waitingBlocks >= least)?.[1] ?? 1;
  }

  /**
   * Compresses the next segments.
   *
   * @param mostBytes less than a block holds, so that they go into one if they do not get smaller
   * @param level how hard
   * @param fill writes them
   * @returns whether there were any
   */
  pack(mostBytes: number, level: CompressionLevel, fill: (writer: SegmentWriter) => void): boolean {
    const writer = new SegmentWriter(this.memory.subarray(0, mostBytes));
    fill(writer);
    if (writer.isEmpty) return false;
    const plain = writer.finish();
    const frame = compress(plain, level);
    const isCompressed = frame !== undefined;
    this.piece = { bytes: frame ?? plain, plainBytes: plain.length, isCompressed };
    if (isCompressed) this.nextSkips = 1;
    else {
      this.skips = this.nextSkips;
      this.nextSkips = Math.min(MOST_SKIPPED, 2 * this.nextSkips);
    }
    return true;
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
