/** The origin of a transfer: a push of its own, one that takes back another, or a member that brings what others have missed. */
import { type ByteReader, type ByteWriter, DecodeError } from "../base/bytes.ts";
import { bytesOfHex, hexOf } from "../base/hex.ts";
import { HOST_NAME_BYTES } from "./limits.ts";
import { type Announced, decodeAnnounced, encodeAnnounced, scopeBytes, UNDOES_BYTES } from "./publication.ts";

/** Whether a transfer is a publication, or brings earlier ones (PROTOCOL.md 6.1). */
export type Origin =
  | { readonly kind: "publication"; readonly announced: Announced }
  /** It takes back a publication (PROTOCOL.md 9.6). The sender has chosen it by the log with this digest. */
  | {
      readonly kind: "undo";
      readonly announced: Announced & Required<Pick<Announced, "undoes">>;
      readonly digest: string;
    }
  /** It brings publications to members that lack them, as they stand in the log with this digest. */
  | { readonly kind: "catch-up"; readonly digest: string };

const Kind = { publication: 1, catchUp: 2, undo: 3 } as const;

/** The most that the encoded origin takes; enough to see whether there is room. */
export function originBytes(origin: Origin): number {
  if (origin.kind === "catch-up") return 9;
  const announcedBytes = 30 + 2 * HOST_NAME_BYTES + scopeBytes(origin.announced.scope);
  return origin.kind === "publication" ? announcedBytes : announcedBytes + 8 + UNDOES_BYTES;
}

export function encodeOrigin(writer: ByteWriter, origin: Origin): void {
  if (origin.kind === "catch-up") writer.u8(Kind.catchUp).raw(bytesOfHex(origin.digest));
  else if (origin.kind === "publication") encodeAnnounced(writer.u8(Kind.publication), origin.announced);
  else encodeAnnounced(writer.u8(Kind.undo).raw(bytesOfHex(origin.digest)), origin.announced);
}

/**
 * Reads the origin of encodeOrigin().
 *
 * @throws DecodeError
 */
export function decodeOrigin(reader: ByteReader): Origin {
  const kind = reader.u8();
  if (kind === Kind.catchUp) return { kind: "catch-up", digest: hexOf(reader.raw(8)) };
  if (kind !== Kind.publication && kind !== Kind.undo) throw new DecodeError("an unknown origin");
  const digest = kind === Kind.undo ? hexOf(reader.raw(8)) : "";
  const announced = decodeAnnounced(reader);
  const { undoes } = announced;
  // Nobody must take the one for the other.
  if ((kind === Kind.undo) !== (undoes !== undefined)) throw new DecodeError("an origin of two kinds");
  if (undoes === undefined) return { kind: "publication", announced };
  return { kind: "undo", announced: { ...announced, undoes }, digest };
}
