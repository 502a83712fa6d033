import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { DecodeError } from "../../src/base/bytes.ts";
import { bytesOfHex, hexOf } from "../../src/base/hex.ts";
import { joined } from "./mutate.ts";
import { Refused } from "./naive-cursor.ts";
import { type Plain, plainOf, valueOf } from "./plain.ts";

/**
 * Test vectors: files that list values with their bytes, and bytes that must be rejected with their error. Another
 * implementation can be tested against them, too.
 *
 * `UPDATE_VECTORS=1 node --test test/wire/vectors.test.ts` writes the bytes again: those of the good vectors from their
 * values, those of the bad ones from the good vector that they name and the change to it. So a new vector needs no
 * bytes written by hand.
 */

interface GoodVector {
  readonly name: string;
  readonly value: Plain;
  readonly hex: string;
}

interface BadVector {
  readonly name: string;
  /** The good vector that it is made from: cut off, overwritten or lengthened. Absent if the bytes stand alone. */
  readonly from?: string;
  readonly cut?: number;
  readonly put?: readonly { readonly at: number; readonly hex: string }[];
  readonly append?: string;
  readonly hex: string;
  readonly error: string;
}

interface VectorFile {
  readonly about: string;
  readonly good: readonly GoodVector[];
  readonly bad: readonly BadVector[];
}

/** One kind of value on the wire. */
export interface Codec<T> {
  readonly encode: (value: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => T;
  readonly naive: (bytes: Uint8Array) => Plain;
}

const isUpdating = process.env["UPDATE_VECTORS"] === "1";

/** Declares a test for each vector of a file in this folder. */
export function testVectors<T>(fileName: string, codec: Codec<T>): void {
  const file = path.join(import.meta.dirname, "vectors", fileName);
  let vectors = JSON.parse(readFileSync(file, "utf8")) as VectorFile;
  if (isUpdating) {
    vectors = updated(vectors, codec);
    writeFileSync(file, `${JSON.stringify(vectors, undefined, 2)}\n`);
  }
  for (const vector of vectors.good) test(`${fileName}: ${vector.name}`, () => checkGood(vector, codec));
  for (const vector of vectors.bad)
    test(`${fileName}: ${vector.name} is refused`, () => checkBad(vector, codec));
}

function checkGood<T>(vector: GoodVector, codec: Codec<T>): void {
  const bytes = bytesOfHex(vector.hex);
  assert.deepEqual(plainOf(codec.decode(bytes)), vector.value);
  assert.deepEqual(codec.naive(bytes), vector.value, "by the naive decoder");
  assert.equal(hexOf(codec.encode(valueOf(vector.value) as T)), vector.hex);
}

function checkBad<T>(vector: BadVector, codec: Codec<T>): void {
  const bytes = bytesOfHex(vector.hex);
  assert.throws(() => codec.decode(bytes), new DecodeError(vector.error));
  assert.throws(
    () => codec.naive(bytes),
    (error) => error instanceof Refused || error instanceof RangeError,
  );
}

function updated<T>(vectors: VectorFile, codec: Codec<T>): VectorFile {
  const good = vectors.good.map((one) => ({ ...one, hex: hexOf(codec.encode(valueOf(one.value) as T)) }));
  const bad = vectors.bad.map((one) => ({
    ...one,
    hex: one.from === undefined ? one.hex : damaged(one, good),
  }));
  return { ...vectors, good, bad };
}

function damaged(vector: BadVector, good: readonly GoodVector[]): string {
  const whole = good.find((one) => one.name === vector.from);
  assert.ok(whole, `there is no vector ${vector.from} to make '${vector.name}' from`);
  const bytes = bytesOfHex(whole.hex).slice(0, vector.cut);
  for (const { at, hex } of vector.put ?? []) bytes.set(bytesOfHex(hex), at);
  return hexOf(joined(bytes, bytesOfHex(vector.append ?? "")));
}
