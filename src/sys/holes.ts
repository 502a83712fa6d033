/** Finds data and holes of a file (lseek). */
import os from "node:os";
import { lastErrno, nativeFunction } from "./native.ts";
import { statDescriptor } from "./stat.ts";
import { systemError } from "./system-error.ts";

/**
 * Finds data and holes in an open regular file. Holes read as zeros and take no room on the disk. A file system may
 * call a hole data, but never data a hole. If the call is not available, the whole file is data.
 *
 * The calls move the position of the open file, so reads and writes of it must give their offset.
 */

// Numbers of the kernel's interface.
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** Whether the call is available. Even then some file systems have no holes, or do not report them. */
export function canFindHoles(): boolean {
  return lseek() !== undefined;
}

/**
 * The first byte of data at or after an offset.
 *
 * @param offset in bytes, at most the largest safe integer
 * @returns undefined if no data follow. Without the library it is the offset itself, up to the end of the file
 * @throws an error with a code, as node:fs does: EBADF, EINVAL for an invalid offset, ESPIPE for a pipe
 */
export function nextData(descriptor: number, offset: number): number | undefined {
  const found = seek(descriptor, offset, SEEK_DATA);
  if (found === "beyond") return undefined;
  if (found !== "unknown") return found;
  return offset < statDescriptor(descriptor).size ? offset : undefined;
}

/**
 * The first byte of a hole at or after an offset. A file is one hole from its end on: if no other hole follows, the
 * result is the size of the file, and after it the offset itself. Without the library there are no other holes.
 *
 * @param offset in bytes, at most the largest safe integer
 * @throws an error with a code, as nextData() does
 */
export function nextHole(descriptor: number, offset: number): number {
  const found = seek(descriptor, offset, SEEK_HOLE);
  if (found === "beyond") return offset;
  if (found !== "unknown") return found;
  return Math.max(offset, statDescriptor(descriptor).size);
}

/**
 * @returns the position; "beyond" if the offset is not in the file, or only a hole follows; "unknown" if the call is
 *   not available
 */
function seek(descriptor: number, offset: number, whence: number): number | "beyond" | "unknown" {
  const { EINVAL, ENXIO, EOVERFLOW } = os.constants.errno;
  if (!Number.isSafeInteger(offset) || offset < 0) throw systemError("lseek", EINVAL);
  const call = lseek();
  if (call === undefined) return "unknown";
  // The result is a number or, above the safe integers, a BigInt.
  const found: number | bigint = call(descriptor, offset, whence);
  if (found === -1) {
    const errno = lastErrno();
    if (errno === ENXIO) return "beyond";
    // The offset is valid, so the file system does not support the question.
    if (errno === EINVAL) return "unknown";
    throw systemError("lseek", errno);
  }
  if (!Number.isSafeInteger(found)) throw systemError("lseek", EOVERFLOW);
  return found;
}

function lseek() {
  return nativeFunction("int64_t lseek(int, int64_t, int)");
}
