/** The SHA-256 of a file, piece by piece. */
import type { FileStats } from "../../sys/stat.ts";
import { DATA_PIECE_BYTES } from "../../wire/entry.ts";
import { nextPiece } from "./holes.ts";
import { PieceHash } from "./piece-hash.ts";
import { isSameState } from "./same-file.ts";
import type { ReadableFile, TreeView } from "../disk/tree-view.ts";

/** How much is read before other work gets its turn: half a millisecond of SHA-256. A multiple of DATA_PIECE_BYTES. */
export const READ_BYTES = 1024 * 1024;
const memory = Buffer.allocUnsafe(READ_BYTES);
const ZEROS = Buffer.alloc(DATA_PIECE_BYTES);

/**
 * What a digest is made of: all bytes, or (PROTOCOL.md 6.1) only the pieces with something else than zeros, so that holes
 * are not read. The same contents have the same digest, wherever a file system has holes.
 */
export type DigestForm = "contents" | "data";

/** The SHA-256 of a file, read piece by piece, so that other work gets its turn in between. */
export class FileDigest {
  private readonly file: ReadableFile;
  private readonly form: DigestForm;
  private readonly hash = new PieceHash();
  private readonly stats: FileStats;
  private offset = 0;
  /** Data are known to go on up to this offset. */
  private dataEnd = 0;

  /**
   * Opens the file.
   *
   * @param expected the stats of the file at an earlier look: any other state counts as changed
   * @throws an error with a code if that is not possible, and for anything that is not a file
   */
  constructor(tree: TreeView, directory: string, name: string, form: DigestForm, expected?: FileStats) {
    this.file = tree.openToRead(directory, name);
    this.form = form;
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
    if (this.form === "data") this.skipHole();
    const bytes = this.offset < this.stats.size ? this.file.read(memory, this.offset) : 0;
    const taken = this.form === "data" ? this.addPieces(bytes) : bytes;
    this.offset += taken;
    const isLast = taken === 0 || this.offset >= this.stats.size;
    const contents = memory.subarray(0, this.form === "data" ? 0 : bytes);
    const digest = this.hash.add(contents, isLast);
    if (digest === undefined) return undefined;
    const now = this.file.stat();
    return isSameState(this.stats, now) && this.offset === now.size ? digest : "changed";
  }

  close(): void {
    this.file.close();
  }

  /** Goes on to the piece in which the next data are. */
  private skipHole(): void {
    if (this.offset < this.dataEnd) return;
    const { size } = this.stats;
    const { start, end } = nextPiece(this.file, this.offset, size);
    this.dataEnd = end;
    if (start >= size) this.offset = size;
    else this.offset = Math.max(this.offset, start - (start % DATA_PIECE_BYTES));
  }

  /** @returns how many bytes were taken: whole pieces, except for the last one of the file */
  private addPieces(read: number): number {
    const isLast = this.offset + read >= this.stats.size;
    const bytes = isLast ? read : read - (read % DATA_PIECE_BYTES);
    for (let start = 0; start < bytes; start += DATA_PIECE_BYTES) {
      const piece = memory.subarray(start, Math.min(bytes, start + DATA_PIECE_BYTES));
      if (piece.equals(ZEROS.subarray(0, piece.length))) continue;
      const offset = Buffer.alloc(8);
      offset.writeBigUInt64LE(BigInt(this.offset + start));
      this.hash.add(offset, false);
      this.hash.add(piece, false);
    }
    return bytes;
  }
}
