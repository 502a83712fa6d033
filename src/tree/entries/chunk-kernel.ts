/** The inner loop of the search for the ends of chunks, in WebAssembly: it takes less than half of the time of JavaScript. */
import {
  BLOCK,
  BR,
  BR_IF,
  END,
  I32,
  I32_ADD,
  I32_GT_U,
  I32_LT_U,
  I32_SHL,
  i32Const,
  i32Load,
  i32Load8U,
  i32Store,
  instantiate,
  localGet,
  localSet,
  localTee,
  LOOP,
  WASM_PAGE_BYTES,
} from "../../base/wasm-code.ts";

/** So many bytes are looked through in one turn of the loop. */
const GROUP_BYTES = 8;

// What the memory begins with: a number of four bytes for each value of a byte, and then the sum at the end of a call.
const SUM_PLACE = 4 * 256;
const FREE_START = SUM_PLACE + 16;

/** The parameters, and locals: the sum of the bytes of a group alone, and the one of all bytes. */
const [INDEX, STOP, SUM, LIMIT, OF_GROUP, NEXT] = [0, 1, 2, 3, 4, 5] as const;

const shifted = (local: number, bits: number) => [...localGet(local), ...i32Const(bits), I32_SHL];

/**
 * Takes a byte of a group, and leaves the loop if a chunk ends with it. No sum waits for the one of the byte before it: each is
 * that of the bytes before the group, and of the bytes of the group.
 */
const step = (place: number) => [
  ...shifted(OF_GROUP, 1),
  ...[...localGet(INDEX), ...i32Load8U(place), ...i32Const(2), I32_SHL, ...i32Load(0)],
  ...[I32_ADD, ...localSet(OF_GROUP)],
  ...[...shifted(SUM, place + 1), ...localGet(OF_GROUP), I32_ADD],
  ...[...localTee(NEXT), ...localGet(LIMIT), I32_LT_U, BR_IF, 1],
];

const FUNCTION = [
  ...[1, 2, I32],
  ...BLOCK,
  ...LOOP,
  ...[...localGet(INDEX), ...localGet(STOP), I32_GT_U, BR_IF, 1],
  ...[...i32Const(0), ...localSet(OF_GROUP)],
  ...Array.from({ length: GROUP_BYTES }, (_, place) => step(place)).flat(),
  ...[...localGet(NEXT), ...localSet(SUM)],
  ...[...localGet(INDEX), ...i32Const(GROUP_BYTES), I32_ADD, ...localSet(INDEX)],
  ...[BR, 0],
  END,
  END,
  ...[...i32Const(0), ...localGet(SUM), ...i32Store(SUM_PLACE)],
  ...[...localGet(INDEX), END],
];

/** @returns where the first group begins in which a chunk ends, or that begins after `stop` */
type Skip = (index: number, stop: number, sum: number, limit: number) => number;

/** Looks through bytes that lie in memory of its own. */
export class ChunkKernel {
  private readonly memory: WebAssembly.Memory;
  private readonly skip: Skip;
  /** All of the memory. */
  private bytes: Uint8Array = new Uint8Array(0);
  /** The sum at the end of the last call. */
  private last: Int32Array = new Int32Array(0);

  private constructor(gear: Uint32Array, mostBytes: number) {
    const { memory, run } = instantiate<Skip>({
      parameters: 4,
      hasResult: true,
      code: FUNCTION,
      pages: 1,
      mostPages: pagesFor(mostBytes),
    });
    this.memory = memory;
    this.skip = run;
    new Uint32Array(memory.buffer).set(gear);
    this.look();
  }

  /**
   * @param gear a number for each value of a byte
   * @param mostBytes how much memory may be asked for
   * @returns undefined where the engine cannot do it, or the process may not reserve as much address space as it takes
   */
  static make(gear: Uint32Array, mostBytes: number): ChunkKernel | undefined {
    return orUndefined(() => new ChunkKernel(gear, mostBytes));
  }

  /** Memory of its own; memory from an earlier call is worthless then. Undefined if there is none. */
  space(length: number): Uint8Array | undefined {
    const missing = FREE_START + length - this.bytes.length;
    if (missing > 0) {
      if (orUndefined(() => this.memory.grow(Math.ceil(missing / WASM_PAGE_BYTES))) === undefined)
        return undefined;
      this.look();
    }
    return this.bytes.subarray(FREE_START, FREE_START + length);
  }

  /** Whether these bytes lie in its memory. */
  holds(bytes: Uint8Array): boolean {
    return bytes.buffer === this.bytes.buffer;
  }

  /**
   * Goes on with the sum of some bytes, up to where a chunk may end.
   *
   * @param bytes in its memory
   * @param limit a chunk ends where the sum is less
   * @returns the index of a byte: no chunk ends before it, and one ends within the next few bytes, or they are the last ones
   */
  seek(bytes: Uint8Array, from: number, end: number, sum: number, limit: number): number {
    const { byteOffset } = bytes;
    return this.skip(byteOffset + from, byteOffset + end - GROUP_BYTES, sum, limit) - byteOffset;
  }

  /** The sum of the bytes before the index that was returned. */
  get sum(): number {
    return this.last[0] as number;
  }

  private look(): void {
    this.bytes = new Uint8Array(this.memory.buffer);
    this.last = new Int32Array(this.memory.buffer, SUM_PLACE, 1);
  }
}

function pagesFor(bytes: number): number {
  return Math.ceil((FREE_START + bytes) / WASM_PAGE_BYTES);
}

function orUndefined<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof WebAssembly.CompileError || error instanceof RangeError) return undefined;
    throw error;
  }
}
