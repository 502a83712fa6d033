/** Bounds how much of its own files a member reads because a manifest makes it do so. */
import type { FileStats } from "../../sys/stat.ts";
import { PathSet } from "../entries/path-set.ts";

/**
 * Says whether a file may be read, for its digest or to be copied. An entry has some hundred bytes, and can make a member read a
 * file of any size. So each file is read once in a transfer for each of its names, whatever the manifest repeats. Files are told apart by
 * their inodes, because a file system that ignores the case of names has many paths for one name.
 */
export class OwnReadings {
  private readonly read = new PathSet();
  /** How often each file with several names was read: each name may be an entry of its own. */
  private readonly timesRead = new Map<string, number>();

  /** Counts a reading; false if the file was read for all its names. */
  mayRead({ device, inode, links, size, ctimeNs }: FileStats): boolean {
    // There are file systems that repeat numbers of inodes.
    const file = `${device} ${inode} ${size} ${ctimeNs}`;
    if (links > 1) {
      const times = this.timesRead.get(file) ?? 0;
      this.timesRead.set(file, times + 1);
      return times < links;
    }
    if (this.read.has(file)) return false;
    this.read.add(file);
    return true;
  }
}
