/** Manifest blocks: records of terms, excludes, directories and entries. */
import { ByteReader, ByteWriter, DecodeError } from "../base/bytes.ts";
import { BLOCK_PLAINTEXT_BYTES, BlockKind } from "./datagram.ts";
import { decodeEntry, encodeEntry, type Entry, entryBytes, TOLD_DIGEST_BYTES } from "./entry.ts";
import { CHUNK_BYTES_MOST, CHUNK_KEY_BYTES, MANIFEST_ENTRIES, PATH_BYTES, TAG_BYTES } from "./limits.ts";
import { decodeMetadata, encodeMetadata, type Metadata, metadataBytes } from "./metadata.ts";
import { isSafeEntry, isSafePath } from "./path-rules.ts";
import { type Origin, decodeOrigin, encodeOrigin, originBytes } from "./origin.ts";
import { decodeTerms, encodeTerms, type Terms, termsBytes } from "./terms.ts";

/** The directory whose entries follow. */
export interface DirectoryHeader {
  readonly path: string;
  /** The metadata that the directory gets; undefined if it is only on the way to an entry. */
  readonly metadata: Metadata | undefined;
}

/** A decoded manifest block; its entries are numbered from `firstEntry` on. */
export interface ManifestBlock {
  readonly firstEntry: number;
  readonly terms: Terms | undefined;
  /** Whether the transfer is a publication, or brings earlier ones; undefined if this block does not say. */
  readonly origin?: Origin;
  /** Patterns of paths that the sender leaves out and its members do not delete. */
  readonly excludes: readonly string[];
  readonly directories: readonly ManifestDirectory[];
  /** Digests of files of earlier blocks. A block that has any has nothing else. */
  readonly digests: readonly ToldDigest[];
  /** The sender tells chunks of large files that a member marks: CHUNK_KEY_BYTES for their tags. */
  readonly chunkKey?: Uint8Array;
  /** Chunks of files of earlier blocks. A block that has any has nothing else. */
  readonly chunks?: readonly ToldChunk[];
}

/** A part of a file that members may have: it follows the chunk of the same file that was told before it. */
export interface ToldChunk {
  /** The number of the file's entry. */
  readonly entry: number;
  /** In bytes; 1 to CHUNK_BYTES_MOST. */
  readonly length: number;
  /** TAG_BYTES, of its bytes; zeros for a part that is sent anyway, so that no member looks for it. */
  readonly tag: Uint8Array;
}

/** Instead of the tag of a part that is sent anyway. */
export const SENT_ANYWAY = new Uint8Array(TAG_BYTES);

/** Whether the sender sends a part without asking who has it. */
export function isSentAnyway({ tag }: ToldChunk): boolean {
  return tag.every((byte) => byte === 0);
}

/** What the sender tells of a file that members may have by another name. */
export interface ToldDigest {
  /** The number of the file's entry. */
  readonly entry: number;
  /** The first TOLD_DIGEST_BYTES of the SHA-256 of its contents. */
  readonly digest: Uint8Array;
}

/** Entries of one directory, in the order of the manifest. */
export interface ManifestDirectory {
  readonly header: DirectoryHeader;
  readonly entries: readonly Entry[];
  /** These entries, and those of the same directory in earlier blocks, are all that the sender has in it. */
  readonly isComplete: boolean;
}

const Record = {
  directory: 1,
  entry: 2,
  terms: 3,
  exclude: 4,
  complete: 5,
  origin: 6,
  /** An entry whose digest is made of data alone; nodes of version 2 do not know it. */
  entryOfData: 7,
  digest: 8,
  chunkKey: 9,
  chunk: 10,
} as const;
// A block begins with kind u8, first entry u32 and entry count u16.
const ENTRY_COUNT_POSITION = 5;
const HEADER_BYTES = 7;

/** Fills one manifest block: kind u8, first entry u32, entry count u16, then records to the end. */
export class ManifestWriter {
  private readonly writer: ByteWriter;
  private entryCount = 0;
  /** The directory of the next entry, if it has been written into this block. */
  private directory: string | undefined;

