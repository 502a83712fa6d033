/** Addresses of shared memory, and giving memory back to the kernel. */
import { nativeAddress, nativeFunction } from "./native.ts";

/** The smallest page of Linux. Kernels with larger pages may refuse to take such a range back. */
const SYSTEM_PAGE_BYTES = 4096n;
const MADV_DONTNEED = 4;

/**
 * Gives memory back to the kernel, as far as it covers whole pages of the system. It then reads as zeros, or as before.
 * Without the library nothing happens.
 *
 * @param bytes a part of a SharedArrayBuffer that is not in use
 */
export function releaseMemory(bytes: Uint8Array): void {
  const madvise = nativeFunction("int madvise(uintptr_t, size_t, int)");
  const start = addressOf(bytes);
  if (madvise === undefined || start === undefined) return;
  const first = ((start + SYSTEM_PAGE_BYTES - 1n) / SYSTEM_PAGE_BYTES) * SYSTEM_PAGE_BYTES;
  const end = ((start + BigInt(bytes.length)) / SYSTEM_PAGE_BYTES) * SYSTEM_PAGE_BYTES;
  if (end > first) madvise(first, end - first, MADV_DONTNEED);
}

/** The start of shared memory. It does not move; a caller that keeps the address must keep the memory, too. */
export function addressOf(bytes: Uint8Array): bigint | undefined {
  if (!(bytes.buffer instanceof SharedArrayBuffer))
    throw new Error("only shared memory has a lasting address");
  return nativeAddress(bytes);
}

/**
 * The same as a number, which the library takes in less time. Addresses have at most 57 bits in theory, and 47 where nobody asks for
 * more.
 */
export function addressNumberOf(bytes: Uint8Array): number | undefined {
  const address = addressOf(bytes);
  return address === undefined ? undefined : Number(address);
}
