/** Addresses of shared memory, and giving memory back to the kernel. */
import fs from "node:fs";
import { nativeAddress, nativeFunction } from "./native.ts";

/** The smallest page of Linux. Kernels with larger pages may refuse to take such a range back. */
const SYSTEM_PAGE_BYTES = 4096n;
const MADV_DONTNEED = 4;

/** The first line of a mapping that is neither written nor shared: its start, its end, and the file. */
const READ_ONLY_MAPPING = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p [0-9a-f]+ \S+ [1-9]\d* +(.*)$/;

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

/**
 * Takes the executable out of this process's memory. Most of it is needed for the start alone; what is needed again comes back
 * from the kernel's memory of the file as it is used. Only parts that have never been written are taken, so nothing gets
 * lost. Without the library nothing happens.
 */
export function releaseExecutable(): void {
  const madvise = nativeFunction("int madvise(uintptr_t, size_t, int)");
  if (madvise === undefined) return;
  const executable = fs.readlinkSync("/proc/self/exe");
  let mapping: [start: bigint, bytes: bigint] | undefined;
  for (const line of fs.readFileSync("/proc/self/smaps", "utf8").split("\n")) {
    if (/^[0-9a-f]+-/.test(line)) {
      const [, start, end, file] = READ_ONLY_MAPPING.exec(line) ?? [];
      mapping =
        file === executable ? [BigInt(`0x${start}`), BigInt(`0x${end}`) - BigInt(`0x${start}`)] : undefined;
    } else if (mapping !== undefined && /^Anonymous: +0 kB$/.test(line)) madvise(...mapping, MADV_DONTNEED);
  }
}

/** The start of shared memory. It does not move; a caller that keeps the address must keep the memory, too. */
export function addressOf(bytes: Uint8Array): bigint | undefined {
  if (!(bytes.buffer instanceof SharedArrayBuffer))
    throw new Error("only shared memory has a lasting address");
  return nativeAddress(bytes);
}
