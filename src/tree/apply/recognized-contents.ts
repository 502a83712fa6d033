/** Reads a file of this member that may have the contents of one that comes. */
import crypto from "node:crypto";
import { orElse } from "../../sys/system-error.ts";
import type { ReadableFile } from "../disk/tree-view.ts";

/** How much of a file is read before other work gets its turn: some 2 ms of SHA-256. */
const PIECE_BYTES = 4 * 1024 * 1024;

/**
 * Reads a file and hands over its contents piece by piece. The last piece is handed over only if the digest is right: so nothing
 * is ever whole that is not the same, whatever happens to the file meanwhile.
 *
 * @param size of the contents, in bytes
 * @param digest the first bytes of their SHA-256
 * @param write takes a piece with its place in the file; false if it is not wanted any more
 * @returns false, step by step, if the file has other contents or cannot be read
 */
export function* readRecognized(
  file: ReadableFile,
  size: number,
  digest: Uint8Array,
  write: (bytes: Uint8Array, offset: number) => boolean,
): Generator<undefined, boolean> {
  if (orElse(undefined, () => sizeOf(file)) !== size) return false;
  const hash = crypto.createHash("sha256");
  const space = Buffer.allocUnsafe(Math.min(PIECE_BYTES, size));
  for (let offset = 0; offset < size;) {
    const bytes = orElse(undefined, () => file.read(space.subarray(0, size - offset), offset)) ?? 0;
    if (bytes === 0) return false;
    const piece = space.subarray(0, bytes);
    hash.update(piece);
    const isLast = offset + piece.length === size;
    if (isLast && !hash.digest().subarray(0, digest.length).equals(digest)) return false;
    if (!write(piece, offset)) return false;
    offset += piece.length;
    if (!isLast) yield;
  }
  return true;
}

function sizeOf(file: ReadableFile): number | undefined {
  const stats = file.stat();
  return stats.isFile() ? stats.size : undefined;
}
