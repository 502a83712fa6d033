/** A file whose chunks are told to members, and which of its parts are worth it. */
import { CHUNK_BYTES_MOST } from "../../wire/limits.ts";
import { chunkBytesFor } from "../entries/chunker.ts";
import type { Part } from "../entries/part.ts";
import type { HeldFile } from "./told-digests.ts";

/** A file of fewer chunks is told without a look first: its contents would not take longer than the answers. */
const FEW_CHUNKS = 64;

/** So many chunks are a look: some 400 KB. If members have none of them, that is what was read in vain. */
const LOOK_CHUNKS = 8;

/** Members that had less than this share of the chunks do not have this part of the file: it is sent. */
const LEAST_FOUND = 1 / 8;

/** How much of a file is sent before the next look, at first; then twice as much, and so on. A gigabyte costs seven looks. */
const FIRST_SKIP = 1 / 64;
const FIRST_SKIP_BYTES = 8 * 1024 * 1024;

/** The next look is told when no more than this is left to be sent: while it is, members look. Some 70 ms at 1 Gbit/s. */
const LOOK_AHEAD_BYTES = 8 * 1024 * 1024;

/** A file that is sent by chunks. */
export class ChunkedFile {
  readonly held: HeldFile;
  /** It is told up to this place, or is going to be; in bytes. */
  toldBytes = 0;
  isTold = false;
  /** Of what follows, if it was read. */
  restTag: Uint8Array | undefined;
  /** Chunks that not all members have answered. */
  unsettled = 0;
  /** Something of it was read to be sent. */
  isBegun = false;
  isWithdrawn = false;
  /** Looks up to now. */
  look = 0;
  /** Whether chunks are told without waiting for the answers to those before. */
  private isLike: boolean;
  /** Since the last look began. */
  private told = 0;
  private sought = 0;
  private found = 0;
  private skipBytes: number;
  /** A part is sent before the next look, which is not told yet. */
  private isSkipping = false;

  constructor(held: HeldFile) {
    this.held = held;
    const { size } = held.entry;
    this.isLike = size < FEW_CHUNKS * chunkBytesFor(size);
    this.skipBytes = Math.max(FIRST_SKIP_BYTES, Math.ceil(size * FIRST_SKIP));
  }

  /** Whether members have yet to answer a look. */
  get isAwaited(): boolean {
    return !this.isLike && this.told >= LOOK_CHUNKS && this.sought < LOOK_CHUNKS;
  }

  /**
   * Whether the next look comes later: members look for its chunks while the last of what is skipped is sent. Told earlier, it
   * would hold up what is skipped, and members would have had no time to read that far in their own files.
   *
   * @param contentBytes that wait to be sent
   */
  isLookLater(contentBytes: number): boolean {
    return this.isSkipping && (this.unsettled > 0 || contentBytes > LOOK_AHEAD_BYTES);
  }

  /**
   * A part is going to be told.
   *
   * @param look undefined for one that no member looks for
   */
  noteTold(end: number, look: number | undefined): void {
    this.toldBytes = end;
    this.unsettled++;
    if (look === undefined) return;
    this.told++;
    this.isSkipping = false;
  }

  /**
   * Members have answered a chunk.
   *
   * @param look in which it was told; undefined for a part that no member looks for
   */
  noteAnswer(look: number | undefined, isFound: boolean): void {
    this.unsettled--;
    if (look !== this.look) return;
    this.sought++;
    if (isFound) this.found++;
  }

  /** The parts that are to be sent before the next look; none if members have some of what they were told. */
  takeSkip(): Part[] {
    if (this.sought < LOOK_CHUNKS) return [];
    this.isLike = this.found >= this.sought * LEAST_FOUND;
    if (this.isLike) return [];
    const parts: Part[] = [];
    const end = this.toldBytes + this.skipBytes;
    for (let start = this.toldBytes; start < end; start += CHUNK_BYTES_MOST)
      parts.push({ start, end: Math.min(end, start + CHUNK_BYTES_MOST) });
    this.skipBytes *= 2;
    this.look++;
    this.isSkipping = true;
    this.told = this.sought = this.found = 0;
    return parts;
  }
}
