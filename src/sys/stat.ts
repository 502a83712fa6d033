/** Stats of files, relative to their directory (statx). */
import fs from "node:fs";
import os from "node:os";
import { cStringAddress } from "./c-string.ts";
import { entryPath } from "./entry-path.ts";
import { addressNumberOf } from "./memory.ts";
import { beyondSecond, nanosecondsOf, SECOND_NS } from "./nanoseconds.ts";
import { lastErrno, type NativeFunction, nativeFunction } from "./native.ts";
import { deviceNumber, packDevice, unpackCDevice } from "./special-files.ts";
import { systemError } from "./system-error.ts";

/**
 * The kernel's facts about a file, by one call that allocates only its answer. For large trees it is several times
 * faster than node:fs, whose path has to lead over /proc and whose answer is a row of BigInts.
 */

const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK } = fs.constants;

// Numbers of the kernel's interface.
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
/** The basic stats, and the number of the mount: kernels that do not know it leave 0. */
const STATX_MASK = 0x7ff | 0x1000;

/** Size of a struct statx and offsets in it, which are the same on every architecture. */
const STATX_BYTES = 256;
const STATX = {
  attributes: 8,
  links: 16,
  user: 20,
  group: 24,
  mode: 28,
  inode: 32,
  size: 40,
  blocks: 48,
  ctime: 96,
  mtime: 112,
  device: 136,
  mount: 144,
} as const;
/** Offset of the numbers of a device node. */
const DEVICE_ID = 128;

/** STATX_ATTR_IMMUTABLE, STATX_ATTR_APPEND and STATX_ATTR_MOUNT_ROOT of the kernel. */
const ATTRIBUTE_IMMUTABLE = 0x10;
const ATTRIBUTE_APPEND_ONLY = 0x20;
const ATTRIBUTE_MOUNT_ROOT = 0x2000;

/** The parts of a file's stats that this program uses. */
export interface FileStats {
  /** With the bits of the type. */
  readonly mode: number;
  readonly size: number;
  /** Room on the disk in units of 512 bytes: less than the size if the file has holes. */
  readonly blocks: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** The time of the last change of the inode, in nanoseconds since 1970: nobody can set it. */
  readonly ctimeNs: bigint;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly inode: bigint;
  /** The file system of the file. */
  readonly device: number;
  /** The device of a device node; deviceNumber() of special-files.ts splits it. */
  readonly deviceId: number;
  /** Whether something is mounted on it; false also if the kernel does not tell. */
  readonly hasMount: boolean;
  /** The mount through which it was reached: a file system can be mounted in several places; 0 if not known. */
  readonly mount: number;
  /** Nobody can change it (chattr +i); false also if the kernel does not tell. */
  readonly isImmutable: boolean;
  /** It can only become longer (chattr +a); false also if the kernel does not tell. */
  readonly isAppendOnly: boolean;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isCharacterDevice(): boolean;
  isBlockDevice(): boolean;
  isSocket(): boolean;
}

/** Stats in the kernel's form. A BigInt that a walk over millions of entries does not need is only made when it is asked for. */
export class KernelStats implements FileStats {
  readonly mode: number;
  readonly size: number;
  readonly blocks: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly device: number;
  readonly deviceId: number;
  readonly mount: number;
  private readonly attributes: number;
  /** The halves of 64 bits, and the nanoseconds beyond whole seconds. */
  private readonly mtimeLow: number;
  private readonly mtimeHigh: number;
  private readonly mtimeRest: number;
  private readonly ctimeLow: number;
  private readonly ctimeHigh: number;
  private readonly ctimeRest: number;
  private readonly inodeLow: number;
  private readonly inodeHigh: number;

  /** Once somebody has asked for it: most who ask do so several times. */
  private mtime: bigint | undefined;

