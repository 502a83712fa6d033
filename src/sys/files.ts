/**
 * Opening relative to a directory, times in nanoseconds, exchanging two paths, access checks with capabilities,
 * syncfs, sync_file_range, flock, dup2.
 */
import fs from "node:fs";
import os from "node:os";
import { cPath, cStringAddress } from "./c-string.ts";
import { entryPath } from "./entry-path.ts";
import { addressNumberOf } from "./memory.ts";
import { beyondSecond, SECOND_NS } from "./nanoseconds.ts";
import { lastErrno, lazyFunction, nativeFunction } from "./native.ts";
import { systemError } from "./system-error.ts";

/** File system calls with a precision or an atomicity that node:fs does not give. Paths are NUL-free bytes. */

// Numbers of the kernel's interface.
const AT_FDCWD = -100;
const O_CLOEXEC = 0o2000000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const RENAME_EXCHANGE = 2;
const SYNC_FILE_RANGE_WAIT_BEFORE = 1;
const SYNC_FILE_RANGE_WRITE = 2;
const AT_EACCESS = 0x200;
const [LOCK_SHARED, LOCK_EXCLUSIVE, LOCK_NONBLOCKING, LOCK_NONE] = [1, 2, 4, 8] as const;

const openat = lazyFunction("int openat(int, uintptr_t, int, uint32_t)");
const futimens = lazyFunction("int futimens(int, uintptr_t)");
const syncFileRange = lazyFunction("int sync_file_range(int, int64_t, int64_t, unsigned int)");

/** O_PATH: a descriptor that only names a directory; opening it needs no read permission on the directory. */
export const O_PATH = 0o10000000;

/** Whether times can be set to the nanosecond; otherwise they are up to half a microsecond off. */
export function hasExactTimes(): boolean {
  return utimensat() !== undefined;
}

/** Sets the time of last change of a path; for a symbolic link, that of the link itself. */
export function setLinkTime(path: Buffer, mtimeNs: bigint): void {
  if (utimensat()?.(AT_FDCWD, cPath(path), timespecs(mtimeNs), AT_SYMLINK_NOFOLLOW) === 0) return;
  // Without the library this is the way. After a failed call, Node's call fails the same way and throws an error with a
  // code.
  const seconds = Number(mtimeNs) / 1e9;
  fs.lutimesSync(path, seconds, seconds);
}

/** Sets the time of last change of a path; for a symbolic link, that of its target. */
export function setTime(path: Buffer, mtimeNs: bigint): void {
  if (utimensat()?.(AT_FDCWD, cPath(path), timespecs(mtimeNs), 0) === 0) return;
  const seconds = Number(mtimeNs) / 1e9;
  fs.utimesSync(path, seconds, seconds);
}

/** Sets the time of last change of an open file. */
export function setDescriptorTime(descriptor: number, mtimeNs: bigint): void {
  const native = futimens();
  timesAddress ??= addressNumberOf(new Uint8Array(times.buffer));
  timespecs(mtimeNs);
  if (native?.(descriptor, timesAddress) === 0) return;
  const seconds = Number(mtimeNs) / 1e9;
  fs.futimesSync(descriptor, seconds, seconds);
}

/**
 * Opens an entry of an open directory.
 *
 * @param name a byte string
 * @param flags as those of node:fs
 * @param mode of a file that is created
 * @throws an error with a code, as node:fs does
 */
export function openEntry(directory: number, name: string, flags: number, mode = 0): number {
  const native = openat();
  if (native === undefined) return fs.openSync(entryPath(directory, name), flags, mode);
  const descriptor = native(directory, cStringAddress(name), flags | O_CLOEXEC, mode);
  if (descriptor >= 0) return descriptor;
  throw systemError("openat", lastErrno());
}

/**
 * Lets the kernel notice stores to the pages that a program has mapped of an open file: it changes the time of the file
 * at the first store to a page, and again only after the page was written out. So all pages are handed to the disk,
 * without waiting for it. A page that is on its way to the disk already, and was stored to since, would be left out;
 * so what is on its way has to arrive first. File systems in memory do not note such stores at all.
 */
export function noticeStores(descriptor: number): void {
  syncFileRange()?.(descriptor, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE);
}

/** Exchanges two paths in one step; false if the system cannot do that. */
export function exchange(a: Buffer, b: Buffer): boolean {
  const native = nativeFunction("int renameat2(int, const void *, int, const void *, unsigned int)");
  return native?.(AT_FDCWD, cPath(a), AT_FDCWD, cPath(b), RENAME_EXCHANGE) === 0;
}

/**
 * Checks whether this process may do something with a path, with its effective user and its capabilities. Node's call
 * considers neither.
 *
 * @param mode bits such as fs.constants.W_OK
 * @throws an error with a code such as EACCES
 */
export function checkAccess(path: string, mode: number): void {
  const native = nativeFunction("int faccessat(int, const void *, int, int)");
  if (native?.(AT_FDCWD, cPath(Buffer.from(path)), mode, AT_EACCESS) === 0) return;
  fs.accessSync(path, mode);
}

/** Whether syncFileSystem() is available. */
export function canSyncFileSystem(): boolean {
  return nativeFunction("int syncfs(int)") !== undefined;
}

/**
 * Makes everything durable that was written to the file system of a descriptor.
 *
 * @throws an error with the code EIO if the disk did not store everything
 */
export function syncFileSystem(descriptor: number): void {
  if (nativeFunction("int syncfs(int)")?.(descriptor) === 0) return;
  throw Object.assign(new Error("syncfs failed"), { code: "EIO" });
}

/** Locks an open file against other processes, without waiting; true also if locking is not possible. */
export function lockFile(descriptor: number): boolean {
  return flock(descriptor, LOCK_EXCLUSIVE | LOCK_NONBLOCKING);
}

/**
 * Whether no process has locked an open file by lockFile(); true also if locking is not possible. Two processes that ask at
 * the same time do not see each other. A lock that this process has by this descriptor is lost.
 */
export function isUnlocked(descriptor: number): boolean {
  const isFree = flock(descriptor, LOCK_SHARED | LOCK_NONBLOCKING);
  if (isFree) flock(descriptor, LOCK_NONE);
  return isFree;
}

function flock(descriptor: number, operation: number): boolean {
  const native = nativeFunction("int flock(int, int)");
  if (native === undefined || native(descriptor, operation) === 0) return true;
  return lastErrno() !== os.constants.errno.EWOULDBLOCK;
}

/** Makes a descriptor refer to another open file. Without the library it is closed and opened again. */
export function replaceDescriptor(by: number, descriptor: number): void {
  const native = nativeFunction("int dup2(int, int)");
  if (native !== undefined) {
    native(by, descriptor);
    return;
  }
  fs.closeSync(descriptor);
  // The kernel assigns the lowest free descriptor: the one that was just closed.
  fs.openSync(`/proc/self/fd/${by}`, "w");
}

function utimensat() {
  return nativeFunction("int utimensat(int, const void *, const void *, int)");
}

const times = new BigInt64Array(new SharedArrayBuffer(32));
let timesAddress: number | undefined;

/** Two timespecs, last access and last change, in memory that the next call uses again. */
function timespecs(mtimeNs: bigint): BigInt64Array {
  const nanoseconds = beyondSecond(mtimeNs);
  times[0] = times[2] = (mtimeNs - nanoseconds) / SECOND_NS;
  times[1] = times[3] = nanoseconds;
  return times;
}
