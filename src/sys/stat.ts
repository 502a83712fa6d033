/** Stats of files, relative to their directory (statx). */
import fs from "node:fs";
import os from "node:os";
import { cString } from "./c-string.ts";
import { entryPath } from "./entry-path.ts";
import { beyondSecond, SECOND_NS } from "./nanoseconds.ts";
import { lastErrno, nativeFunction } from "./native.ts";
import { deviceNumber, packDevice, unpackCDevice } from "./special-files.ts";
import { systemError } from "./system-error.ts";

/**
 * The kernel's facts about a file, by one call that allocates only its answer. For large trees it is several times
 * faster than node:fs, whose path has to lead over /proc and whose answer is a row of BigInts.
 */

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
export class FileStats {
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

  /** Reads them from a struct statx. */
  constructor(answer: DataView) {
    this.mode = answer.getUint16(STATX.mode, true);
    this.size = largeNumber(answer, STATX.size);
    this.blocks = largeNumber(answer, STATX.blocks);
    // The kernel has times that do not fit into 64 bits of nanoseconds.
    this.mtimeNs = timeAt(answer, STATX.mtime);
    this.ctimeNs = timeAt(answer, STATX.ctime);
    this.uid = answer.getUint32(STATX.user, true);
    this.gid = answer.getUint32(STATX.group, true);
    this.links = answer.getUint32(STATX.links, true);
    this.inode = answer.getBigUint64(STATX.inode, true);
    this.device = packDevice(answer.getUint32(STATX.device, true), answer.getUint32(STATX.device + 4, true));
    this.deviceId = packDevice(answer.getUint32(DEVICE_ID, true), answer.getUint32(DEVICE_ID + 4, true));
    const attributes = answer.getUint32(STATX.attributes, true);
    this.hasMount = (attributes & ATTRIBUTE_MOUNT_ROOT) !== 0;
    this.isImmutable = (attributes & ATTRIBUTE_IMMUTABLE) !== 0;
    this.isAppendOnly = (attributes & ATTRIBUTE_APPEND_ONLY) !== 0;
    this.mount = answer.getUint32(STATX.mount, true);
  }

  isFile(): boolean {
    return (this.mode & fs.constants.S_IFMT) === fs.constants.S_IFREG;
  }

  isDirectory(): boolean {
    return (this.mode & fs.constants.S_IFMT) === fs.constants.S_IFDIR;
  }

  isSymbolicLink(): boolean {
    return (this.mode & fs.constants.S_IFMT) === fs.constants.S_IFLNK;
  }

  isFIFO(): boolean {
    return (this.mode & fs.constants.S_IFMT) === fs.constants.S_IFIFO;
  }

  isCharacterDevice(): boolean {
    return (this.mode & fs.constants.S_IFMT) === fs.constants.S_IFCHR;
  }

  isBlockDevice(): boolean {
    return (this.mode & fs.constants.S_IFMT) === fs.constants.S_IFBLK;
  }

  isSocket(): boolean {
    return (this.mode & fs.constants.S_IFMT) === fs.constants.S_IFSOCK;
  }
}

function timeAt(answer: DataView, place: number): bigint {
  return answer.getBigInt64(place, true) * SECOND_NS + BigInt(answer.getUint32(place + 8, true));
}

/** A number of 64 bits, as far as a number holds it. */
function largeNumber(answer: DataView, place: number): number {
  return answer.getUint32(place, true) + 2 ** 32 * answer.getUint32(place + 4, true);
}

/**
 * The stats of an entry of an open directory; of a symbolic link itself; undefined if the entry does not exist.
 *
 * @param name a byte string
 * @throws an error with a code, as node:fs does
 */
export function statEntry(directory: number, name: string): FileStats | undefined {
  const call = statx();
  if (call === undefined) return plainStatEntry(directory, name);
  if (call(directory, cString(name), AT_SYMLINK_NOFOLLOW, STATX_MASK, answer) === 0)
    return new FileStats(numbers);
  const errno = lastErrno();
  if (errno === os.constants.errno.ENOENT) return undefined;
  throw systemError("statx", errno);
}

/** The stats of an open file or directory. */
export function statDescriptor(descriptor: number): FileStats {
  const call = statx();
  if (call?.(descriptor, EMPTY, AT_EMPTY_PATH, STATX_MASK, answer) === 0) return new FileStats(numbers);
  return fromBigInts(fs.fstatSync(descriptor, { bigint: true }));
}

function plainStatEntry(directory: number, name: string): FileStats | undefined {
  const stats = fs.lstatSync(entryPath(directory, name), { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : fromBigInts(stats);
}

const answer = Buffer.from(new SharedArrayBuffer(STATX_BYTES));
const numbers = new DataView(answer.buffer);
const EMPTY = Buffer.alloc(1);

function statx() {
  return nativeFunction("int statx(int, const void *, int, unsigned int, void *)");
}

/** Converts stats of node:fs into the kernel's form. */
function fromBigInts(stats: fs.BigIntStats): FileStats {
  const number = (value: bigint) => Number(value);
  const setDevice = (place: number, packed: bigint) => {
    const { major, minor } = deviceNumber(unpackCDevice(packed));
    numbers.setUint32(place, major, true);
    numbers.setUint32(place + 4, minor, true);
  };
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
  setDevice(STATX.device, stats.dev);
  setDevice(DEVICE_ID, stats.rdev);
  // node:fs tells neither where something is mounted nor the marks of chattr.
  numbers.setBigUint64(STATX.attributes, 0n, true);
  numbers.setUint32(STATX.mount, 0, true);
  return new FileStats(numbers);
}
