/** Contents that two files share until one of them changes (FICLONE), which btrfs, XFS and others have. */
import { nativeFunction } from "./native.ts";

// Number of the kernel's interface.
const FICLONE = 0x40049409;

/**
 * Gives a file the contents of another one; they take no room, and no time to copy.
 *
 * @param from a descriptor that is open for reading
 * @param to a descriptor that is open for writing; its former contents are lost
 * @returns false if that is not possible there: then nothing is sure of the contents of `to`
 */
export function cloneContents(from: number, to: number): boolean {
  return nativeFunction("int ioctl(int, unsigned long, int)")?.(to, FICLONE, from) === 0;
}
