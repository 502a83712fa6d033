/** Extended attributes, of links themselves too. */
import os from "node:os";
import { cPath, cString, isCText } from "./c-string.ts";
import { lastErrno, nativeFunction } from "./native.ts";
import { systemError } from "./system-error.ts";

/**
 * Extended attributes of a path, of a symbolic link itself. Paths are bytes without NUL, such as those of entryPath();
 * names are byte strings with their namespace, such as "user.comment"; values are any bytes, also none.
 */

/** The kernel's limit for one value, and for all names of a file together. */
const LARGEST_BYTES = 65_536;
const LONGEST_NAME_BYTES = 255;

/** Enough for nearly all; the kernel clears as much memory as it is offered, each time. */
const USUAL_BYTES = 1024;

/** Whether attributes can be read and set here at all; a file system may still have none. */
export function canReadAttributes(): boolean {
  return llistxattr() !== undefined;
}

/**
 * The names of the attributes that this process may see, in no order: empty where the file system has no attributes,
 * or where they cannot be read at all.
 *
 * @returns byte strings
 * @throws an error with a code, as node:fs does: ENOENT, EACCES; E2BIG where the names are more than 64 KiB
 */
export function listAttributes(path: Buffer): string[] {
  const call = llistxattr();
  if (call === undefined) return [];
  const where = checkedPath("llistxattr", path);
  const names = readGrowing((memory, bytes) => call(where, memory, bytes));
  if (typeof names !== "number") return names.toString("latin1").split("\0").slice(0, -1);
  if (names === os.constants.errno.ENOTSUP) return [];
  throw systemError("llistxattr", names);
}

/**
 * The value of an attribute, in memory of its own.
 *
 * @param name a byte string
 * @returns undefined where there is no such attribute, or where attributes cannot be read at all
 * @throws an error with a code, as node:fs does: ENOENT, EACCES; ENOTSUP where the file system has no attributes of
 *   this namespace; EINVAL for what is no name
 */
export function readAttribute(path: Buffer, name: string): Uint8Array | undefined {
  checkName("lgetxattr", name);
  const call = nativeFunction("long lgetxattr(const void *, const void *, void *, size_t)");
  if (call === undefined) return undefined;
  const where = checkedPath("lgetxattr", path);
  const value = readGrowing((memory, bytes) => call(where, cString(name), memory, bytes));
  if (typeof value !== "number") return new Uint8Array(value);
  if (value === os.constants.errno.ENODATA) return undefined;
  throw systemError("lgetxattr", value);
}

/**
 * Sets an attribute, whether it is there already or not.
 *
 * @param name a byte string
 * @param value up to 64 KiB; many file systems take less
 * @throws an error with a code, as node:fs does: ENOTSUP where the file system has no attributes of this namespace,
 *   EPERM where this process or this type of file may not have it, ENOSPC or E2BIG where it is too large, EINVAL for
 *   what is no name, ENOSYS where the call cannot be made at all
 */
export function setAttribute(path: Buffer, name: string, value: Uint8Array): void {
  checkName("lsetxattr", name);
  const where = checkedPath("lsetxattr", path);
  const call = nativeFunction("int lsetxattr(const void *, const void *, const void *, size_t, int)");
  if (call === undefined) throw systemError("lsetxattr", os.constants.errno.ENOSYS);
  if (call(where, cString(name), value, value.length, 0) === 0) return;
  throw systemError("lsetxattr", lastErrno());
}

/**
 * Removes an attribute.
 *
 * @param name a byte string
 * @throws an error with a code, as setAttribute() does; ENODATA where there is no such attribute
 */
export function removeAttribute(path: Buffer, name: string): void {
  checkName("lremovexattr", name);
  const where = checkedPath("lremovexattr", path);
  const call = nativeFunction("int lremovexattr(const void *, const void *)");
  if (call === undefined) throw systemError("lremovexattr", os.constants.errno.ENOSYS);
  if (call(where, cString(name)) === 0) return;
  throw systemError("lremovexattr", lastErrno());
}

const answer = Buffer.from(new SharedArrayBuffer(LARGEST_BYTES));

/**
 * Makes a call that fills memory, with as much of it as is needed.
 *
 * @returns what was filled, in memory that the next call uses again; or the error number
 */
function readGrowing(call: (memory: Buffer, bytes: number) => number): Buffer | number {
  // More than the largest size would be in vain: the kernel itself goes no further.
  for (let bytes = USUAL_BYTES; ; bytes = LARGEST_BYTES) {
    const filled = call(answer, bytes);
    if (filled >= 0) return answer.subarray(0, filled);
    const errno = lastErrno();
    if (errno !== os.constants.errno.ERANGE || bytes === LARGEST_BYTES) return errno;
  }
}

function checkName(call: string, name: string): void {
  if (name.length >= 1 && name.length <= LONGEST_NAME_BYTES && isCText(name)) return;
  throw systemError(call, os.constants.errno.EINVAL);
}

function checkedPath(call: string, path: Buffer): Buffer {
  if (path.includes(0)) throw systemError(call, os.constants.errno.EINVAL);
  return cPath(path);
}

function llistxattr() {
  return nativeFunction("long llistxattr(const void *, void *, size_t)");
}
