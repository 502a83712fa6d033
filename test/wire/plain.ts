import { Bitmap } from "../../src/base/bitmap.ts";
import { bytesOfHex, hexOf } from "../../src/base/hex.ts";

/**
 * A decoded value as JSON can hold it, the form of the test vectors and of the naive decoder: bytes as hexadecimal
 * digits, 64-bit numbers as decimal ones, a bitmap as its size and the bits that are set, null for undefined.
 */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

export function plainOf(value: unknown): Plain {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object") return value as boolean | number | string;
  if (value instanceof Uint8Array) return hexOf(value);
  if (value instanceof Bitmap) return { size: value.size, set: setBits(value) };
  if (Array.isArray(value)) return value.map(plainOf);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plainOf(field)]));
}

const BYTES = new Set(["bytes", "payload", "differences", "digest", "tag", "chunkKey", "value"]);
const MAY_LACK = new Set([
  "metadata",
  "differences",
  "terms",
  "extras",
  "digest",
  "allocated",
  "device",
  "attributes",
]);

/** Converts a plain value back. The name of a field tells its type. */
export function valueOf(plain: Plain, name = ""): unknown {
  if (name === "mtimeNs" || name === "counter") return BigInt(plain as string);
  // The digest of a log is text everywhere; that of a file has 32 bytes.
  const isOfLog = name === "digest" && (plain as string | null)?.length === 16;
  if (plain !== null && BYTES.has(name) && !isOfLog) return bytesOfHex(plain as string);
  if (plain === null && MAY_LACK.has(name)) return undefined;
  if (plain === null || typeof plain !== "object") return plain;
  if (Array.isArray(plain)) return plain.map((item: Plain) => valueOf(item));
  if (isBitmap(plain)) return bitmapOf(plain.size, plain.set);
  return Object.fromEntries(Object.entries(plain).map(([field, value]) => [field, valueOf(value, field)]));
}

export function bitmapOf(size: number, set: readonly number[]): Bitmap {
  const bitmap = new Bitmap(size);
  for (const index of set) bitmap.set(index);
  return bitmap;
}

function setBits(bitmap: Bitmap): number[] {
  return Array.from({ length: bitmap.size }, (_, index) => index).filter((index) => bitmap.get(index));
}

function isBitmap(plain: object): plain is { size: number; set: number[] } {
  return "set" in plain && "size" in plain;
}