  /** Reads them from a struct statx. */
  constructor(answer: DataView) {
    this.mode = answer.getUint16(STATX.mode, true);
    this.size = largeNumber(answer, STATX.size);
    this.blocks = largeNumber(answer, STATX.blocks);
    this.uid = answer.getUint32(STATX.user, true);
    this.gid = answer.getUint32(STATX.group, true);
    this.links = answer.getUint32(STATX.links, true);
    this.device = deviceAt(answer, STATX.device);
    this.deviceId = deviceAt(answer, DEVICE_ID);
    this.mount = answer.getUint32(STATX.mount, true);
    this.attributes = answer.getUint32(STATX.attributes, true);
    this.mtimeLow = answer.getInt32(STATX.mtime, true);
    this.mtimeHigh = answer.getInt32(STATX.mtime + 4, true);
    this.mtimeRest = answer.getUint32(STATX.mtime + 8, true);
    this.ctimeLow = answer.getInt32(STATX.ctime, true);
    this.ctimeHigh = answer.getInt32(STATX.ctime + 4, true);
    this.ctimeRest = answer.getUint32(STATX.ctime + 8, true);
    this.inodeLow = answer.getInt32(STATX.inode, true);
    this.inodeHigh = answer.getInt32(STATX.inode + 4, true);
    this.mtime = undefined;
  }

  /** Writes ROW_NUMBERS numbers, which readRow() makes the stats of again. */
  writeTo(row: Float64Array, start: number): void {
    row[start] = this.mode;
    row[start + 1] = this.size;
    row[start + 2] = this.blocks;
    row[start + 3] = this.uid;
    row[start + 4] = this.gid;
    row[start + 5] = this.links;
    row[start + 6] = this.device;
    row[start + 7] = this.deviceId;
    row[start + 8] = this.mount;
    row[start + 9] = this.attributes;
    row[start + 10] = this.mtimeLow;
    row[start + 11] = this.mtimeHigh;
    row[start + 12] = this.mtimeRest;
    row[start + 13] = this.ctimeLow;
    row[start + 14] = this.ctimeHigh;
    row[start + 15] = this.ctimeRest;
    row[start + 16] = this.inodeLow;
    row[start + 17] = this.inodeHigh;
  }

  /** The kernel has times that do not fit into 64 bits of nanoseconds. */
  get mtimeNs(): bigint {
    return (this.mtime ??= nanosecondsOf(this.mtimeLow, this.mtimeHigh, this.mtimeRest));
  }

  get ctimeNs(): bigint {
    return nanosecondsOf(this.ctimeLow, this.ctimeHigh, this.ctimeRest);
  }

  get inode(): bigint {
    return joined(this.inodeLow, this.inodeHigh);
  }

  get hasMount(): boolean {
    return (this.attributes & ATTRIBUTE_MOUNT_ROOT) !== 0;
  }

  get isImmutable(): boolean {
    return (this.attributes & ATTRIBUTE_IMMUTABLE) !== 0;
  }

  get isAppendOnly(): boolean {
    return (this.attributes & ATTRIBUTE_APPEND_ONLY) !== 0;
  }

  isFile(): boolean {
    return (this.mode & S_IFMT) === S_IFREG;
  }

  isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }

  isSymbolicLink(): boolean {
    return (this.mode & S_IFMT) === S_IFLNK;
  }

  isFIFO(): boolean {
    return (this.mode & S_IFMT) === S_IFIFO;
  }

  isCharacterDevice(): boolean {
    return (this.mode & S_IFMT) === S_IFCHR;
  }

  isBlockDevice(): boolean {
    return (this.mode & S_IFMT) === S_IFBLK;
  }

  isSocket(): boolean {
    return (this.mode & S_IFMT) === S_IFSOCK;
  }
}

/** Numbers in a row of KernelStats.writeTo(). */
export const ROW_NUMBERS = 18;

/** Makes stats of a row of KernelStats.writeTo(). */
export function readRow(piece: Float64Array, start: number): FileStats {
  const row = piece.subarray(start, start + ROW_NUMBERS);
  numbers.setUint16(STATX.mode, row[0] ?? 0, true);
  setLargeNumber(numbers, STATX.size, row[1] ?? 0);
  setLargeNumber(numbers, STATX.blocks, row[2] ?? 0);
  numbers.setUint32(STATX.user, row[3] ?? 0, true);
  numbers.setUint32(STATX.group, row[4] ?? 0, true);
  numbers.setUint32(STATX.links, row[5] ?? 0, true);
  setDevice(numbers, STATX.device, row[6] ?? 0);
  setDevice(numbers, DEVICE_ID, row[7] ?? 0);
  numbers.setUint32(STATX.mount, row[8] ?? 0, true);
  numbers.setUint32(STATX.attributes, row[9] ?? 0, true);
  for (let half = 0; half < 3; half++) {
    numbers.setInt32(STATX.mtime + 4 * half, row[10 + half] ?? 0, true);
    numbers.setInt32(STATX.ctime + 4 * half, row[13 + half] ?? 0, true);
  }
  numbers.setInt32(STATX.inode, row[16] ?? 0, true);
  numbers.setInt32(STATX.inode + 4, row[17] ?? 0, true);
  return new KernelStats(numbers);
}

