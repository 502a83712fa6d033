/** The inner loop of parity: adds a multiple of some bytes to others, by instructions for 16 bytes at a time. */
import { product } from "./galois-field.ts";

/**
 * Most processors have an instruction that looks up 16 bytes in a table of 16. A product is the sum of those of the two
 * halves of a byte, so it takes two such tables for each factor. JavaScript has no such instruction, WebAssembly has one: a
 * fragment is added some ten times as fast by it.
 */

/** Two tables of 16 bytes for each factor. */
const TABLE_BYTES = 32;
const FACTORS = 256;
const WASM_PAGE_BYTES = 65_536;

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
    const { memory, add } = instantiate(pages);
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
      add: (target, source, end, factor) => add(target, source, end, factor * TABLE_BYTES),
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

function instantiate(pages: number): { memory: WebAssembly.Memory; add: Add } {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const module = new WebAssembly.Module(moduleBytes(pages));
  const { exports } = new WebAssembly.Instance(module, { m: { m: memory } });
  return { memory, add: exports["a"] as Add };
}

// Instructions and types of WebAssembly, by their names in its specification.
const I32 = 0x7f;
const V128 = 0x7b;
const LOOP = [0x03, 0x40];
const END = 0x0b;
const BR_IF = 0x0d;
const I32_LT_U = 0x49;
const I32_ADD = 0x6a;
const localGet = (index: number) => [0x20, index];
const localSet = (index: number) => [0x21, index];
const localTee = (index: number) => [0x22, index];
const i32Const = (value: number) => [0x41, value];
/** Aligned to 1 byte: what the caller gives need not be aligned for the instruction. */
const v128Load = (offset = 0) => [0xfd, 0x00, 0, offset];
const v128Store = [0xfd, 0x0b, 0, 0];
const swizzle = [0xfd, 0x0e];
const i8x16Splat = [0xfd, 0x0f];
const v128And = [0xfd, 0x4e];
const v128Xor = [0xfd, 0x51];
const i8x16ShrU = [0xfd, 0x6d];

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

/** A module that imports its memory as "m" of "m", and exports the function as "a". */
function moduleBytes(pages: number): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: readonly number[]) => [id, ...size(content.length), ...content];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // A function type with four parameters and no result.
    ...section(1, [1, 0x60, 4, I32, I32, I32, I32, 0]),
    ...section(2, [1, 1, 0x6d, 1, 0x6d, 2, 1, ...size(pages), ...size(pages)]),
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x61, 0, 0]),
    ...section(10, [1, ...size(FUNCTION.length), ...FUNCTION]),
  ]);
}

/** A number in groups of 7 bits, the lowest first. */
function size(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...size(value >>> 7)];
}
