/** Reads files of this member for chunks that mostly follow each other: many of them by one call. */
import { orElse } from "../../sys/system-error.ts";
import { CHUNK_BYTES } from "../../wire/limits.ts";
import type { OpenFile } from "../disk/open-file.ts";

/** How much is read at a time in the end: some ten chunks, which stay in the cache of a processor until they are written. */
const AHEAD_BYTES = 8 * CHUNK_BYTES;

/**
 * Memory for pieces of files. Each piece that follows the one before it in its file is twice as long, so little is read in vain
 * where chunks have other places than before.
 */
export class ReadAhead {
  private memory = new Uint8Array(0);
  /** Which file it has a piece of, from where on, and how many bytes. */
  private file: OpenFile | undefined;
  private start = 0;
  private length = 0;
  /** How much the last call was to read. */
  private lastBytes = 0;
  /** Writes what is still needed of the memory. */
  private release: (() => void) | undefined;

  /**
   * @returns bytes of a file that count until the memory is needed for others; undefined if there are not as many, or if the
   *   file cannot be read
   */
  read(file: OpenFile, offset: number, length: number): Uint8Array | undefined {
    if (!this.has(file, offset, length)) {
      this.empty();
      if (orElse(false, () => this.fill(file, offset, length)) !== true) {
        this.forget();
        return undefined;
      }
    }
    const place = offset - this.start;
    return this.memory.subarray(place, place + length);
  }

  /**
   * Some of the bytes that were given are still to be written.
   *
   * @param release writes them; called before the memory is used for others
   */
  hold(release: () => void): void {
    this.release = release;
  }

  /** All bytes that were given are done with. */
  letGo(): void {
    this.release = undefined;
  }

  /** Forgets what it has read: the file is going to change, or is closed. */
  forget(): void {
    this.empty();
    this.file = undefined;
    this.length = 0;
  }

  private empty(): void {
    const { release } = this;
    this.release = undefined;
    release?.();
  }

  private has(file: OpenFile, offset: number, length: number): boolean {
    return this.file === file && offset >= this.start && offset + length <= this.start + this.length;
  }

  /** @returns whether the file has as many bytes; if not, what is in the memory is worthless */
  private fill(file: OpenFile, offset: number, length: number): boolean {
    const skipped = offset - this.start;
    const isNext = this.file === file && skipped >= 0 && skipped <= this.length;
    const wanted = Math.max(length, isNext ? Math.min(2 * this.lastBytes, AHEAD_BYTES) : 0);
    let have = isNext ? this.length - skipped : 0;
    // A sender that lies of long chunks must not make it take memory.
    if (length > Math.max(AHEAD_BYTES, this.memory.length) && offset + length > file.stat().size)
      return false;
    if (isNext) this.memory.copyWithin(0, skipped, this.length);
    this.reserve(Math.max(wanted, AHEAD_BYTES));
    while (have < length) {
      const count = file.read(this.memory.subarray(have, wanted), offset + have);
      if (count === 0) return false;
      have += count;
    }
    [this.file, this.start, this.length, this.lastBytes] = [file, offset, have, wanted];
    return true;
  }

  private reserve(bytes: number): void {
    if (bytes <= this.memory.length) return;
    const former = this.memory;
    this.memory = Buffer.allocUnsafe(bytes);
    this.memory.set(former);
  }
}
