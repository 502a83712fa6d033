/** Where a file has data and where holes (lseek). */
import os from "node:os";
import { lastErrno, nativeFunction } from "./native.ts";
import { statDescriptor } from "./stat.ts";
import { systemError } from "./system-error.ts";

/**
 * Where an open regular file has data and where holes, which read as zeros and take no room. A file system may call a
 * hole data, but never data a hole. Where the question cannot be asked, the whole file is data.
 *
 * The calls move the position of the open file: who reads or writes it has to say where.
 */

const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** Whether holes can be told from data at all. Even then some file systems have none, or do not say. */
export function canFindHoles(): boolean {
  return lseek() !== undefined;
}

/**
 * The first byte at or behind an offset that is data.
 *
 * @param offset in bytes, at most the largest safe integer
 * @returns undefined where no data follow. Without the library that is the offset itself, up to the end of the file
 * @throws an error with a code, as node:fs does: EBADF, EINVAL for what is no offset, ESPIPE for a pipe
 */
export function nextData(descriptor: number, offset: number): number | undefined {
  const found = seek(descriptor, offset, SEEK_DATA);
  if (found === "beyond") return undefined;
  if (found !== "unknown") return found;
  return offset < statDescriptor(descriptor).size ? offset : undefined;
}

/**
 * The first byte at or behind an offset that belongs to a hole. From its end on, a file is one hole: where no other
 * hole follows, that is the size of the file, and behind it the offset itself. Without the library there are no others.
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
 * @returns where it is; "beyond" where the offset is not in the file, or only a hole follows; "unknown" where the
 *   question cannot be asked
 */
function seek(descriptor: number, offset: number, whence: number): number | "beyond" | "unknown" {
  const { EINVAL, ENXIO, EOVERFLOW } = os.constants.errno;
  if (!Number.isSafeInteger(offset) || offset < 0) throw systemError("lseek", EINVAL);
  const call = lseek();
  if (call === undefined) return "unknown";
  // 64 bits come as a number or, above the safe ones, as a BigInt.
  const found: number | bigint = call(descriptor, offset, whence);
  if (found === -1) {
    const errno = lastErrno();
    if (errno === ENXIO) return "beyond";
    // The offset is right; it is the file system that does not know the question.
    if (errno === EINVAL) return "unknown";
    throw systemError("lseek", errno);
  }
  if (!Number.isSafeInteger(found)) throw systemError("lseek", EOVERFLOW);
  return found;
}

function lseek() {
  return nativeFunction("int64_t lseek(int, int64_t, int)");
}
