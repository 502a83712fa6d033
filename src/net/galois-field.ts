/** Arithmetic in the field of 256 elements that parity is computed in (PROTOCOL.md 2.1). */
import { assert } from "../base/assert.ts";

/** x⁸ + x⁴ + x³ + x² + 1, the polynomial that most programs for Reed-Solomon use: x generates all elements but 0. */
const POLYNOMIAL = 0x11d;

/** All elements but 0. */
const ORDER = 255;

/** Powers of x, twice in a row so that a sum of two exponents needs no remainder; and the exponent of each element. */
const powers = new Uint8Array(2 * ORDER);
const exponents = new Uint8Array(ORDER + 1);

for (let exponent = 0, power = 1; exponent < ORDER; exponent++) {
  powers[exponent] = powers[exponent + ORDER] = power;
  exponents[power] = exponent;
  power <<= 1;
  if (power > ORDER) power ^= POLYNOMIAL;
}

/** The product of two elements. */
export function product(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return powers[(exponents[a] as number) + (exponents[b] as number)] as number;
}

/** The quotient of two elements; the second one is not 0. */
export function quotient(a: number, b: number): number {
  assert(b !== 0, "nothing is divided by 0");
  if (a === 0) return 0;
  return powers[(exponents[a] as number) + ORDER - (exponents[b] as number)] as number;
}

/**
 * The inverse of a square matrix.
 *
 * @param rows is used up
 */
export function inverse(rows: Uint8Array[]): Uint8Array[] {
  const size = rows.length;
  const inverted = rows.map((_, index) => {
    const row = new Uint8Array(size);
    row[index] = 1;
    return row;
  });
  for (let column = 0; column < size; column++) {
    const pivot = rows.findIndex((row, index) => index >= column && row[column] !== 0);
    assert(pivot >= 0, "the matrix can be inverted");
    for (const matrix of [rows, inverted]) {
      const [upper, lower] = [matrix[column] as Uint8Array, matrix[pivot] as Uint8Array];
      matrix[column] = lower;
      matrix[pivot] = upper;
    }
    clearColumn(rows, inverted, column);
  }
  return inverted;
}

/** Makes the column 1 in its own row, and 0 in all others. */
function clearColumn(rows: readonly Uint8Array[], inverted: readonly Uint8Array[], column: number): void {
  const pair = [rows[column] as Uint8Array, inverted[column] as Uint8Array];
  const pivot = pair[0]?.[column] as number;
  for (const row of pair)
    for (let at = 0; at < row.length; at++) row[at] = quotient(row[at] as number, pivot);
  for (let index = 0; index < rows.length; index++) {
    if (index === column) continue;
    const factor = rows[index]?.[column] as number;
    [rows, inverted].forEach((matrix, which) => {
      const row = matrix[index] as Uint8Array;
      const from = pair[which] as Uint8Array;
      for (let at = 0; at < row.length; at++)
        row[at] = (row[at] as number) ^ product(factor, from[at] as number);
    });
  }
}
