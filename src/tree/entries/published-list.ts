/** The paths that one transfer has published, by their hashes, as it is kept in the state directory. */
import zlib from "node:zlib";
import { type Entry, EntryType, isNameOnly } from "../../wire/entry.ts";
import type { ManifestDirectory } from "../../wire/manifest.ts";
import type { Metadata } from "../../wire/metadata.ts";
import { writeLikeness } from "./likeness.ts";
import { HASH_BYTES, hashEntry, hashPath } from "./path-set.ts";

/** What a list says of a hash. */
export const Listed = {
  directory: 1,
  given: 2,
  kept: 3,
  gone: 4,
  complete: 5,
  passage: 6,
  /** The likeness of the file in the row before; files with several names have none. */
  likeness: 7,
} as const;
type ListedKind = (typeof Listed)[keyof typeof Listed];

/** The kind in one byte, and the hash. */
const ROW_BYTES = 1 + HASH_BYTES;

/** Rows that are no entries of the transfer. */
const OTHERS: ReadonlySet<number> = new Set([Listed.directory, Listed.complete, Listed.likeness]);

/** Largest list: some three million files. A transfer with more can be caught up with, but not from this host. */
const MOST_BYTES = 64 * 1024 * 1024;

const HEADER = Buffer.from("makuosan published 1\n");
const CHECK_BYTES = 4;

/** Records the entries of a manifest as they pass. */
export class PublishedList {
  private bytes = Buffer.alloc(64 * ROW_BYTES);
  private view = viewOf(this.bytes);
  private length = 0;
  private readonly withdrawn = new Set<number>();
  private directory: string | undefined;
  private readonly laterLists: (readonly ListRow[])[] = [];

  /** Records entries of a directory, in the order of the manifest. */
  note({ header, entries, isComplete }: ManifestDirectory): void {
    for (const entry of entries) this.noteEntry(header.path, entry.name, entry.type, entry);
    if (isComplete) this.noteComplete(header.path);
  }

  /** @param entry if it is known how it is published */
  noteEntry(directory: string, name: string, type: EntryType, entry?: Entry): void {
    if (directory !== this.directory) this.row(Listed.directory, (this.directory = directory));
    if (this.begin(kindOf(type))) hashEntry(directory, name, this.view, this.length - HASH_BYTES);
    if (type === EntryType.file && entry !== undefined && entry.extras?.hasOtherNames !== true)
      this.noteLikeness(entry);
  }

  noteComplete(directory: string): void {
    if (directory !== this.directory) this.row(Listed.directory, directory);
    this.row(Listed.complete, directory);
    this.directory = undefined;
  }

  /** An entry has not been sent after all: its number in the transfer. */
  withdraw(entry: number): void {
    this.withdrawn.add(entry);
  }

  /**
   * What later publications have brought meanwhile is theirs: this transfer has left it alone, also in directories that it has
   * completed.
   *
   * @param lists of these publications
   */
  leaveTo(lists: readonly (readonly ListRow[])[]): void {
    this.laterLists.push(...lists);
  }

  /** The whole list; undefined if it is too long to be kept. */
  finish(): Uint8Array | undefined {
    if (this.length > MOST_BYTES) return undefined;
    this.removeWithdrawn();
    this.removeLater();
    if (this.length > MOST_BYTES) return undefined;
    const body = this.bytes.subarray(0, this.length);
    const check = Buffer.alloc(CHECK_BYTES);
    check.writeUInt32LE(zlib.crc32(body));
    return Buffer.concat([HEADER, body, check]);
  }

  private noteLikeness({ metadata, size }: Entry): void {
    if (this.begin(Listed.likeness)) writeLikeness(metadata, size, this.view, this.length - HASH_BYTES);
  }

  private row(kind: ListedKind, path: string): void {
    if (this.begin(kind)) hashPath(path, this.view, this.length - HASH_BYTES);
  }

  /** Begins a row, whose hash follows; false if the list is too long already. */
  private begin(kind: ListedKind): boolean {
    if (this.length > MOST_BYTES) return false;
    if (this.length + ROW_BYTES > this.bytes.length) {
      const larger = Buffer.alloc(2 * this.bytes.length);
      this.bytes.copy(larger);
      this.bytes = larger;
      this.view = viewOf(larger);
    }
    this.bytes[this.length] = kind;
    this.length += ROW_BYTES;
    return true;
  }

