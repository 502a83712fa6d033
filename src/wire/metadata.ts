/** Mode, time and owner of an entry. */
import { type ByteReader, type ByteWriter, DecodeError } from "../base/bytes.ts";

/** Mode, time and owner of an entry (PROTOCOL.md 6.1). */
export interface Metadata {
  /** The lower twelve bits of st_mode. */
  readonly mode: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  readonly user: Owner;
  readonly group: Owner;
}

/** A user or a group: by name if the receiver knows the name, else by number. */
export interface Owner {
  readonly id: number;
  /** Empty if the sender knows no name. */
  readonly name: string;
}

/** Placeholder for entries that consist of a name only. */
export const NO_METADATA: Metadata = {
  mode: 0,
  mtimeNs: 0n,
  user: { id: 0, name: "" },
  group: { id: 0, name: "" },
};

/** Mode u16, mtime i64, and for user and group each an id u32 and the length of a name u8. */
const METADATA_BYTES = 2 + 8 + 2 * (4 + 1);

/** How many bytes encodeMetadata writes. */
export function metadataBytes(metadata: Metadata): number {
  return METADATA_BYTES + metadata.user.name.length + metadata.group.name.length;
}

/** mode u16, mtime i64, user id u32, user name, group id u32, group name. */
export function encodeMetadata(writer: ByteWriter, metadata: Metadata): void {
  writer.u16(metadata.mode).i64(metadata.mtimeNs);
  writer.u32(metadata.user.id).shortText(metadata.user.name);
  writer.u32(metadata.group.id).shortText(metadata.group.name);
}

/**
 * Reads the metadata of encodeMetadata.
 *
 * @param before the metadata read before: an owner that is the same becomes the same object
 * @throws DecodeError
 */
export function decodeMetadata(reader: ByteReader, before: Metadata = NO_METADATA): Metadata {
  const mode = reader.u16();
  if (mode > 0o7777) throw new DecodeError("a mode is out of range");
  const mtimeNs = reader.i64();
  const user = decodeOwner(reader, before.user);
  const group = decodeOwner(reader, before.group);
  return { mode, mtimeNs, user, group };
}

function decodeOwner(reader: ByteReader, before: Owner): Owner {
  const id = reader.u32();
  if (id === before.id && reader.skipShortText(before.name)) return before;
  return { id, name: reader.shortText() };
}