/** Two halves as a number of 64 bits without a sign. */
function joined(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** A number of 64 bits, as far as a number holds it. */
function largeNumber(answer: DataView, place: number): number {
  return answer.getUint32(place, true) + 2 ** 32 * answer.getUint32(place + 4, true);
}

function setLargeNumber(answer: DataView, place: number, value: number): void {
  answer.setUint32(place, value % 2 ** 32, true);
  answer.setUint32(place + 4, Math.floor(value / 2 ** 32), true);
}

function deviceAt(answer: DataView, place: number): number {
  return packDevice(answer.getUint32(place, true), answer.getUint32(place + 4, true));
}

function setDevice(answer: DataView, place: number, device: number): void {
  const { major, minor } = deviceNumber(device);
  answer.setUint32(place, major, true);
  answer.setUint32(place + 4, minor, true);
}

/**
 * The stats of an entry of an open directory; of a symbolic link itself; undefined if the entry does not exist.
 *
 * @param name a byte string
 * @throws an error with a code, as node:fs does
 */
export function statEntry(directory: number, name: string): FileStats | undefined {
  statx ??= findStatx();
  if (statx === "missing") return plainStatEntry(directory, name);
  if (statx.call(directory, cStringAddress(name), AT_SYMLINK_NOFOLLOW, STATX_MASK, statx.answer) === 0)
    return new KernelStats(numbers);
  const errno = lastErrno();
  if (errno === os.constants.errno.ENOENT) return undefined;
  throw systemError("statx", errno);
}

/** The stats of an open file or directory. */
export function statDescriptor(descriptor: number): FileStats {
  statx ??= findStatx();
  if (statx !== "missing") {
    if (statx.call(descriptor, cStringAddress(""), AT_EMPTY_PATH, STATX_MASK, statx.answer) === 0)
      return new KernelStats(numbers);
  }
  return fromBigInts(fs.fstatSync(descriptor, { bigint: true }));
}

function plainStatEntry(directory: number, name: string): FileStats | undefined {
  const stats = fs.lstatSync(entryPath(directory, name), { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : fromBigInts(stats);
}

const answer = Buffer.from(new SharedArrayBuffer(STATX_BYTES));
const numbers = new DataView(answer.buffer);

/** The call with the address of what it writes: the library takes numbers in less time than buffers. */
interface Statx {
  readonly call: NativeFunction;
  readonly answer: number;
}

let statx: Statx | "missing" | undefined;

function findStatx(): Statx | "missing" {
  const call = nativeFunction("int statx(int, uintptr_t, int, unsigned int, uintptr_t)");
  const place = addressNumberOf(answer);
  return call === undefined || place === undefined ? "missing" : { call, answer: place };
}

/** Converts stats of node:fs into the kernel's form. */
function fromBigInts(stats: fs.BigIntStats): FileStats {
  const number = (value: bigint) => Number(value);
  const setTime = (place: number, timeNs: bigint) => {
    const rest = beyondSecond(timeNs);
    numbers.setBigInt64(place, (timeNs - rest) / SECOND_NS, true);
    numbers.setUint32(place + 8, number(rest), true);
  };
  numbers.setUint16(STATX.mode, number(stats.mode), true);
  numbers.setBigUint64(STATX.size, stats.size, true);
  numbers.setBigUint64(STATX.blocks, stats.blocks, true);
  setTime(STATX.mtime, stats.mtimeNs);
  setTime(STATX.ctime, stats.ctimeNs);
  numbers.setUint32(STATX.user, number(stats.uid), true);
  numbers.setUint32(STATX.group, number(stats.gid), true);
  numbers.setUint32(STATX.links, number(stats.nlink), true);
  numbers.setBigUint64(STATX.inode, stats.ino, true);
  setDevice(numbers, STATX.device, unpackCDevice(stats.dev));
  setDevice(numbers, DEVICE_ID, unpackCDevice(stats.rdev));
  // node:fs tells neither where something is mounted nor the marks of chattr.
  numbers.setBigUint64(STATX.attributes, 0n, true);
  numbers.setUint32(STATX.mount, 0, true);
  return new KernelStats(numbers);
}
