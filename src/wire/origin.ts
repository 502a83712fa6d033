/** The origin of a transfer: a push of its own, or a member that brings what others have missed. */
import { type ByteReader, type ByteWriter, DecodeError } from "../base/bytes.ts";
import { bytesOfHex, hexOf } from "../base/hex.ts";
import { HOST_NAME_BYTES } from "./limits.ts";
import { type Announced, decodeAnnounced, encodeAnnounced, scopeBytes } from "./publication.ts";

/** Whether a transfer is a publication, or brings earlier ones (PROTOCOL.md 6.1). */
export type Origin =
  | { readonly kind: "publication"; readonly announced: Announced }
  /** It brings publications to members that lack them, as they stand in the log with this digest. */
  | { readonly kind: "catch-up"; readonly digest: string };

const Kind = { publication: 1, catchUp: 2 } as const;

/** The most that the encoded origin takes; enough to see whether there is room. */
export function originBytes(origin: Origin): number {
  return origin.kind === "catch-up" ? 9 : 30 + 2 * HOST_NAME_BYTES + scopeBytes(origin.announced.scope);
}

export function encodeOrigin(writer: ByteWriter, origin: Origin): void {
  if (origin.kind === "catch-up") writer.u8(Kind.catchUp).raw(bytesOfHex(origin.digest));
  else encodeAnnounced(writer.u8(Kind.publication), origin.announced);
}

/**
 * Reads the origin of encodeOrigin().
 *
 * @throws DecodeError
 */
export function decodeOrigin(reader: ByteReader): Origin {
  const kind = reader.u8();
  if (kind === Kind.catchUp) return { kind: "catch-up", digest: hexOf(reader.raw(8)) };
  if (kind !== Kind.publication) throw new DecodeError("an unknown origin");
  return { kind: "publication", announced: decodeAnnounced(reader) };
}
