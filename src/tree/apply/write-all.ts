/** Writes all of the bytes given: one call may write only a part of them. */
import type { DirectoryHandle, Disk, FileHandle } from "../disk/disk.ts";

export function writeAll(disk: Disk, file: FileHandle, bytes: Uint8Array, offset: number): void {
  let written = disk.write(file, bytes, offset);
  while (written < bytes.length) written += disk.write(file, bytes.subarray(written), offset + written);
}

/** As many zeros as are written at once. */
const ZEROS = new Uint8Array(65_536);

/** Writes zeros over what is there. */
export function writeZeros(disk: Disk, file: FileHandle, offset: number, length: number): void {
  for (let done = 0; done < length; done += ZEROS.length)
    writeAll(disk, file, ZEROS.subarray(0, Math.min(ZEROS.length, length - done)), offset + done);
}

/** Makes a file that only this process's user can read, with these bytes, durably. */
export function writeNewFile(disk: Disk, directory: DirectoryHandle, name: string, bytes: Uint8Array): void {
  const file = disk.makeFile(directory, name, 0o600);
  try {
    writeAll(disk, file, bytes, 0);
    disk.syncFile(file);
  } finally {
    disk.closeFile(file);
  }
}
