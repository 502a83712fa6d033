/** FIFOs and device nodes (mknodat), and the numbers of devices. */
import fs from "node:fs";
import os from "node:os";
import { cString, isCText } from "./c-string.ts";
import { lastErrno, nativeFunction, type NativeFunction } from "./native.ts";
import { systemError } from "./system-error.ts";

/** FIFOs and device nodes, which node:fs cannot make, and the numbers of devices. */

export type SpecialKind = "fifo" | "characterDevice" | "blockDevice";

/** Which device a node stands for. */
export interface DeviceNumber {
  /** Up to 4095: the kernel has 12 bits for it. */
  readonly major: number;
  /** Up to 1,048,575: 20 bits. */
  readonly minor: number;
}

const TYPE_BITS: Record<SpecialKind, number> = {
  fifo: fs.constants.S_IFIFO,
  characterDevice: fs.constants.S_IFCHR,
  blockDevice: fs.constants.S_IFBLK,
};

const LONGEST_NAME_BYTES = 255;
const PERMISSION_BITS = 0o7777;
const MAJORS = 0x1000;
const MINORS = 0x10_0000;

/** The version of the interface of __xmknodat. */
const MKNOD_VERSION = 0;

/**
 * Makes a FIFO or a device node in an open directory. A name that is there already is left as it is.
 *
 * @param name a byte string, not a path
 * @param mode permission bits. The umask takes some of them away: who needs them all sets them afterwards
 * @param device which device it stands for; of no meaning for a FIFO
 * @throws an error with a code, as node:fs does: EEXIST; EPERM where the process may not make devices; EINVAL where
 *   something that is given cannot be; ENOSYS where the call cannot be made at all
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

/** Whether there can be a device of this number. */
export function isDeviceNumber({ major, minor }: DeviceNumber): boolean {
  return isBelow(major, MAJORS) && isBelow(minor, MINORS);
}

/** Major and minor in one number, the form that FileStats has: minors have 20 bits. */
export function packDevice(major: number, minor: number): number {
  return major * MINORS + minor;
}

/** Takes a number of packDevice() apart, such as the deviceId of FileStats. */
export function deviceNumber(deviceId: number): DeviceNumber {
  return { major: Math.floor(deviceId / MINORS), minor: deviceId % MINORS };
}

/** Brings a number as the C library and node:fs pack it, such as an rdev, into the form of packDevice(). */
export function unpackCDevice(packed: bigint): number {
  const major = ((packed >> 8n) & 0xfffn) | ((packed >> 32n) & 0xffff_f000n);
  const minor = (packed & 0xffn) | ((packed >> 12n) & 0xffff_ff00n);
  return packDevice(Number(major), Number(minor));
}

/** The C library's way to pack major and minor, its makedev(): the other direction. */
function packCDevice({ major, minor }: DeviceNumber): number {
  // Numbers that the kernel knows fill exactly 32 bits. Shifts would make the upper half of them negative.
  return Math.floor(minor / 0x100) * 0x10_0000 + major * 0x100 + (minor % 0x100);
}

function isBelow(value: number, limit: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < limit;
}

function mknodat(): NativeFunction | undefined {
  return nativeFunction("int mknodat(int, const void *, uint32_t, uint64_t)") ?? olderMknodat();
}

const olderDevice = new BigUint64Array(new SharedArrayBuffer(8));

/** In C libraries before glibc 2.33, mknodat is a macro for another function, which takes the device by its address. */
function olderMknodat(): NativeFunction | undefined {
  const native = nativeFunction("int __xmknodat(int, int, const void *, uint32_t, const void *)");
  if (native === undefined) return undefined;
  return (directory: number, name: Buffer, mode: number, device: number) => {
    olderDevice[0] = BigInt(device);
    return native(MKNOD_VERSION, directory, name, mode, olderDevice);
  };
}
