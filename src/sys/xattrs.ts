/** Extended attributes, also those of symbolic links themselves. */
import os from "node:os";
import { cPath, cString, isCText } from "./c-string.ts";
import { lastErrno, nativeFunction } from "./native.ts";
import { systemError } from "./system-error.ts";

/**
 * Extended attributes of a path; for a symbolic link, those of the link itself. Paths are bytes without NUL, such as
 * those of entryPath(). Names are byte strings with their namespace, such as "user.comment". Values are any bytes, or
 * none.
 */

/** The kernel's limits for one value and for all names of a file together, and below for one name. */
const LARGEST_BYTES = 65_536;
const LONGEST_NAME_BYTES = 255;

/** Enough for nearly all. More would cost time: in each call the kernel clears as much memory as it is offered. */
const USUAL_BYTES = 1024;

/** Whether the calls for attributes are available. Some file systems still have no attributes. */
export function canReadAttributes(): boolean {
  return llistxattr() !== undefined;
}

/**
 * The names of the attributes that this process may see, in no order. Empty if the file system has no attributes, or if
 * the call is not available.
 *
 * @returns byte strings
 * @throws an error with a code, as node:fs does: ENOENT, EACCES; E2BIG if the names are more than 64 KiB
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
 * The names of the attributes of an open file; see listAttributes().
 *
 * @param descriptor opened for reading or writing
 */
export function listDescriptorAttributes(descriptor: number): string[] {
  const call = nativeFunction("long flistxattr(int, void *, size_t)");
  if (call === undefined) return [];
  const names = readGrowing((memory, bytes) => call(descriptor, memory, bytes));
  if (typeof names !== "number") return names.toString("latin1").split("\0").slice(0, -1);
  if (names === os.constants.errno.ENOTSUP) return [];
  throw systemError("flistxattr", names);
}

/** The value of an attribute of an open file; see readAttribute(). */
export function readDescriptorAttribute(descriptor: number, name: string): Uint8Array | undefined {
  checkName("fgetxattr", name);
  const call = nativeFunction("long fgetxattr(int, const void *, void *, size_t)");
  if (call === undefined) return undefined;
  const value = readGrowing((memory, bytes) => call(descriptor, cString(name), memory, bytes));
  if (typeof value !== "number") return new Uint8Array(value);
  if (value === os.constants.errno.ENODATA) return undefined;
  throw systemError("fgetxattr", value);
}

/**
 * The value of an attribute, in memory of its own.
 *
 * @param name a byte string
 * @returns undefined if there is no such attribute, or if the call is not available
 * @throws an error with a code, as node:fs does: ENOENT, EACCES; ENOTSUP if the file system has no attributes of this
 *   namespace; EINVAL for an invalid name
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
 * Sets an attribute, whether it exists or not.
 *
 * @param name a byte string
 * @param value up to 64 KiB; many file systems take less
 * @throws an error with a code, as node:fs does: ENOTSUP if the file system has no attributes of this namespace, EPERM
 *   if this process or this type of file may not have it, ENOSPC or E2BIG if it is too large, EINVAL for an invalid
 *   name, ENOSYS if the call is not available
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
 * @throws an error with a code, as setAttribute() does; ENODATA if there is no such attribute
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
 * Calls a function that fills memory, and repeats the call with more memory if it needs more.
 *
 * @returns the filled part, in memory that the next call uses again; or the error number
 */
function readGrowing(call: (memory: Buffer, bytes: number) => number): Buffer | number {
  // More than the largest size is useless: it is the kernel's own limit.
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
