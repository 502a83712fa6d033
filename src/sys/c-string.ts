/** Strings and paths in the form of the C library. */
import { addressNumberOf } from "./memory.ts";

/** PATH_MAX of Linux. */
const LONGEST_BYTES = 4096;

const bytes = Buffer.from(new SharedArrayBuffer(LONGEST_BYTES + 1));
const otherBytes = Buffer.from(new SharedArrayBuffer(LONGEST_BYTES + 1));
let address: number | undefined;
let otherAddress: number | undefined;

/** A byte string without NUL as a C string, in memory that the next call of this function uses again. */
export function cString(text: string): Buffer {
  fill(bytes, text);
  return bytes;
}

/**
 * The same by its address, for prototypes that have `uintptr_t` in its place: the library takes numbers in less time than buffers.
 * Undefined without the library.
 */
export function cStringAddress(text: string): number | undefined {
  address ??= addressNumberOf(bytes);
  cString(text);
  return address;
}

/** The address of a second C string, for calls that take two of them. */
export function otherCStringAddress(text: string): number | undefined {
  otherAddress ??= addressNumberOf(otherBytes);
  fill(otherBytes, text);
  return otherAddress;
}

/** A path as a C string, in memory of its own. */
export function cPath(path: Buffer): Buffer {
  return Buffer.concat([path, Buffer.alloc(1)]);
}

/** Whether C sees a byte string whole: each character is one byte, and none is NUL. */
export function isCText(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index);
    if (character === 0 || character > 0xff) return false;
  }
  return true;
}

function fill(memory: Buffer, text: string): void {
  if (text.length > LONGEST_BYTES) throw new Error("a name is too long for the system");
  // For names, which are short, this is faster than the method of Buffer.
  for (let index = 0; index < text.length; index++) memory[index] = text.charCodeAt(index);
  memory[text.length] = 0;
}
