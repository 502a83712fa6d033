import { ByteReader, ByteWriter, DecodeError } from "../base/bytes.ts";
import { BLOCK_PLAINTEXT_BYTES, BlockKind } from "./datagram.ts";
import { MANIFEST_ENTRIES, PATH_BYTES } from "./limits.ts";
import { decodeMetadata, encodeMetadata, type Metadata, metadataBytes } from "./metadata.ts";
import { isSafeEntry, isSafeName, isSafePath } from "./path-rules.ts";

/** What an entry is. */
export const EntryType = {
  file: 1,
  directory: 2,
  symlink: 3,
  /** A directory on the way to an entry: made where it is missing, otherwise left as it is. */
  passage: 4,
} as const;

export type EntryType = (typeof EntryType)[keyof typeof EntryType];

/** One path of a transfer. */
export interface Entry {
  readonly type: EntryType;
  readonly name: string;
  readonly metadata: Metadata;
  /** Bytes of a file; 0 otherwise. */
  readonly size: number;
  /** Where a symbolic link points; empty otherwise. */
  readonly target: string;
}

/** The directory whose entries follow. */
export interface DirectoryHeader {
  readonly path: string;
  /** How the directory itself is to look; undefined where it is only on the way to an entry. */
  readonly metadata: Metadata | undefined;
}

/** A manifest block as it is read: its entries are numbered from `firstEntry` on. */
export interface ManifestBlock {
  readonly firstEntry: number;
  readonly directories: readonly { readonly header: DirectoryHeader; readonly entries: readonly Entry[] }[];
}

const Record = { directory: 1, entry: 2 } as const;
const ENTRY_COUNT_POSITION = 5;

/** Fills one manifest block: kind u8, first entry u32, entry count u16, then records to the end. */
export class ManifestWriter {
  private readonly writer: ByteWriter;
  private entryCount = 0;
  /** The directory that the next entry belongs to, if it has been written into this block. */
  private directory: string | undefined;

  constructor(memory: Uint8Array, firstEntry: number) {
    this.writer = new ByteWriter(memory.subarray(0, BLOCK_PLAINTEXT_BYTES));
    this.writer.u8(BlockKind.manifest).u32(firstEntry).u16(0);
  }

  get entries(): number {
    return this.entryCount;
  }

  /**
   * Adds an entry, and its directory where it is not the one of the entry before.
   *
   * @returns false when the block is full and the entry belongs into the next one
   */
  add(directory: DirectoryHeader, entry: Entry): boolean {
    const isNewDirectory = directory.path !== this.directory;
    const needed = (isNewDirectory ? directoryBytes(directory) : 0) + entryBytes(entry);
    if (this.entryCount === MANIFEST_ENTRIES || needed > this.writer.room) return false;
    if (isNewDirectory) this.writeDirectory(directory);
    this.writeEntry(entry);
    this.entryCount++;
    return true;
  }

  /** The finished block. */
  finish(): Uint8Array {
    this.writer.patchU16(ENTRY_COUNT_POSITION, this.entryCount);
    return this.writer.written();
  }

  private writeDirectory(directory: DirectoryHeader): void {
    this.writer
      .u8(Record.directory)
      .longText(directory.path)
      .u8(directory.metadata === undefined ? 0 : 1);
    if (directory.metadata !== undefined) encodeMetadata(this.writer, directory.metadata);
    this.directory = directory.path;
  }

  private writeEntry(entry: Entry): void {
    this.writer.u8(Record.entry).u8(entry.type).shortText(entry.name);
    encodeMetadata(this.writer, entry.metadata);
    if (entry.type === EntryType.file) this.writer.u64(BigInt(entry.size));
    if (entry.type === EntryType.symlink) this.writer.longText(entry.target);
  }
}

function directoryBytes(directory: DirectoryHeader): number {
  const { metadata } = directory;
  return 4 + directory.path.length + (metadata === undefined ? 0 : metadataBytes(metadata));
}

function entryBytes(entry: Entry): number {
  return 3 + entry.name.length + metadataBytes(entry.metadata) + 8 + entry.target.length;
}

/** Reads a manifest block whole. Throws DecodeError; unsafe names and paths never get further than here. */
export function decodeManifest(plaintext: Uint8Array): ManifestBlock {
  const reader = new ByteReader(plaintext);
  if (reader.u8() !== BlockKind.manifest) throw new DecodeError("not a manifest block");
  const firstEntry = reader.u32();
  const entryCount = reader.u16();
  if (entryCount > MANIFEST_ENTRIES) throw new DecodeError("too many entries");
  const directories: { header: DirectoryHeader; entries: Entry[] }[] = [];
  let found = 0;
  while (reader.remaining > 0) {
    const record = reader.u8();
    if (record === Record.directory) {
      directories.push({ header: decodeDirectory(reader), entries: [] });
      continue;
    }
    if (record !== Record.entry) throw new DecodeError("unknown record");
    const current = directories.at(-1);
    if (current === undefined) throw new DecodeError("an entry without a directory");
    const entry = decodeEntry(reader);
    if (!isSafeEntry(current.header.path, entry.name)) throw new DecodeError("an unsafe path");
    current.entries.push(entry);
    found++;
  }
  if (found !== entryCount) throw new DecodeError("the entries are not as many as announced");
  return { firstEntry, directories };
}

function decodeDirectory(reader: ByteReader): DirectoryHeader {
  const path = reader.longText();
  if (path.length > PATH_BYTES || !isSafePath(path)) throw new DecodeError("an unsafe directory");
  const hasMetadata = reader.flag();
  return { path, metadata: hasMetadata ? decodeMetadata(reader) : undefined };
}

function decodeEntry(reader: ByteReader): Entry {
  const type = reader.u8();
  if (!isEntryType(type)) throw new DecodeError("unknown entry type");
  const name = reader.shortText();
  if (!isSafeName(name)) throw new DecodeError("an unsafe name");
  const metadata = decodeMetadata(reader);
  const size = type === EntryType.file ? decodeSize(reader) : 0;
  const target = type === EntryType.symlink ? decodeTarget(reader) : "";
  return { type, name, metadata, size, target };
}

function isEntryType(type: number): type is EntryType {
  return type >= EntryType.file && type <= EntryType.passage;
}

function decodeSize(reader: ByteReader): number {
  const size = Number(reader.u64());
  if (!Number.isSafeInteger(size)) throw new DecodeError("a size is out of range");
  return size;
}

function decodeTarget(reader: ByteReader): string {
  const target = reader.longText();
  if (target.length === 0 || target.length > PATH_BYTES || target.includes("\0")) {
    throw new DecodeError("a link target is out of range");
  }
  return target;
}
