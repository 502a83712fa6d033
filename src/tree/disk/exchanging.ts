/** Exchanges two entries of the same name, so that directories keep their times. */
import { orElse } from "../../sys/system-error.ts";
import type { DirectoryHandle, Disk } from "./disk.ts";

/**
 * Exchanges the entry of a name in one directory with that in another one. XFS counts that as a change of a directory itself: it gets
 * back the time that it had.
 *
 * @returns false if the system cannot do that
 */
export function exchanged(disk: Disk, from: DirectoryHandle, to: DirectoryHandle, name: string): boolean {
  const [coming, going] = [timeOf(disk, from, name), timeOf(disk, to, name)];
  if (!disk.exchange(from, name, to, name)) return false;
  if (coming !== undefined && timeOf(disk, to, name) !== coming) disk.setTime(to, name, coming);
  // That of another user may not get it. It leaves the tree.
  if (going !== undefined && timeOf(disk, from, name) !== going)
    orElse(undefined, () => disk.setTime(from, name, going));
  return true;
}

/** The time of a directory; undefined for anything else. */
function timeOf(disk: Disk, parent: DirectoryHandle, name: string): bigint | undefined {
  const stats = disk.stat(parent, name);
  return stats?.isDirectory() === true ? stats.mtimeNs : undefined;
}
