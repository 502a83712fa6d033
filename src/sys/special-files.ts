/** FIFOs and device nodes (mknodat), and the numbers of devices. */
import fs from "node:fs";
import os from "node:os";
import { cString, isCText } from "./c-string.ts";
import { lastErrno, nativeFunction, type NativeFunction } from "./native.ts";
import { systemError } from "./system-error.ts";

/** FIFOs and device nodes, which node:fs cannot make, and device numbers. */

export type SpecialKind = "fifo" | "characterDevice" | "blockDevice";

/** The device that a node represents. */
export interface DeviceNumber {
  /** Up to 4095: the kernel uses 12 bits for it. */
  readonly major: number;
  /** Up to 1,048,575: 20 bits. */
  readonly minor: number;
}

const TYPE_BITS: Record<SpecialKind, number> = {
  fifo: fs.constants.S_IFIFO,
  characterDevice: fs.constants.S_IFCHR,
  blockDevice: fs.constants.S_IFBLK,
};

// Limits of the kernel: NAME_MAX, and the bits of a mode and of a device number.
const LONGEST_NAME_BYTES = 255;
const PERMISSION_BITS = 0o7777;
const MAJORS = 0x1000;
const MINORS = 0x10_0000;

/** The version number that glibc expects for __xmknodat. */
const MKNOD_VERSION = 0;

/**
 * Makes a FIFO or a device node in an open directory. An existing entry of that name stays as it is.
 *
 * @param name a byte string, not a path
 * @param mode permission bits. The umask removes some of them: a caller that needs all must set them afterwards
 * @param device the device that the node represents; without meaning for a FIFO
 * @throws an error with a code, as node:fs does: EEXIST; EPERM if the process may not make devices; EINVAL for an
 *   invalid argument; ENOSYS if the call is not available
 */
export function makeSpecialFile(
  directory: number,
  name: string,
  kind: SpecialKind,
  mode: number,
  device: DeviceNumber,
): void {
  const { EINVAL, ENAMETOOLONG, ENOSYS } = os.constants.errno;
  if (name === "" || name.includes("/") || !isCText(name)) throw systemError("mknodat", EINVAL);
  if (name.length > LONGEST_NAME_BYTES) throw systemError("mknodat", ENAMETOOLONG);
  if (!isBelow(mode, PERMISSION_BITS + 1)) throw systemError("mknodat", EINVAL);
  const isDevice = kind !== "fifo";
  if (isDevice && !isDeviceNumber(device)) throw systemError("mknodat", EINVAL);
  const call = mknodat();
  if (call === undefined) throw systemError("mknodat", ENOSYS);
  const number = isDevice ? packCDevice(device) : 0;
  if (call(directory, cString(name), TYPE_BITS[kind] | mode, number) === 0) return;
  throw systemError("mknodat", lastErrno());
}

/** Whether a device can have this number. */
export function isDeviceNumber({ major, minor }: DeviceNumber): boolean {
  return isBelow(major, MAJORS) && isBelow(minor, MINORS);
}

/** Combines major and minor into one number, the form of FileStats: minors have 20 bits. */
export function packDevice(major: number, minor: number): number {
  return major * MINORS + minor;
}

/** Splits a number of packDevice(), such as the deviceId of FileStats. */
export function deviceNumber(deviceId: number): DeviceNumber {
  return { major: Math.floor(deviceId / MINORS), minor: deviceId % MINORS };
}

/** Converts a number as the C library and node:fs pack it, such as an rdev, into the form of packDevice(). */
export function unpackCDevice(packed: bigint): number {
  const major = ((packed >> 8n) & 0xfffn) | ((packed >> 32n) & 0xffff_f000n);
  const minor = (packed & 0xffn) | ((packed >> 12n) & 0xffff_ff00n);
  return packDevice(Number(major), Number(minor));
}

/** Packs major and minor like the C library's makedev(): the other direction. */
function packCDevice({ major, minor }: DeviceNumber): number {
  // Numbers that the kernel knows fill exactly 32 bits. Shifts would make their upper half negative.
  return Math.floor(minor / 0x100) * 0x10_0000 + major * 0x100 + (minor % 0x100);
}

function isBelow(value: number, limit: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < limit;
}

function mknodat(): NativeFunction | undefined {
  return nativeFunction("int mknodat(int, const void *, uint32_t, uint64_t)") ?? olderMknodat();
}

const olderDevice = new BigUint64Array(new SharedArrayBuffer(8));

/** Before glibc 2.33, mknodat is a macro for another function, which takes the device by its address. */
function olderMknodat(): NativeFunction | undefined {
  const native = nativeFunction("int __xmknodat(int, int, const void *, uint32_t, const void *)");
  if (native === undefined) return undefined;
  return (directory: number, name: Buffer, mode: number, device: number) => {
    olderDevice[0] = BigInt(device);
    return native(MKNOD_VERSION, directory, name, mode, olderDevice);
  };
}
