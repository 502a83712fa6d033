/** The SHA-256 of a file, piece by piece. */
import crypto from "node:crypto";
import type { FileStats } from "../../sys/stat.ts";
import { isSameState } from "./same-file.ts";
import type { ReadableFile, TreeView } from "../disk/tree-view.ts";

/** How much is read before other work gets its turn: half a millisecond of SHA-256. */
export const PIECE_BYTES = 1024 * 1024;
const piece = Buffer.allocUnsafe(PIECE_BYTES);

/** The SHA-256 of a file, read piece by piece, so that other work gets its turn in between. */
export class FileDigest {
  private readonly file: ReadableFile;
  private readonly hash = crypto.createHash("sha256");
  private readonly stats: FileStats;
  private offset = 0;

  /**
   * Opens the file.
   *
   * @param expected the stats of the file at an earlier look: any other state counts as changed
   * @throws an error with a code if that is not possible, and for anything that is not a file
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
   * Reads the next piece.
   *
   * @returns undefined while there is more to read; "changed" if the file changed between the pieces
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