  /** A withdrawn entry is there on the sender, but it is not what was published. */
  private removeWithdrawn(): void {
    if (this.withdrawn.size === 0) return;
    let entry = 0;
    for (let offset = 0; offset < this.length; offset += ROW_BYTES) {
      if (OTHERS.has(this.bytes[offset] ?? 0)) continue;
      if (this.withdrawn.has(entry++)) this.bytes[offset] = Listed.kept;
    }
  }

  private removeLater(): void {
    if (this.laterLists.length === 0) return;
    for (const rows of this.laterLists) {
      const named = new Map(rows.map(({ kind, key }) => [key, kind]));
      const completed = new Set(rows.filter(({ kind }) => kind === Listed.complete).map(({ key }) => key));
      const removed = new Set<number>();
      let directory = 0;
      for (let offset = 0; offset < this.length; offset += ROW_BYTES) {
        const kind = this.bytes[offset] ?? 0;
        const key = keyAt(this.view, offset + 1);
        if (kind === Listed.directory) directory = key;
        if (kind !== Listed.given && kind !== Listed.gone && kind !== Listed.passage) continue;
        const later = named.get(key);
        const isRemoved =
          removed.has(directory) ||
          later === Listed.gone ||
          (completed.has(directory) && (later === undefined || OTHERS.has(later)));
        if (isRemoved) removed.add(key);
        if (isRemoved || later === Listed.given) this.bytes[offset] = Listed.kept;
      }
    }
    for (const rows of this.laterLists) this.nameAll(rows);
  }

  /** Names the entries of another list as ones that are kept. */
  private nameAll(rows: readonly ListRow[]): void {
    for (const { kind, key } of rows) {
      if (kind === Listed.complete || kind === Listed.likeness) continue;
      if (this.begin(kind === Listed.directory ? Listed.directory : Listed.kept))
        writeKey(key, this.view, this.length - HASH_BYTES);
    }
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function kindOf(type: EntryType): ListedKind {
  if (type === EntryType.passage) return Listed.passage;
  if (type === EntryType.gone) return Listed.gone;
  return isNameOnly(type) ? Listed.kept : Listed.given;
}

/** One row of a list. */
export interface ListRow {
  readonly kind: number;
  /** 53 bits of the hash: enough to tell millions of paths apart. */
  readonly key: number;
}

/** The key of a path, as it is in a list. */
export function keyOf(path: string): number {
  const view = new DataView(new ArrayBuffer(HASH_BYTES));
  hashPath(path, view, 0);
  return keyAt(view, 0);
}

/**
 * The key of a file's likeness, as it is in a list.
 *
 * @param sizeBytes of the file
 */
export function likenessOf(metadata: Metadata, sizeBytes: number): number {
  const view = new DataView(new ArrayBuffer(HASH_BYTES));
  writeLikeness(metadata, sizeBytes, view, 0);
  return keyAt(view, 0);
}

function keyAt(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + (view.getUint32(offset + 4, true) & 0x1f_ffff) * 2 ** 32;
}

function writeKey(key: number, view: DataView, offset: number): void {
  view.setUint32(offset, key % 2 ** 32, true);
  view.setUint32(offset + 4, Math.floor(key / 2 ** 32), true);
}

/** The rows of a list; undefined if it is damaged. */
export function readList(bytes: Buffer): ListRow[] | undefined {
  const body = bytes.subarray(HEADER.length, bytes.length - CHECK_BYTES);
  const isWhole =
    bytes.length >= HEADER.length + CHECK_BYTES &&
    bytes.subarray(0, HEADER.length).equals(HEADER) &&
    body.length % ROW_BYTES === 0 &&
    bytes.readUInt32LE(bytes.length - CHECK_BYTES) === zlib.crc32(body);
  if (!isWhole) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const rows: ListRow[] = [];
  for (let offset = 0; offset < body.length; offset += ROW_BYTES)
    rows.push({ kind: view.getUint8(offset), key: keyAt(view, offset + 1) });
  return rows;
}
