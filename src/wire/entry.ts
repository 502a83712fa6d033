/** Entries: their types, and the fields that only few of them have. */
import { type ByteReader, type ByteWriter, DecodeError } from "../base/bytes.ts";
import { ATTRIBUTE_BYTES, ATTRIBUTES, NAME_BYTES, PATH_BYTES } from "./limits.ts";
import { decodeMetadata, encodeMetadata, type Metadata, metadataBytes, NO_METADATA } from "./metadata.ts";
import { isSafeName, isSafePath } from "./path-rules.ts";

/** The type of an entry. */
export const EntryType = {
  file: 1,
  directory: 2,
  symlink: 3,
  /** A directory on the way to an entry: made if it is missing, otherwise left as it is. */
  passage: 4,
  /** Something that the sender has and does not send: a member keeps anything that it has at this path. */
  kept: 5,
  /** Something that the sender was asked to send and does not have: members delete it. */
  gone: 6,
  fifo: 7,
  characterDevice: 8,
  blockDevice: 9,
  /** Another name of a file that came before in the same transfer. */
  hardLink: 10,
} as const;

export type EntryType = (typeof EntryType)[keyof typeof EntryType];

/** The numbers of a device node. */
export interface Device {
  readonly major: number;
  readonly minor: number;
}

/** One extended attribute. Access control lists are extended attributes, too. */
export interface Attribute {
  readonly name: string;
  readonly value: Uint8Array;
}

/** One path of a transfer (PROTOCOL.md 6.1). */
export interface Entry {
  readonly type: EntryType;
  readonly name: string;
  readonly metadata: Metadata;
  /** Bytes of a file; 0 otherwise. */
  readonly size: number;
  /** The target of a symbolic link, or the path of the file that a hard link names; empty otherwise. */
  readonly target: string;
  /** Fields that only few entries have. */
  readonly extras: EntryExtras | undefined;
}

export interface EntryExtras {
  /** Further entries of the transfer may be hard links to this file. */
  readonly hasOtherNames: boolean;
  /** SHA-256 of a file, if contents are compared. */
  readonly digest: Uint8Array | undefined;
  /** The digest is made of the pieces with data alone; otherwise of all bytes. */
  readonly isDataDigest: boolean;
  /** Bytes of a file that are not holes, if it has holes. */
  readonly allocated: number | undefined;
  /** For device nodes only. */
  readonly device: Device | undefined;
  /** All extended attributes; undefined if a member leaves its own as they are. */
  readonly attributes: readonly Attribute[] | undefined;
}

export const NO_EXTRAS: EntryExtras = {
  hasOtherNames: false,
  digest: undefined,
  isDataDigest: false,
  allocated: undefined,
  device: undefined,
  attributes: undefined,
};

/** A SHA-256. */
export const DIGEST_BYTES = 32;

/**
 * A digest of data alone is made of pieces of this size (PROTOCOL.md 6.1): most file systems have blocks of 4 to 64 KiB, so
 * that next to nothing is read of a hole, and holes that a copy has lost are found by a comparison of this length.
 */
export const DATA_PIECE_BYTES = 65_536;

/** The lower bits of the first byte are the type; the upper ones say which fields follow. */
const TYPE_MASK = 0x0f;
const Has = { names: 0x10, digest: 0x20, holes: 0x40, attributes: 0x80 } as const;

/** Whether an entry consists of a name only. */
export function isNameOnly(type: EntryType): boolean {
  return type === EntryType.kept || type === EntryType.gone;
}

export function isDevice(type: EntryType): boolean {
  return type === EntryType.characterDevice || type === EntryType.blockDevice;
}

function hasTarget(type: EntryType): boolean {
  return type === EntryType.symlink || type === EntryType.hardLink;
}

/** The most bytes that encodeEntry writes for an entry. */
export function entryBytes(entry: Entry): number {
  const { extras } = entry;
  let bytes = 2 + entry.name.length + metadataBytes(entry.metadata) + 8 + 2 + entry.target.length;
  if (extras === undefined) return bytes;
  bytes += DIGEST_BYTES + 8 + 8 + 1;
  for (const { name, value } of extras.attributes ?? []) bytes += 3 + name.length + value.length;
  return bytes;
}