  constructor(memory: Uint8Array, firstEntry: number) {
    this.writer = new ByteWriter(memory.subarray(0, BLOCK_PLAINTEXT_BYTES));
    this.writer.u8(BlockKind.manifest).u32(firstEntry).u16(0);
  }

  get entries(): number {
    return this.entryCount;
  }

  /**
   * Adds an entry, after its directory if that is not the one of the previous entry.
   *
   * @returns false if the block is full and the entry belongs into the next one
   */
  add(directory: DirectoryHeader, entry: Entry): boolean {
    const isNewDirectory = directory.path !== this.directory;
    const needed = (isNewDirectory ? directoryBytes(directory) : 0) + 1 + entryBytes(entry);
    if (this.entryCount === MANIFEST_ENTRIES || needed > this.writer.room) return false;
    if (isNewDirectory) this.writeDirectory(directory);
    this.writer.u8(entry.extras?.isDataDigest === true ? Record.entryOfData : Record.entry);
    encodeEntry(this.writer, entry);
    this.entryCount++;
    return true;
  }

  /** Records that all entries of a directory have been added; false if the block is full. */
  addComplete(directory: DirectoryHeader): boolean {
    const isNewDirectory = directory.path !== this.directory;
    if ((isNewDirectory ? directoryBytes(directory) : 0) + 1 > this.writer.room) return false;
    if (isNewDirectory) this.writeDirectory(directory);
    this.writer.u8(Record.complete);
    this.directory = undefined;
    return true;
  }

  /** Adds the terms; false if the block is full. */
  addTerms(terms: Terms): boolean {
    if (1 + termsBytes(terms) > this.writer.room) return false;
    encodeTerms(this.writer.u8(Record.terms), terms);
    return true;
  }

  /** Adds the origin; false if the block is full. */
  addOrigin(origin: Origin): boolean {
    if (1 + originBytes(origin) > this.writer.room) return false;
    encodeOrigin(this.writer.u8(Record.origin), origin);
    return true;
  }

  /** Adds an exclude pattern; false if the block is full. */
  addExclude(pattern: string): boolean {
    if (1 + 2 + pattern.length > this.writer.room) return false;
    this.writer.u8(Record.exclude).longText(pattern);
    return true;
  }

  /**
   * Adds the digest of a file, to a block that has nothing but digests.
   *
   * @returns false if the block is full
   */
  addDigest({ entry, digest }: ToldDigest): boolean {
    if (this.entryCount === MANIFEST_ENTRIES || 1 + 4 + TOLD_DIGEST_BYTES > this.writer.room) return false;
    this.writer.u8(Record.digest).u32(entry).raw(digest);
    this.entryCount++;
    return true;
  }

  /** Says that chunks of large files are told, and with which key their tags are made; false if the block is full. */
  addChunkKey(key: Uint8Array): boolean {
    if (this.writer.room < 1 + CHUNK_KEY_BYTES) return false;
    this.writer.u8(Record.chunkKey).raw(key);
    return true;
  }

  /**
   * Adds a chunk of a file, to a block that has nothing but chunks.
   *
   * @returns false if the block is full
   */
  addChunk({ entry, length, tag }: ToldChunk): boolean {
    if (this.entryCount === MANIFEST_ENTRIES || 1 + 4 + 4 + TAG_BYTES > this.writer.room) return false;
    this.writer.u8(Record.chunk).u32(entry).u32(length).raw(tag);
    this.entryCount++;
    return true;
  }

  /** Whether the block has no record. */
  get isEmpty(): boolean {
    return this.writer.position === HEADER_BYTES;
  }

  /** Ends the block. */
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
}

function directoryBytes(directory: DirectoryHeader): number {
  const { metadata } = directory;
  return 4 + directory.path.length + (metadata === undefined ? 0 : metadataBytes(metadata));
}

/**
 * Reads a whole manifest block. Unsafe names and paths never get beyond this function.
 *
 * @throws DecodeError
 */
