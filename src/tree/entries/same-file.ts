/** Whether a file is still the one that was looked at, and still in the same state. */
import type { FileStats } from "../../sys/stat.ts";

/** Whether two stats belong to one file. */
export function isSameFile(stats: FileStats, other: FileStats | undefined): boolean {
  return other !== undefined && other.inode === stats.inode && other.device === stats.device;
}

/**
 * Whether two stats belong to one file in one state. Size and time are not enough: anybody who may rename in a
 * directory can put another file of the same size and time there, and a program can write to a file and set its time
 * back. The time of the last change of the inode shows both. But it also changes when the file gets or loses a name,
 * which changes nothing in the file; so it does not count if the number of names has changed.
 */
export function isSameState(stats: FileStats, now: FileStats | undefined): boolean {
  if (now === undefined || !isSameFile(stats, now)) return false;
  const hasSameRights = now.mode === stats.mode && now.uid === stats.uid && now.gid === stats.gid;
  const isUntouched = now.ctimeNs === stats.ctimeNs || now.links !== stats.links;
  return hasSameRights && isUntouched && now.size === stats.size && now.mtimeNs === stats.mtimeNs;
}
