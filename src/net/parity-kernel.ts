/** The inner loop of parity: adds a multiple of some bytes to others, by instructions for 16 bytes at a time. */
import {
  BR_IF,
  END,
  I32_ADD,
  I32_LT_U,
  i32Const,
  i8x16ShrU,
  i8x16Splat,
  instantiate,
  localGet,
  localSet,
  localTee,
  LOOP,
  swizzle,
  V128,
  v128And,
  v128Load,
  v128Store,
  v128Xor,
  WASM_PAGE_BYTES,
} from "../base/wasm-code.ts";
import { product } from "./galois-field.ts";

/**
 * Most processors have an instruction that looks up 16 bytes in a table of 16. A product is the sum of those of the two
 * halves of a byte, so it takes two such tables for each factor. JavaScript has no such instruction, WebAssembly has one: a
 * fragment is added some ten times as fast by it.
 */

/** Two tables of 16 bytes for each factor. */
const TABLE_BYTES = 32;
const FACTORS = 256;

/** The bytes that one step takes. */
export const STEP_BYTES = 16;

/** Memory, and what adds within it. */
export interface ParityKernel {
  readonly bytes: Uint8Array;
  /** Where the memory begins that the caller may use. */
  readonly freeStart: number;
  /**
   * Adds the products of bytes and a factor to other bytes.
   *
   * @param target where the others begin; a multiple of STEP_BYTES, as the rest
   * @param end where the bytes end that begin at `source`
   */
  add(target: number, source: number, end: number, factor: number): void;
}

/** @param freeBytes how much memory the caller needs */
export function parityKernel(freeBytes: number): ParityKernel {
  return wasmKernel(freeBytes) ?? plainKernel(freeBytes);
}

/** @returns undefined where there are no instructions for 16 bytes, or no memory for them */
export function wasmKernel(freeBytes: number): ParityKernel | undefined {
  const freeStart = FACTORS * TABLE_BYTES;
  const pages = Math.ceil((freeStart + freeBytes) / WASM_PAGE_BYTES);
  try {
    const { memory, run } = instantiate<Add>({
      parameters: 4,
      hasResult: false,
      code: FUNCTION,
      pages,
      mostPages: pages,
    });
    const bytes = new Uint8Array(memory.buffer);
    for (let factor = 0; factor < FACTORS; factor++) {
      for (let half = 0; half < 16; half++) {
        bytes[factor * TABLE_BYTES + half] = product(factor, half);
        bytes[factor * TABLE_BYTES + 16 + half] = product(factor, half << 4);
      }
    }
    return {
      bytes,
      freeStart,
      add: (target, source, end, factor) => run(target, source, end, factor * TABLE_BYTES),
    };
  } catch (error) {
    // Or the process may not reserve as much address space as an engine takes for such memory.
    if (error instanceof WebAssembly.CompileError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The same a byte at a time. */
export function plainKernel(freeBytes: number): ParityKernel {
  const bytes = new Uint8Array(freeBytes);
  const tables: Uint8Array[] = [];
  return {
    bytes,
    freeStart: 0,
    add: (target, source, end, factor) => {
      const table = (tables[factor] ??= Uint8Array.from({ length: 256 }, (_, byte) => product(factor, byte)));
      for (let from = source, to = target; from < end; from++, to++)
        bytes[to] = (bytes[to] as number) ^ (table[bytes[from] as number] as number);
    },
  };
}

type Add = (target: number, source: number, end: number, tables: number) => void;

/** The function: parameters and locals by their numbers. */
const [TARGET, SOURCE, SOURCE_END, TABLES, LOW, HIGH, BYTES] = [0, 1, 2, 3, 4, 5, 6] as const;
const FUNCTION = [
  // Three locals of 16 bytes.
  ...[1, 3, V128],
  ...[...localGet(TABLES), ...v128Load(), ...localSet(LOW)],
  ...[...localGet(TABLES), ...v128Load(16), ...localSet(HIGH)],
  ...LOOP,
  ...[...localGet(TARGET), ...localGet(TARGET), ...v128Load()],
  // The products of the lower halves of the bytes, and then those of the upper ones.
  ...[...localGet(LOW), ...localGet(SOURCE), ...v128Load(), ...localTee(BYTES)],
  ...[...i32Const(15), ...i8x16Splat, ...v128And, ...swizzle, ...v128Xor],
  ...[...localGet(HIGH), ...localGet(BYTES), ...i32Const(4), ...i8x16ShrU, ...swizzle, ...v128Xor],
  ...v128Store,
  ...[...localGet(TARGET), ...i32Const(STEP_BYTES), I32_ADD, ...localSet(TARGET)],
  ...[...localGet(SOURCE), ...i32Const(STEP_BYTES), I32_ADD, ...localTee(SOURCE)],
  ...[...localGet(SOURCE_END), I32_LT_U, BR_IF, 0],
  END,
  END,
];
