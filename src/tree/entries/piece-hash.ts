/** SHA-256 of contents that come piece by piece. */
import crypto from "node:crypto";

/** A hash over pieces. Most files are one piece, and for small ones a hash that can be continued takes a third longer. */
export class PieceHash {
  private hash: crypto.Hash | undefined;

  /** @returns the digest of all pieces up to the last one; undefined before it */
  add(piece: Uint8Array, isLast: boolean): Buffer | undefined {
    if (isLast && this.hash === undefined) return digestOf(piece);
    this.hash ??= crypto.createHash("sha256");
    this.hash.update(piece);
    return isLast ? this.hash.digest() : undefined;
  }
}

/** The SHA-256 of contents at once. */
function digestOf(contents: Uint8Array): Buffer {
  // Node makes a string of the digest in less time than a Buffer.
  return Buffer.from(crypto.hash("sha256", contents, "binary"), "latin1");
}
