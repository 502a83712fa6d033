/** Locks of files that processes hold, as the kernel lists them. */
import fs from "node:fs";
import { nativeFunction } from "./native.ts";

/** Whether lockFile() can lock anything. */
export function canLockFiles(): boolean {
  return nativeFunction("int flock(int, int)") !== undefined;
}

/**
 * The users of the processes that have locked a file as lockFile() does: a shared lock is none of a daemon. A process that has
 * ended, or is hidden, is left out.
 *
 * @param inode its number. File systems with subvolumes give their files another device than the kernel's list does, so
 *   the device is not compared
 * @returns real and effective user ids; nothing if the list cannot be read
 */
export function usersOfLock(inode: bigint): number[] {
  return linesOf("/proc/locks").flatMap((line) => {
    // 1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF
    const [, type, , access, process = "", file = ""] = line.split(/\s+/);
    return type === "FLOCK" && access === "WRITE" && file.split(":")[2] === String(inode)
      ? usersOf(process)
      : [];
  });
}

function usersOf(process: string): number[] {
  const line = linesOf(`/proc/${process}/status`).find((one) => one.startsWith("Uid:")) ?? "";
  return line.split(/\s+/).slice(1, 3).map(Number);
}

function linesOf(file: string): string[] {
  try {
    return fs.readFileSync(file, "latin1").split("\n");
  } catch {
    return [];
  }
}
