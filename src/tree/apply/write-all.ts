/** Writes all of the bytes given: one call may write only a part of them. */
import type { Disk, FileHandle } from "../disk/disk.ts";

export function writeAll(disk: Disk, file: FileHandle, bytes: Uint8Array, offset: number): void {
  let written = disk.write(file, bytes, offset);
  while (written < bytes.length) written += disk.write(file, bytes.subarray(written), offset + written);
}