export function decodeManifest(plaintext: Uint8Array): ManifestBlock {
  const reader = new ByteReader(plaintext);
  if (reader.u8() !== BlockKind.manifest) throw new DecodeError("not a manifest block");
  const firstEntry = reader.u32();
  const entryCount = reader.u16();
  if (entryCount > MANIFEST_ENTRIES) throw new DecodeError("too many entries");
  const block: OpenBlock = { terms: undefined, excludes: [], directories: [], digests: [] };
  while (reader.remaining > 0) decodeRecord(reader, block);
  const { terms, origin, excludes, directories, digests, chunks = [], chunkKey } = block;
  const hasPreface =
    terms !== undefined || origin !== undefined || excludes.length > 0 || chunkKey !== undefined;
  const hasOthers = hasPreface || directories.length > 0;
  if (digests.length > 0 && (hasOthers || chunks.length > 0))
    throw new DecodeError("digests among other records");
  if (chunks.length > 0 && hasOthers) throw new DecodeError("chunks among other records");
  const found = directories.reduce(
    (sum, { entries }) => sum + entries.length,
    digests.length + chunks.length,
  );
  if (found !== entryCount) throw new DecodeError("the entries are not as many as announced");
  return { firstEntry, ...block };
}

/** A block while it is read. */
interface OpenBlock {
  terms: Terms | undefined;
  origin?: Origin;
  readonly excludes: string[];
  readonly directories: OpenDirectory[];
  readonly digests: ToldDigest[];
  chunkKey?: Uint8Array;
  chunks?: ToldChunk[];
}

/** A directory while its entries are read. */
interface OpenDirectory {
  readonly header: DirectoryHeader;
  readonly entries: Entry[];
  isComplete: boolean;
}

function decodeRecord(reader: ByteReader, block: OpenBlock): void {
  const { directories } = block;
  const record = reader.u8();
  const current = directories.at(-1);
  if (record === Record.directory) {
    directories.push({ header: decodeDirectory(reader), entries: [], isComplete: false });
  } else if (record === Record.terms) {
    block.terms = decodeTerms(reader);
  } else if (record === Record.origin) {
    block.origin = decodeOrigin(reader);
  } else if (record === Record.exclude) {
    block.excludes.push(decodePattern(reader));
  } else if (record === Record.digest) {
    block.digests.push({ entry: reader.u32(), digest: reader.raw(TOLD_DIGEST_BYTES).slice() });
  } else if (record === Record.chunkKey) {
    block.chunkKey = reader.raw(CHUNK_KEY_BYTES).slice();
  } else if (record === Record.chunk) {
    (block.chunks ??= []).push(decodeChunk(reader));
  } else if (record !== Record.entry && record !== Record.entryOfData && record !== Record.complete) {
    throw new DecodeError("unknown record");
  } else if (current === undefined || current.isComplete) {
    throw new DecodeError("an entry without a directory");
  } else if (record === Record.complete) {
    current.isComplete = true;
  } else {
    const before = current.entries.at(-1)?.metadata ?? current.header.metadata;
    const entry = decodeEntry(reader, before, record === Record.entryOfData);
    if (!isSafeEntry(current.header.path, entry.name)) throw new DecodeError("an unsafe path");
    current.entries.push(entry);
  }
}

function decodeChunk(reader: ByteReader): ToldChunk {
  const [entry, length] = [reader.u32(), reader.u32()];
  if (length === 0 || length > CHUNK_BYTES_MOST) throw new DecodeError("a chunk of no possible length");
  return { entry, length, tag: reader.raw(TAG_BYTES).slice() };
}

function decodePattern(reader: ByteReader): string {
  const pattern = reader.longText();
  if (pattern.length > PATH_BYTES) throw new DecodeError("a pattern is too long");
  return pattern;
}

function decodeDirectory(reader: ByteReader): DirectoryHeader {
  const path = reader.longText();
  if (path.length > PATH_BYTES || !isSafePath(path)) throw new DecodeError("an unsafe directory");
  const hasMetadata = reader.flag();
  return { path, metadata: hasMetadata ? decodeMetadata(reader) : undefined };
}
