/** Sets of paths, and the hashes that they hold. */
import { directoryOf } from "../../wire/path-rules.ts";

/**
 * A set of paths that needs only a few bytes for each: it holds 64 bits of a hash instead of the path. The chance that
 * two of a million paths have the same hash is less than one in ten million.
 *
 * Most sets of a transfer get a path for each entry, and are never asked for one: only another transfer that commits meanwhile asks.
 * So what is added is only laid down in a row, and the table is made when somebody asks. A path that is
 * added again takes eight bytes until then, so addWay() asks first.
 */
export class PathSet {
  /** Two numbers for each place; both are 0 if it is free. */
  private table: Uint32Array | undefined;
  private count = 0;
  /** Hashes that are not in the table yet: full rows, and the one that is being filled. */
  private rows: Uint32Array[] = [];
  private row: Uint32Array = NO_ROW;
  private filled = 0;

  add(path: string): void {
    start(state);
    extend(state, path);
    finish(state);
    this.put(state.low, state.high);
  }

  /** Adds an entry of a directory; for many entries in a row this is faster than adding their paths. */
  addIn(directory: string, name: string): void {
    const { low, high } = hashOfEntry(directory, name);
    this.put(low, high);
  }

  /** Adds a directory and all above it, without the base directory, up to the first one that is in the set. */
  addWay(directory: string): void {
    for (let way = directory; way !== "" && !this.has(way); way = directoryOf(way)) this.add(way);
  }

  /** Adds paths by the hashes of hashPath(). */
  addHashes(hashes: Uint8Array): void {
    const view = new DataView(hashes.buffer, hashes.byteOffset, hashes.length);
    for (let offset = 0; offset < hashes.length; offset += HASH_BYTES)
      this.put(view.getUint32(offset, true), view.getUint32(offset + 4, true));
  }

  has(path: string): boolean {
    if (this.filled > 0) this.settle();
    if (this.table === undefined) return false;
    start(state);
    extend(state, path);
    finish(state);
    const place = placeOf(this.table, state.low, state.high);
    return this.table[place] !== 0 || this.table[place + 1] !== 0;
  }

  private put(low: number, high: number): void {
    if (this.filled === this.row.length) this.beginRow();
    this.row[this.filled++] = low;
    this.row[this.filled++] = high;
  }

  private beginRow(): void {
    if (this.filled > 0) this.rows.push(this.row);
    this.row = new Uint32Array(Math.min(MOST_NUMBERS, Math.max(FIRST_NUMBERS, 2 * this.row.length)));
    this.filled = 0;
  }

  /** Puts all that was added into the table. */
  private settle(): void {
    for (const row of this.rows) this.settleRow(row, row.length);
    this.settleRow(this.row, this.filled);
    this.rows = [];
    this.filled = 0;
  }

  /** One row after the other: of many that repeat the same paths, the table has room for those of one too many at the most. */
  private settleRow(row: Uint32Array, filled: number): void {
    this.table = this.grownFor(this.count + filled / 2);
    this.count += insert(this.table, row, filled);
  }

  /** A table that is at most half full with so many hashes, with those of the present one. */
  private grownFor(count: number): Uint32Array {
    const { table } = this;
    let length = table?.length ?? FIRST_NUMBERS;
    while (4 * count > length) length *= 2;
    if (length === table?.length) return table;
    const larger = new Uint32Array(length);
    if (table !== undefined) insert(larger, table, table.length);
    return larger;
  }
}

/**
 * Puts hashes into a table that has room for them.
 *
 * @param filled numbers of `hashes` that count; places that are free in a table do not
 * @returns how many of them are new
 */
function insert(table: Uint32Array, hashes: Uint32Array, filled: number): number {
  let count = 0;
  for (let index = 0; index < filled; index += 2) {
    const [low, high] = [hashes[index] as number, hashes[index + 1] as number];
    if (low === 0 && high === 0) continue;
    const place = placeOf(table, low, high);
    if (table[place] !== 0 || table[place + 1] !== 0) continue;
    table[place] = low;
    table[place + 1] = high;
    count++;
  }
  return count;
}

/** The place of a hash, or the free place for it. */
function placeOf(table: Uint32Array, low: number, high: number): number {
  const mask = table.length / 2 - 1;
  for (let index = low & mask; ; index = (index + 1) & mask) {
    const place = 2 * index;
    const [first, second] = [table[place], table[place + 1]];
    if ((first === low && second === high) || (first === 0 && second === 0)) return place;
  }
}

/** Bytes of the hash of a path. */
export const HASH_BYTES = 8;

/** Writes the hash of an entry's path to `bytes`, at an offset; faster than hashPath() for many entries of a directory in a row. */
export function hashEntry(directory: string, name: string, bytes: DataView, offset: number): void {
  const { low, high } = hashOfEntry(directory, name);
  bytes.setUint32(offset, low, true);
  bytes.setUint32(offset + 4, high, true);
}

/** Writes the hash of a path to `bytes`, at an offset. */
export function hashPath(path: string, bytes: DataView, offset: number): void {
  start(state);
  extend(state, path);
  finish(state);
  bytes.setUint32(offset, state.low, true);
  bytes.setUint32(offset + 4, state.high, true);
}

/** Numbers in the first row and the first table, a power of two. Chosen without measurement. */
const FIRST_NUMBERS = 64;
/** Numbers in the longest row: 64 KiB. */
const MOST_NUMBERS = 16_384;
const NO_ROW = new Uint32Array(0);

/** Two independent 32-bit hashes of a byte string. */
interface HashState {
  low: number;
  high: number;
}

/** The state of the hash that is being made. */
const state: HashState = { low: 0, high: 0 };

/** The directory of the last entry, and the state of a hash after it. */
let lastDirectory: string | undefined;
const reached: HashState = { low: 0, high: 0 };
/** The last entry in it, and its hash: the parts of a transfer note each entry one after the other. */
let lastName: string | undefined;
const lastHash: HashState = { low: 0, high: 0 };

/** The hash of an entry's path; it is good until the next call. */
function hashOfEntry(directory: string, name: string): Readonly<HashState> {
  if (directory !== lastDirectory) {
    start(reached);
    if (directory !== "") extend(reached, `${directory}/`);
    lastDirectory = directory;
  } else if (name === lastName) return lastHash;
  lastHash.low = reached.low;
  lastHash.high = reached.high;
  extend(lastHash, name);
  finish(lastHash);
  lastName = name;
  return lastHash;
}

function start(hash: HashState): void {
  hash.low = 0x811c9dc5;
  hash.high = 0x9747b28c;
}

function extend(hash: HashState, bytes: string): void {
  let { low, high } = hash;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes.charCodeAt(index);
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x5bd1e995);
    high ^= high >>> 15;
  }
  hash.low = low;
  hash.high = high;
}

/** Ends a hash; its two halves are never both 0. */
function finish(hash: HashState): void {
  hash.low = mixed(hash.low);
  hash.high = mixed(hash.high);
  if (hash.low === 0 && hash.high === 0) hash.low = 1;
}

function mixed(hash: number): number {
  let value = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
