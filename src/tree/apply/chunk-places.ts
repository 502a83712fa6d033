/** Where chunks have been in a file, by their tags. */

/** Slots at first, for some 500 places. */
const FIRST_SLOTS = 1024;

/** Most places that are remembered, some 10 MB; then they are forgotten, and those that follow remembered. */
const MOST_PLACES = 256 * 1024;

/**
 * A table of places in a file. It is a memory for guesses: it holds the first half of each tag only, and who reads a chunk at its place
 * compares all of the tag with what is there. One array for each column takes much less time and memory than an object for each place.
 */
export class ChunkPlaces {
  private slots = FIRST_SLOTS;
  /** The first eight bytes of a tag, in two numbers for each slot. */
  private keys = new Uint32Array(2 * FIRST_SLOTS);
  private offsets = new Float64Array(FIRST_SLOTS);
  /** In bytes; 0 where a slot is free. */
  private lengths = new Uint32Array(FIRST_SLOTS);
  private count = 0;

  /** The place of a chunk, in bytes from the beginning of the file; undefined if none is remembered. */
  find(tag: Uint8Array, length: number): number | undefined {
    const slot = this.slotOf(wordOf(tag, 0), wordOf(tag, 4));
    return this.lengths[slot] === length ? this.offsets[slot] : undefined;
  }

  /** Remembers a place, in the stead of a former one of the same chunk. */
  note(tag: Uint8Array, offset: number, length: number): void {
    if (this.count >= MOST_PLACES) this.clear();
    else if (2 * this.count >= this.slots) this.grow();
    this.put(wordOf(tag, 0), wordOf(tag, 4), offset, length);
  }

  private put(high: number, low: number, offset: number, length: number): void {
    const slot = this.slotOf(high, low);
    if (this.lengths[slot] === 0) this.count++;
    this.keys[2 * slot] = high;
    this.keys[2 * slot + 1] = low;
    this.offsets[slot] = offset;
    this.lengths[slot] = length;
  }

  /** The slot of a tag, or the free one where it belongs. At least half of all slots are free. */
  private slotOf(high: number, low: number): number {
    const { keys, lengths } = this;
    const last = this.slots - 1;
    let slot = high & last;
    while (lengths[slot] !== 0 && (keys[2 * slot] !== high || keys[2 * slot + 1] !== low))
      slot = (slot + 1) & last;
    return slot;
  }

  private grow(): void {
    const { slots, keys, offsets, lengths } = this;
    this.slots = 2 * slots;
    this.clear();
    for (let slot = 0; slot < slots; slot++) {
      const length = lengths[slot] as number;
      if (length > 0)
        this.put(keys[2 * slot] as number, keys[2 * slot + 1] as number, offsets[slot] as number, length);
    }
  }

  private clear(): void {
    this.keys = new Uint32Array(2 * this.slots);
    this.offsets = new Float64Array(this.slots);
    this.lengths = new Uint32Array(this.slots);
    this.count = 0;
  }
}

function wordOf(tag: Uint8Array, at: number): number {
  const [a, b, c, d] = [tag[at] ?? 0, tag[at + 1] ?? 0, tag[at + 2] ?? 0, tag[at + 3] ?? 0];
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}
