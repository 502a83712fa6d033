/** Reads a file of this member that may have the contents of one that comes. */
import { orElse } from "../../sys/system-error.ts";
import type { ReadableFile } from "../disk/tree-view.ts";
import { PieceHash } from "../entries/piece-hash.ts";

/**
 * How much of a file is read before other work gets its turn: half a millisecond of SHA-256. Every piece is used before the next one is
 * read, also one of another transfer: so all share one memory.
 */
const memory = Buffer.allocUnsafe(1024 * 1024);

/**
 * Reads a file and hands over its contents piece by piece. The last piece is handed over only if the digest is right: so nothing
 * is ever whole that is not the same, whatever happens to the file meanwhile.
 *
 * @param file has that size
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
  const hash = new PieceHash();
  for (let offset = 0; offset < size;) {
    const bytes = orElse(0, () => file.read(memory.subarray(0, size - offset), offset));
    if (bytes === 0) return false;
    const piece = memory.subarray(0, bytes);
    const isLast = offset + bytes === size;
    const found = hash.add(piece, isLast);
    if (found?.subarray(0, digest.length).equals(digest) === false) return false;
    if (!write(piece, offset)) return false;
    offset += bytes;
    if (!isLast) yield;
  }
  return true;
}
