/**
 * A second decoder, written from the byte tables of PROTOCOL.md alone. It is slow and plain, and shares nothing with
 * src/wire, so that a mistake would have to be made twice. It returns values in the form of plainOf(). A number that
 * ends too early shows as the RangeError of a DataView; every other fault as Refused. Limits are written out on
 * purpose.
 */
export class Refused extends Error {
  override name = "Refused";
}

/** Every check of these decoders uses this function. */
export function demand(condition: boolean, what: string): void {
  if (!condition) throw new Refused(what);
}

/** Bytes, and how far they have been read. */
export class Cursor {
  readonly view: DataView;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get left(): number {
    return this.view.byteLength - this.at;
  }

  u8(): number {
    this.at += 1;
    return this.view.getUint8(this.at - 1);
  }

  u16(): number {
    this.at += 2;
    return this.view.getUint16(this.at - 2, true);
  }

  u32(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  u64(): bigint {
    return BigInt(this.u32()) + (BigInt(this.u32()) << 32n);
  }

  i64(): bigint {
    const value = this.u64();
    return value >= 1n << 63n ? value - (1n << 64n) : value;
  }

  hex(count: number): string {
    return this.piece(count).toString("hex");
  }

  text(count: number): string {
    return this.piece(count).toString("latin1");
  }

  times<T>(count: number, read: () => T): T[] {
    return Array.from({ length: count }, read);
  }

  private piece(count: number): Buffer {
    demand(count <= this.left, "length");
    this.at += count;
    return Buffer.from(this.view.buffer, this.view.byteOffset + this.at - count, count);
  }
}

export function isOne(value: number): boolean {
  demand(value === 0 || value === 1, "0 or 1");
  return value === 1;
}

export function reason(from: Cursor): string {
  const length = from.u16();
  // The length comes before the text: a reason that is too long is rejected either way.
  demand(length <= 512, "reason");
  return from.text(length);
}
