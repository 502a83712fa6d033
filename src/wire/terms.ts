/** The purpose of a transfer beyond sending what differs. */
import { type ByteReader, type ByteWriter, DecodeError } from "../base/bytes.ts";
import { PATH_BYTES } from "./limits.ts";

/** The purpose of a transfer beyond sending what differs. Terms come before all entries (PROTOCOL.md 6.1). */
export interface Terms {
  /** The delete limit of members does not apply. */
  readonly isForced: boolean;
  /** Every member reports how its entries differ, not only that they do. */
  readonly isCheck: boolean;
  /** The sender's base directory: anchored exclude patterns may be relative to it. */
  readonly base: string;
}

// The flags of terms.
const FORCED = 1;
const CHECK = 2;

export function termsBytes(terms: Terms): number {
  return 1 + 2 + terms.base.length;
}

export function encodeTerms(writer: ByteWriter, terms: Terms): void {
  writer.u8((terms.isForced ? FORCED : 0) | (terms.isCheck ? CHECK : 0)).longText(terms.base);
}

/**
 * Reads the terms of encodeTerms.
 *
 * @throws DecodeError
 */
export function decodeTerms(reader: ByteReader): Terms {
  const flags = reader.u8();
  if (flags > (FORCED | CHECK)) throw new DecodeError("unknown terms");
  const base = reader.longText();
  if (base.length > PATH_BYTES) throw new DecodeError("a base directory is too long");
  return { isForced: (flags & FORCED) !== 0, isCheck: (flags & CHECK) !== 0, base };
}