export function encodeEntry(writer: ByteWriter, entry: Entry): void {
  const { type, extras } = entry;
  const { hasOtherNames, digest, allocated, attributes, device } = extras ?? NO_EXTRAS;
  writer.u8(
    type |
      (hasOtherNames ? Has.names : 0) |
      (digest === undefined ? 0 : Has.digest) |
      (allocated === undefined ? 0 : Has.holes) |
      (attributes === undefined ? 0 : Has.attributes),
  );
  writer.shortText(entry.name);
  if (!isNameOnly(type)) encodeMetadata(writer, entry.metadata);
  if (type === EntryType.file) writer.u64(BigInt(entry.size));
  if (hasTarget(type)) writer.longText(entry.target);
  if (isDevice(type)) writer.u32(device?.major ?? 0).u32(device?.minor ?? 0);
  if (digest !== undefined) writer.raw(digest);
  if (allocated !== undefined) writer.u64(BigInt(allocated));
  if (attributes !== undefined) encodeAttributes(writer, attributes);
}

/**
 * Reads an entry of encodeEntry.
 *
 * @param before the metadata read before: most entries of a tree have the same owner
 * @param isDataDigest whether its record says that it has a digest of data alone
 * @throws DecodeError
 */
export function decodeEntry(reader: ByteReader, before: Metadata | undefined, isDataDigest = false): Entry {
  const first = reader.u8();
  if (isDataDigest && (first & Has.digest) === 0) throw new DecodeError("a digest is missing");
  const type = first & TYPE_MASK;
  if (!isEntryType(type)) throw new DecodeError("unknown entry type");
  if ((first & (Has.names | Has.digest | Has.holes)) !== 0 && type !== EntryType.file) {
    throw new DecodeError("contents of something that is no file");
  }
  if ((first & Has.attributes) !== 0 && (isNameOnly(type) || type === EntryType.hardLink)) {
    throw new DecodeError("attributes of a mere name");
  }
  const name = reader.shortText();
  if (!isSafeName(name)) throw new DecodeError("an unsafe name");
  const metadata = isNameOnly(type) ? NO_METADATA : decodeMetadata(reader, before);
  const size = type === EntryType.file ? reader.u53("a size") : 0;
  const target = hasTarget(type) ? decodeTarget(reader, type) : "";
  return { type, name, metadata, size, target, extras: decodeExtras(reader, first, type, isDataDigest) };
}

function decodeExtras(
  reader: ByteReader,
  first: number,
  type: EntryType,
  isDataDigest: boolean,
): EntryExtras | undefined {
  if (first === type && !isDevice(type)) return undefined;
  const device = isDevice(type) ? { major: reader.u32(), minor: reader.u32() } : undefined;
  const digest = (first & Has.digest) === 0 ? undefined : reader.raw(DIGEST_BYTES).slice();
  const allocated = (first & Has.holes) === 0 ? undefined : reader.u53("a size");
  const attributes = (first & Has.attributes) === 0 ? undefined : decodeAttributes(reader);
  const hasOtherNames = (first & Has.names) !== 0;
  return { hasOtherNames, digest, isDataDigest, allocated, device, attributes };
}

function isEntryType(type: number): type is EntryType {
  return type >= EntryType.file && type <= EntryType.hardLink;
}

function decodeTarget(reader: ByteReader, type: EntryType): string {
  const target = reader.longText();
  if (target.length === 0 || target.length > PATH_BYTES || target.includes("\0")) {
    throw new DecodeError("a link target is out of range");
  }
  if (type === EntryType.hardLink && !isSafePath(target)) throw new DecodeError("an unsafe path");
  return target;
}

/** Count u8, and for each: name text8, value u16 and bytes. */
export function encodeAttributes(writer: ByteWriter, attributes: readonly Attribute[]): void {
  writer.u8(attributes.length);
  for (const { name, value } of attributes) writer.shortText(name).u16(value.length).raw(value);
}

/**
 * Reads the attributes of encodeAttributes.
 *
 * @throws DecodeError
 */
export function decodeAttributes(reader: ByteReader): Attribute[] {
  const count = reader.u8();
  if (count > ATTRIBUTES) throw new DecodeError("too many attributes");
  const attributes: Attribute[] = [];
  let bytes = 0;
  for (let index = 0; index < count; index++) {
    const name = reader.shortText();
    if (name.length === 0 || name.length > NAME_BYTES || name.includes("\0")) {
      throw new DecodeError("an attribute's name is out of range");
    }
    const value = reader.raw(reader.u16()).slice();
    bytes += value.length;
    attributes.push({ name, value });
  }
  if (bytes > ATTRIBUTE_BYTES) throw new DecodeError("the attributes are too large");
  return attributes;
}
