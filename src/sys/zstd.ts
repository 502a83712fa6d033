/** zstd into memory that is there already, by the library inside Node. */
import { nativeFunction, type NativeFunction } from "./native.ts";

/**
 * zstd by the library that is part of Node itself. node:zlib takes a context and memory for the result at each call: unpacking takes
 * twice as long, and collecting what is left over as long again.
 */

interface Calls {
  readonly compress: NativeFunction;
  readonly decompress: NativeFunction;
  readonly frameBytes: NativeFunction;
  /** One of each kind serves all frames of a thread. */
  readonly compressContext: unknown;
  readonly decompressContext: unknown;
}

let calls: Calls | undefined;
let hasTried = false;

/** Whether this thread can compress and unpack by these functions. */
export function hasNativeZstd(): boolean {
  return load() !== undefined;
}

/**
 * Compresses bytes into one frame that tells their size.
 *
 * @param target where the frame goes
 * @returns its length in bytes; undefined if it does not fit
 */
export function compressInto(target: Uint8Array, bytes: Uint8Array, level: number): number | undefined {
  const { compress, compressContext } = loaded();
  const length = compress(compressContext, target, target.length, bytes, bytes.length, level);
  return length < 0 ? undefined : length;
}

/**
 * Unpacks one frame.
 *
 * @returns how many bytes it had; undefined if it is damaged, not the only one, or has more than there is room for
 */
export function unpackInto(target: Uint8Array, frame: Uint8Array): number | undefined {
  const { decompress, frameBytes, decompressContext } = loaded();
  if (frameBytes(frame, frame.length) !== frame.length) return undefined;
  const length = decompress(decompressContext, target, target.length, frame, frame.length);
  return length < 0 ? undefined : length;
}

function loaded(): Calls {
  const found = load();
  if (found === undefined) throw new Error("zstd cannot be called here");
  return found;
}

function load(): Calls | undefined {
  if (!hasTried) calls = lookUp();
  hasTried = true;
  return calls;
}

/** Lengths are asked for as signed numbers: an error is a small negative one then. */
function lookUp(): Calls | undefined {
  const compress = nativeFunction(
    "intptr_t ZSTD_compressCCtx(void *, void *, size_t, const void *, size_t, int)",
  );
  const decompress = nativeFunction(
    "intptr_t ZSTD_decompressDCtx(void *, void *, size_t, const void *, size_t)",
  );
  const frameBytes = nativeFunction("intptr_t ZSTD_findFrameCompressedSize(const void *, size_t)");
  const compressContext = nativeFunction("void *ZSTD_createCCtx()")?.() as unknown;
  const decompressContext = nativeFunction("void *ZSTD_createDCtx()")?.() as unknown;
  if (!compress || !decompress || !frameBytes || !compressContext || !decompressContext) return undefined;
  return { compress, decompress, frameBytes, compressContext, decompressContext };
}
