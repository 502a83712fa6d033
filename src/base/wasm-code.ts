/** Instructions of WebAssembly by their names in its specification, and modules made of them. */

export const WASM_PAGE_BYTES = 65_536;

// Types.
export const I32 = 0x7f;
export const V128 = 0x7b;

// Instructions, as the bytes that stand for them.
export const LOOP: readonly number[] = [0x03, 0x40];
export const BLOCK: readonly number[] = [0x02, 0x40];
export const END = 0x0b;
export const BR = 0x0c;
export const BR_IF = 0x0d;
export const I32_LT_U = 0x49;
export const I32_GT_U = 0x4b;
export const I32_ADD = 0x6a;
export const I32_SHL = 0x74;
export const localGet = (index: number): number[] => [0x20, index];
export const localSet = (index: number): number[] => [0x21, index];
export const localTee = (index: number): number[] => [0x22, index];
/** @param value from 0 to 63: a larger one takes more bytes */
export const i32Const = (value: number): number[] => [0x41, value];
export const i32Load = (offset: number): number[] => [0x28, 2, ...size(offset)];
export const i32Load8U = (offset: number): number[] => [0x2d, 0, ...size(offset)];
export const i32Store = (offset: number): number[] => [0x36, 2, ...size(offset)];
/** Aligned to 1 byte: what the caller gives need not be aligned for the instruction. */
export const v128Load = (offset = 0): number[] => [0xfd, 0x00, 0, offset];
export const v128Store: readonly number[] = [0xfd, 0x0b, 0, 0];
export const swizzle: readonly number[] = [0xfd, 0x0e];
export const i8x16Splat: readonly number[] = [0xfd, 0x0f];
export const v128And: readonly number[] = [0xfd, 0x4e];
export const v128Xor: readonly number[] = [0xfd, 0x51];
export const i8x16ShrU: readonly number[] = [0xfd, 0x6d];

/** A module of one function, and how much memory it has. */
export interface WasmFunction {
  /** How many parameters it has: all of them are numbers of 32 bits. */
  readonly parameters: number;
  /** Whether its result is a number of 32 bits; otherwise it has none. */
  readonly hasResult: boolean;
  /** Its locals and instructions, with the END of the function. */
  readonly code: readonly number[];
  /** Its memory at first, and at most, in pages of WASM_PAGE_BYTES. */
  readonly pages: number;
  readonly mostPages: number;
}

/**
 * Compiles a function.
 *
 * @throws WebAssembly.CompileError if the processor does not have its instructions; RangeError if there is no memory
 */
export function instantiate<F>(made: WasmFunction): { memory: WebAssembly.Memory; run: F } {
  const memory = new WebAssembly.Memory({ initial: made.pages, maximum: made.mostPages });
  const module = new WebAssembly.Module(moduleBytes(made));
  const { exports } = new WebAssembly.Instance(module, { m: { m: memory } });
  return { memory, run: exports["a"] as F };
}

/** A module that imports its memory as "m" of "m", and exports the function as "a". */
function moduleBytes(made: WasmFunction): Uint8Array<ArrayBuffer> {
  const { parameters, hasResult, code, pages, mostPages } = made;
  const section = (id: number, content: readonly number[]) => [id, ...size(content.length), ...content];
  const types = [...Array.from({ length: parameters }, () => I32)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, parameters, ...types, ...(hasResult ? [1, I32] : [0])]),
    ...section(2, [1, 1, 0x6d, 1, 0x6d, 2, 1, ...size(pages), ...size(mostPages)]),
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x61, 0, 0]),
    ...section(10, [1, ...size(code.length), ...code]),
  ]);
}

/** A number in groups of 7 bits, the lowest first. */
function size(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...size(value >>> 7)];
}
