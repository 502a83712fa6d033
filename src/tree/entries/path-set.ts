/**
 * A set of paths that needs only a few bytes for each: it holds 64 bits of a hash instead of the path. The chance that
 * two of a million paths have the same hash is less than one in ten million.
 */
export class PathSet {
  /** Two numbers for each place; both are 0 if it is free. */
  private table = new Uint32Array(2 * FIRST_PLACES);
  private count = 0;

  private readonly hashes = new EntryHashes();

  add(path: string): void {
    start(state);
    extend(state, path);
    this.addHash();
  }

  /** Adds an entry of a directory; for many entries in a row this is faster than adding their paths. */
  addIn(directory: string, name: string): void {
    this.hashes.begin(directory, name);
    this.addHash();
  }

  /** Adds paths by the hashes of hashPath(). */
  addHashes(hashes: Uint8Array): void {
    const view = new DataView(hashes.buffer, hashes.byteOffset, hashes.length);
    for (let offset = 0; offset < hashes.length; offset += HASH_BYTES)
      this.insert(view.getUint32(offset, true), view.getUint32(offset + 4, true));
  }

  has(path: string): boolean {
    if (this.count === 0) return false;
    start(state);
    extend(state, path);
    finish(state);
    const place = this.placeOf(state.low, state.high);
    return this.table[place] !== 0 || this.table[place + 1] !== 0;
  }

  private addHash(): void {
    finish(state);
    this.insert(state.low, state.high);
  }

  private insert(low: number, high: number): void {
    if (!this.put(low, high)) return;
    if (4 * ++this.count > this.table.length) this.grow();
  }

  private grow(): void {
    const old = this.table;
    this.table = new Uint32Array(2 * old.length);
    for (let place = 0; place < old.length; place += 2) {
      const [low, high] = [old[place] as number, old[place + 1] as number];
      if (low !== 0 || high !== 0) this.put(low, high);
    }
  }

  /** @returns whether it is new */
  private put(low: number, high: number): boolean {
    const place = this.placeOf(low, high);
    if (this.table[place] !== 0 || this.table[place + 1] !== 0) return false;
    this.table[place] = low;
    this.table[place + 1] = high;
    return true;
  }

  /** The place of a hash, or the free place for it. */
  private placeOf(low: number, high: number): number {
    const mask = this.table.length / 2 - 1;
    for (let index = low & mask; ; index = (index + 1) & mask) {
      const place = 2 * index;
      const [first, second] = [this.table[place], this.table[place + 1]];
      if ((first === low && second === high) || (first === 0 && second === 0)) return place;
    }
  }
}

/** Bytes of the hash of a path. */
export const HASH_BYTES = 8;

/** Hashes entries of directories. For many entries of a directory in a row this is faster than hashing their paths. */
export class EntryHashes {
  /** The directory of the last entry, and the state of the hash after that directory. */
  private directory: string | undefined;
  private readonly reached: HashState = { low: 0, high: 0 };

  /** Hashes an entry, up to finish(). */
  begin(directory: string, name: string): void {
    if (this.directory !== directory) {
      start(this.reached);
      if (directory !== "") extend(this.reached, `${directory}/`);
      this.directory = directory;
    }
    state.low = this.reached.low;
    state.high = this.reached.high;
    extend(state, name);
  }

  /** Writes the hash of an entry's path to `bytes`, at an offset. */
  write(directory: string, name: string, bytes: DataView, offset: number): void {
    this.begin(directory, name);
    finishInto(bytes, offset);
  }
}

/** Writes the hash of a path to `bytes`, at an offset. */
export function hashPath(path: string, bytes: DataView, offset: number): void {
  start(state);
  extend(state, path);
  finishInto(bytes, offset);
}

function finishInto(bytes: DataView, offset: number): void {
  finish(state);
  bytes.setUint32(offset, state.low, true);
  bytes.setUint32(offset + 4, state.high, true);
}

/** The places of the first table, a power of two; it doubles when it is half full. Chosen without measurement. */
const FIRST_PLACES = 1024;

/** Two independent 32-bit hashes of a byte string. */
interface HashState {
  low: number;
  high: number;
}

/** The state of the hash that is being made. */
const state: HashState = { low: 0, high: 0 };

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
