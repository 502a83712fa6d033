/** The SHA-256 of a file, piece by piece. */
import crypto from "node:crypto";
import type { FileStats } from "../../sys/stat.ts";
import { isSameState } from "./same-file.ts";
import type { ReadableFile, TreeView } from "../disk/tree-view.ts";

/** So much is read between two looks at what else there is to do: half a millisecond of SHA-256. */
const PIECE_BYTES = 1024 * 1024;
const piece = Buffer.allocUnsafe(PIECE_BYTES);

/** The SHA-256 of a file, read piece by piece, so that other work finds its time in between. */
export class FileDigest {
  private readonly file: ReadableFile;
  private readonly hash = crypto.createHash("sha256");
  private readonly stats: FileStats;
  private offset = 0;

  /**
   * Opens the file.
   *
   * @param expected the file as it was looked at before: anything else counts as changed
   * @throws an error with a code where that cannot be done, and for what is no file
   */
  constructor(tree: TreeView, directory: string, name: string, expected?: FileStats) {
    this.file = tree.openToRead(directory, name);
    const stats = this.file.stat();
    this.stats = expected ?? stats;
    if (stats.isFile()) return;
    this.close();
    throw Object.assign(new Error("not a file"), { code: "EINVAL" });
  }

  /**
   * Reads on.
   *
   * @returns undefined while there is more to read; "changed" where it was not one state of the file that was read
   */
  step(): Uint8Array | "changed" | undefined {
    const bytes = this.file.read(piece, this.offset);
    this.offset += bytes;
    if (bytes > 0) {
      this.hash.update(piece.subarray(0, bytes));
      if (this.offset < this.stats.size) return undefined;
    }
    const now = this.file.stat();
    const isSame = isSameState(this.stats, now) && this.offset === now.size;
    return isSame ? this.hash.digest() : "changed";
  }

  close(): void {
    this.file.close();
  }
}
