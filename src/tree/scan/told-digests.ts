/** Digests of files that members may have by other names: they are told before contents are sent. */
import type { ManifestWriter } from "../../wire/manifest.ts";
import { TOLD_DIGEST_BYTES } from "../../wire/entry.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import type { Directories } from "../disk/directories.ts";
import { FileDigest, READ_BYTES } from "../entries/digest.ts";
import { errorCode } from "../../sys/system-error.ts";
import type { HeldEntry } from "./held-entry.ts";

/** How much of files is read before other work gets its turn: some 8 ms of SHA-256. */
const TURN_BYTES = 16 * READ_BYTES;

/** Digests of a block: it takes some 5 ms to read so many small files. Members look at them while the next ones are read. */
const BLOCK_DIGESTS = 256;

/** A file of a manifest block. */
export interface HeldFile {
  readonly entry: HeldEntry;
  /** The number of its manifest block. */
  readonly manifest: number;
}

/**
 * Reads files for their digests, one after another (PROTOCOL.md 5.2.6). Memory is that of the entries of manifest blocks which
 * the source holds anyway.
 */
export class ToldDigests {
  private readonly directories: Directories;
  private readonly waiting: HeldFile[] = [];
  private file: FileDigest | undefined;
  /** The files of each block of digests until it is settled, by the number of the block. */
  private readonly told = new Map<number, readonly HeldFile[]>();
  /** A file is being read, and no digest could be told yet. */
  isBusy = false;

  constructor(directories: Directories) {
    this.directories = directories;
  }

  /** The digests of these files are to be told. */
  add(files: readonly HeldFile[]): void {
    this.waiting.push(...files);
  }

  /**
   * Fills a block.
   *
   * @param block its number
   * @param onFailure called with each file that has changed, or that cannot be read
   */
  fill(block: number, writer: ManifestWriter, onFailure: (file: HeldFile) => void): void {
    const told: HeldFile[] = [];
    this.isBusy = false;
    let leftBytes = TURN_BYTES;
    let count = 0;
    for (; told.length < BLOCK_DIGESTS; count++) {
      const file = this.waiting[count];
      if (file === undefined) break;
      const { number: entry, size } = file.entry;
      let digest: Uint8Array | "failed" | undefined;
      for (; digest === undefined && leftBytes > 0; leftBytes -= Math.min(size, READ_BYTES))
        digest = this.step(file.entry);
      if (digest === undefined) break;
      if (digest === "failed") onFailure(file);
      // A file that is beyond the room of this block is read again for the next one.
      else if (writer.addDigest({ entry, digest: digest.subarray(0, TOLD_DIGEST_BYTES) })) told.push(file);
      else break;
    }
    this.waiting.splice(0, count);
    if (told.length > 0) this.told.set(block, told);
    else this.isBusy = this.waiting.length > 0;
  }

  /** Takes the files of a block of digests that all members have answered; undefined for any other block. */
  takeSettled(block: number): readonly HeldFile[] | undefined {
    const files = this.told.get(block);
    this.told.delete(block);
    return files;
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
  }

  private step({ path, stats }: HeldEntry): Uint8Array | "failed" | undefined {
    try {
      this.file ??= new FileDigest(this.directories, directoryOf(path), nameOf(path), "contents", stats);
      const digest = this.file.step();
      if (digest === undefined) return undefined;
      this.close();
      return digest === "changed" ? "failed" : digest;
    } catch (error) {
      errorCode(error);
      this.close();
      return "failed";
    }
  }
}
