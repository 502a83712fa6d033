/** Compresses and unpacks segments of contents, by the zstd of Node. */
import zlib from "node:zlib";
import { ByteReader, DecodeError } from "../../base/bytes.ts";
import { compressInto, hasNativeZstd, unpackInto } from "../../sys/zstd.ts";
import { UNPACKED_BYTES } from "../../wire/limits.ts";

/** Whether a sender compresses: where it waits for the network, always, or never. */
export type CompressionMode = "auto" | "yes" | "no";

const { ZSTD_c_compressionLevel } = zlib.constants;

/**
 * How hard zstd tries. In pieces of 64 KiB, source text gets 3.8, 4.1 and 4.3 times smaller, an executable 2.4, 2.5 and 2.6 times,
 * at some 320, 250 and 105 MB/s.
 */
export type CompressionLevel = 1 | 3 | 5;

/** The output of one call fits into one piece of memory: with Node's 16 KiB, pieces would be put together. */
const COMPRESS_OPTIONS = {
  1: compressOptions(1),
  3: compressOptions(3),
  5: compressOptions(5),
};

function compressOptions(level: CompressionLevel): zlib.ZstdOptions {
  return { params: { [ZSTD_c_compressionLevel]: level }, chunkSize: UNPACKED_BYTES + 1024 };
}

/** The beginning of a frame: its magic number, and the bits of its descriptor (RFC 8878, 3.1.1.1). */
const MAGIC = 0xfd2fb528;
const SINGLE_SEGMENT = 0x20;
const UNUSED_OR_DICTIONARY = 0x1b;

/** The least that Node takes. */
const LEAST_CHUNK_BYTES = 64;

/** Contents that get less than this share smaller are not worth the time to unpack them. */
const LEAST_SAVED = 1 / 16;

/** Where segments are unpacked: made when it is needed, one for each thread. */
let unpackedMemory: Uint8Array | undefined;

/**
 * Compresses segments.
 *
 * @param memory for the frame, which may be no longer than it
 * @returns the frame; undefined if it is hardly smaller
 */
export function compress(
  segments: Uint8Array,
  level: CompressionLevel,
  memory: Uint8Array,
): Uint8Array | undefined {
  const mostBytes = Math.min(memory.length, Math.floor(segments.length * (1 - LEAST_SAVED)));
  if (!hasNativeZstd()) {
    const frame = zlib.zstdCompressSync(segments, COMPRESS_OPTIONS[level]);
    return frame.length <= mostBytes ? frame : undefined;
  }
  const length = compressInto(memory.subarray(0, mostBytes), segments, level);
  return length === undefined ? undefined : memory.subarray(0, length);
}

/**
 * Unpacks a compressed segment (PROTOCOL.md 6.2).
 *
 * @returns what was in it, which the next call overwrites
 * @throws DecodeError if it is no whole frame, or says that it would have more than `mostBytes`
 */
export function unpack(frame: Uint8Array, mostBytes: number): Uint8Array {
  const unpackedBytes = unpackedBytesOf(new ByteReader(frame));
  if (unpackedBytes > mostBytes) throw new DecodeError("a compressed segment is too large");
  if (!hasNativeZstd()) return unpackByNode(frame, unpackedBytes);
  unpackedMemory ??= new Uint8Array(UNPACKED_BYTES);
  const target = unpackedMemory.subarray(0, unpackedBytes);
  if (unpackInto(target, frame) !== unpackedBytes) throw damaged();
  return target;
}

function unpackByNode(frame: Uint8Array, unpackedBytes: number): Uint8Array {
  const options = {
    chunkSize: Math.max(LEAST_CHUNK_BYTES, unpackedBytes),
    maxOutputLength: Math.max(1, unpackedBytes),
    info: true,
  };
  const { buffer, engine } = decompress(frame, options);
  if (engine.bytesWritten !== frame.length || buffer.length !== unpackedBytes) throw damaged();
  return buffer;
}

/** What Node gives with the option "info". */
interface Unpacked {
  readonly buffer: Buffer;
  /** How many bytes it has taken. */
  readonly engine: { readonly bytesWritten: number };
}

function decompress(frame: Uint8Array, options: zlib.ZstdOptions): Unpacked {
  try {
    // The types of Node do not know that "info" changes what is returned.
    return zlib.zstdDecompressSync(frame, options) as unknown as Unpacked;
  } catch {
    throw damaged();
  }
}

/** The size that a frame tells of itself. Nothing is allocated before it is known. */
function unpackedBytesOf(reader: ByteReader): number {
  const magic = reader.u32();
  const descriptor = reader.u8();
  // Of a single segment, the window is no larger than the contents.
  const isPlain = (descriptor & (SINGLE_SEGMENT | UNUSED_OR_DICTIONARY)) === SINGLE_SEGMENT;
  if (magic !== MAGIC || !isPlain) throw damaged();
  switch (descriptor >> 6) {
    case 0:
      return reader.u8();
    case 1:
      return 256 + reader.u16();
    case 2:
      return reader.u32();
    default:
      throw new DecodeError("a compressed segment is too large");
  }
}

function damaged(): DecodeError {
  return new DecodeError("a compressed segment is damaged");
}
