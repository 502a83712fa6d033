/** A fixed number of bits. */
export class Bitmap {
  readonly size: number;
  readonly bytes: Uint8Array;

  /**
   * @param size how many bits
   * @param bytes their memory, lowest bit of the first byte first; bits after the last one are cleared
   */
  constructor(size: number, bytes: Uint8Array = new Uint8Array((size + 7) >> 3)) {
    this.size = size;
    this.bytes = bytes;
    const used = size & 7;
    if (used !== 0) bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) & ((1 << used) - 1);
  }

  get(index: number): boolean {
    return ((this.bytes[index >> 3] as number) & (1 << (index & 7))) !== 0;
  }

  set(index: number): void {
    this.bytes[index >> 3] = (this.bytes[index >> 3] as number) | (1 << (index & 7));
  }

  /** Adds every bit of another bitmap of the same size. */
  merge(other: Bitmap): void {
    for (let index = 0; index < this.bytes.length; index++) {
      this.bytes[index] = (this.bytes[index] as number) | (other.bytes[index] as number);
    }
  }

  /** How many bits are set. */
  count(): number {
    let total = 0;
    for (const byte of this.bytes) total += bitCount(byte);
    return total;
  }
}

/** How many bits of a 32-bit number are set. */
export function bitCount(value: number): number {
  let bits = value - ((value >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

/** The number of the lowest bit that is set in a 32-bit number other than 0. */
export function lowestBit(value: number): number {
  return 31 - Math.clz32(value & -value);
}
