/** `ByteWriter` and `ByteReader` for little-endian data, and their `DecodeError`. */
import { assert } from "./assert.ts";

/** Input that ends too early or holds a value out of its range. Code that reads packets counts it and drops them. */
export class DecodeError extends Error {
  override name = "DecodeError";
}

/** Writes integers (little-endian), byte runs and byte strings into a fixed piece of memory. */
export class ByteWriter {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  position = 0;

  /** @param memory where to write, or how many bytes to allocate */
  constructor(memory: Uint8Array | number) {
    this.bytes = typeof memory === "number" ? new Uint8Array(memory) : memory;
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  /** Bytes still free. */
  get room(): number {
    return this.bytes.length - this.position;
  }

  /** What has been written so far, as a view of the same memory. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.position);
  }

  u8(value: number): this {
    this.view.setUint8(this.advance(1), value);
    return this;
  }

  u16(value: number): this {
    this.view.setUint16(this.advance(2), value, true);
    return this;
  }

  u32(value: number): this {
    this.view.setUint32(this.advance(4), value, true);
    return this;
  }

  u64(value: bigint): this {
    this.view.setBigUint64(this.advance(8), value, true);
    return this;
  }

  i64(value: bigint): this {
    this.view.setBigInt64(this.advance(8), value, true);
    return this;
  }

  raw(value: Uint8Array): this {
    this.bytes.set(value, this.advance(value.length));
    return this;
  }

  /** A byte string without its length. */
  text(value: string): this {
    const start = this.advance(value.length);
    for (let index = 0; index < value.length; index++) this.bytes[start + index] = value.charCodeAt(index);
    return this;
  }

  /** A byte string of at most 255 bytes, after its length in one byte. */
  shortText(value: string): this {
    assert(value.length <= 0xff, "a short text has at most 255 bytes");
    return this.u8(value.length).text(value);
  }

  /** A byte string of at most 65,535 bytes, after its length in two bytes. */
  longText(value: string): this {
    assert(value.length <= 0xffff, "a long text has at most 65535 bytes");
    return this.u16(value.length).text(value);
  }

  /** Overwrites two bytes written earlier, for a count that is known only at the end. */
  patchU16(position: number, value: number): void {
    assert(position + 2 <= this.position, "only written bytes can be patched");
    this.view.setUint16(position, value, true);
  }

  private advance(count: number): number {
    assert(this.position + count <= this.bytes.length, "a writer never runs past its memory");
    const start = this.position;
    this.position += count;
    return start;
  }
}

/** Reads data of a ByteWriter. Every method throws DecodeError if the input is too short. */
export class ByteReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.bytes.length - this.position;
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }

  /** One byte that is 0 or 1. */
  flag(): boolean {
    const value = this.u8();
    if (value > 1) throw new DecodeError("a flag is neither 0 nor 1");
    return value === 1;
  }

  u16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  u64(): bigint {
    return this.view.getBigUint64(this.advance(8), true);
  }

  /** A u64 that a number can hold exactly; a larger one causes a DecodeError that names it by `what`. */
  u53(what: string): number {
    const value = Number(this.u64());
    if (!Number.isSafeInteger(value)) throw new DecodeError(`${what} is out of range`);
    return value;
  }

  i64(): bigint {
    return this.view.getBigInt64(this.advance(8), true);
  }

  /** A view of the next bytes, not a copy. */
  raw(count: number): Uint8Array {
    const start = this.advance(count);
    return this.bytes.subarray(start, start + count);
  }

  text(count: number): string {
    let index = this.advance(count);
    let text = "";
    // Four characters a call: each call makes a string that is thrown away.
    for (; index + 4 <= this.position; index += 4) text += fourCharacters(this.bytes, index);
    for (; index < this.position; index++) text += String.fromCharCode(this.bytes[index] as number);
    return text;
  }

  shortText(): string {
    return this.text(this.u8());
  }

  /** Skips a short text if it is this one; otherwise the text can still be read. */
  skipShortText(text: string): boolean {
    const start = this.position + 1;
    if (this.remaining <= text.length || this.bytes[this.position] !== text.length) return false;
    for (let index = 0; index < text.length; index++)
      if (this.bytes[start + index] !== text.charCodeAt(index)) return false;
    this.position = start + text.length;
    return true;
  }

  longText(): string {
    return this.text(this.u16());
  }

  /** Rejects bytes after the end of a message: the same bytes must not have a second reading. */
  expectEnd(): void {
    if (this.remaining !== 0) throw new DecodeError(`${this.remaining} bytes too many`);
  }

  private advance(count: number): number {
    if (count > this.remaining) throw new DecodeError(`${count - this.remaining} bytes too few`);
    const start = this.position;
    this.position += count;
    return start;
  }
}

function fourCharacters(bytes: Uint8Array, start: number): string {
  const [first, second] = [bytes[start] as number, bytes[start + 1] as number];
  return String.fromCharCode(first, second, bytes[start + 2] as number, bytes[start + 3] as number);
}
