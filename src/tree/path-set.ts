/**
 * A set of paths that takes a few bytes for each: it holds 64 bits of a hash and not the path. That two of a million paths
 * have the same one is less likely than one in ten million.
 */
export class PathSet {
  /** Two numbers for each place; both are 0 where it is free. */
  private table = new Uint32Array(2 * FIRST_PLACES);
  private count = 0;

  add(path: string): void {
    const [low, high] = hashOf(path);
    if (!this.put(low, high)) return;
    if (4 * ++this.count > this.table.length) this.grow();
  }

  has(path: string): boolean {
    if (this.count === 0) return false;
    const [low, high] = hashOf(path);
    const place = this.placeOf(low, high);
    return this.table[place] !== 0 || this.table[place + 1] !== 0;
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

  /** Where a hash stands, or the free place where it belongs. */
  private placeOf(low: number, high: number): number {
    const mask = this.table.length / 2 - 1;
    for (let index = low & mask; ; index = (index + 1) & mask) {
      const place = 2 * index;
      const [first, second] = [this.table[place], this.table[place + 1]];
      if ((first === low && second === high) || (first === 0 && second === 0)) return place;
    }
  }
}

const FIRST_PLACES = 1024;

/** Two independent 32-bit hashes of a byte string, never both 0. */
function hashOf(path: string): [number, number] {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let index = 0; index < path.length; index++) {
    const byte = path.charCodeAt(index);
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x5bd1e995);
    high ^= high >>> 15;
  }
  low = mixed(low);
  high = mixed(high);
  return [low === 0 && high === 0 ? 1 : low, high];
}

function mixed(hash: number): number {
  let value = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
