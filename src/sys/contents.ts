/** Reading, writing and closing an open file: pread, pwrite, close. */
import fs from "node:fs";
import os from "node:os";
import { lastErrno, lazyFunction, type NativeFunction } from "./native.ts";
import { systemError } from "./system-error.ts";

/**
 * For small files, what node:fs does around each of these calls takes half as long as the call. A push of thousands of files makes
 * some of them for each file.
 */

const { EINTR } = os.constants.errno;

const pread = lazyFunction("int64_t pread(int, void *, size_t, int64_t)");
const pwrite = lazyFunction("int64_t pwrite(int, const void *, size_t, int64_t)");
const close = lazyFunction("int close(int)");

/** Reads at an offset as much as there is room for; returns the number of bytes, 0 at the end of the file. */
export function readAt(descriptor: number, bytes: Uint8Array, offset: number): number {
  const native = pread();
  if (native === undefined) return fs.readSync(descriptor, bytes, 0, bytes.length, offset);
  return transfer("pread", native, descriptor, bytes, offset);
}

/** Writes at an offset; returns the number of bytes that were written. */
export function writeAt(descriptor: number, bytes: Uint8Array, offset: number): number {
  const native = pwrite();
  if (native === undefined) return fs.writeSync(descriptor, bytes, 0, bytes.length, offset);
  return transfer("pwrite", native, descriptor, bytes, offset);
}

/** Closes a descriptor that openEntry() has opened. */
export function closeDescriptor(descriptor: number): void {
  const native = close();
  if (native === undefined) {
    fs.closeSync(descriptor);
    return;
  }
  // After an interruption the descriptor is closed as well: the number may be that of another file already.
  if (native(descriptor) !== 0 && lastErrno() !== EINTR) throw systemError("close", lastErrno());
}

/** A call that was interrupted by a signal is repeated. */
function transfer(
  call: string,
  native: NativeFunction,
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
): number {
  for (;;) {
    const count = native(descriptor, bytes, bytes.length, offset);
    if (count >= 0) return count;
    if (lastErrno() !== EINTR) throw systemError(call, lastErrno());
  }
}
