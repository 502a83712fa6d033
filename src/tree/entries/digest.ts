/** The SHA-256 of a file, piece by piece. */
import crypto from "node:crypto";
import fs from "node:fs";
import { openEntry } from "../../sys/files.ts";
import { type FileStats, statDescriptor } from "../../sys/stat.ts";

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

const PIECE_BYTES = 1024 * 1024;
const piece = Buffer.allocUnsafe(PIECE_BYTES);

/** The SHA-256 of a file, read piece by piece, so that other work finds its time in between. */
export class FileDigest {
  private readonly descriptor: number;
  private readonly hash = crypto.createHash("sha256");
  private readonly stats: FileStats;
  private offset = 0;

  /**
   * Opens the file.
   *
   * @param directory the open directory that it is an entry of
   * @throws an error with a code where that cannot be done, and for what is no file
   */
  constructor(directory: number, name: string) {
    this.descriptor = openEntry(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    this.stats = statDescriptor(this.descriptor);
    if (this.stats.isFile()) return;
    this.close();
    throw Object.assign(new Error("not a file"), { code: "EINVAL" });
  }

  /**
   * Reads on.
   *
   * @returns undefined while there is more to read; "changed" where it was not one state of the file that was read
   */
  step(): Uint8Array | "changed" | undefined {
    const bytes = fs.readSync(this.descriptor, piece, 0, PIECE_BYTES, this.offset);
    this.offset += bytes;
    if (bytes > 0) {
      this.hash.update(piece.subarray(0, bytes));
      if (this.offset < this.stats.size) return undefined;
    }
    const { size, mtimeNs } = statDescriptor(this.descriptor);
    const isSame = size === this.stats.size && mtimeNs === this.stats.mtimeNs && this.offset === size;
    return isSame ? this.hash.digest() : "changed";
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }
}
