/** Addresses of shared memory, and giving it back to the kernel. */
import { nativeAddress, nativeFunction } from "./native.ts";

const SYSTEM_PAGE_BYTES = 4096n;
const MADV_DONTNEED = 4;

/**
 * Gives memory back to the kernel as far as it covers whole pages of the system; it reads as zeros then, or as it was.
 * Without the library nothing happens.
 *
 * @param bytes a part of a SharedArrayBuffer that nobody uses at present
 */
export function releaseMemory(bytes: Uint8Array): void {
  const madvise = nativeFunction("int madvise(uintptr_t, size_t, int)");
  const start = addressOf(bytes);
  if (madvise === undefined || start === undefined) return;
  const first = ((start + SYSTEM_PAGE_BYTES - 1n) / SYSTEM_PAGE_BYTES) * SYSTEM_PAGE_BYTES;
  const end = ((start + BigInt(bytes.length)) / SYSTEM_PAGE_BYTES) * SYSTEM_PAGE_BYTES;
  if (end > first) madvise(first, end - first, MADV_DONTNEED);
}

/** Where shared memory begins. It does not move; whoever keeps the address keeps the memory, too. */
export function addressOf(bytes: Uint8Array): bigint | undefined {
  if (!(bytes.buffer instanceof SharedArrayBuffer))
    throw new Error("only shared memory has a lasting address");
  return nativeAddress(bytes);
}
