/** The purpose of a transfer beyond sending what differs. */
import { type ByteReader, type ByteWriter, DecodeError } from "../base/bytes.ts";
import { PATH_BYTES } from "./limits.ts";

/** The purpose of a transfer beyond sending what differs. Terms come before all entries (PROTOCOL.md 6.1). */
export interface Terms {
  /** The delete limit of members does not apply. */
  readonly isForced: boolean;
  /** Every member reports how its entries differ, not only that they do. */
  readonly isCheck: boolean;
  /** Members may delete entries that the sender does not have. */
  readonly deletes: boolean;
  /** The sender tells digests of files that members may have by other names. */
  readonly tellsDigests: boolean;
  /** The sender's base directory: anchored exclude patterns may be relative to it. */
  readonly base: string;
}

// The flags of terms. Version 2 knows the first two, and deletes wherever there are terms.
const FORCED = 1;
const CHECK = 2;
const KEEPS = 4;
const DIGESTS = 8;

export function termsBytes(terms: Terms): number {
  return 1 + 2 + terms.base.length;
}

export function encodeTerms(writer: ByteWriter, terms: Terms): void {
  const flags =
    (terms.isForced ? FORCED : 0) |
    (terms.isCheck ? CHECK : 0) |
    (terms.deletes ? 0 : KEEPS) |
    (terms.tellsDigests ? DIGESTS : 0);
  writer.u8(flags).longText(terms.base);
}

/**
 * Reads the terms of encodeTerms.
 *
 * @throws DecodeError
 */
export function decodeTerms(reader: ByteReader): Terms {
  const flags = reader.u8();
  if (flags > (FORCED | CHECK | KEEPS | DIGESTS)) throw new DecodeError("unknown terms");
  const base = reader.longText();
  if (base.length > PATH_BYTES) throw new DecodeError("a base directory is too long");
  const has = (flag: number) => (flags & flag) !== 0;
  return {
    isForced: has(FORCED),
    isCheck: has(CHECK),
    deletes: !has(KEEPS),
    tellsDigests: has(DIGESTS),
    base,
  };
}
