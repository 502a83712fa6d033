/** Bounds how much of its own files a member reads because a manifest makes it do so. */
import type { FileStats } from "../../sys/stat.ts";
import { PathSet } from "../entries/path-set.ts";

/**
 * Says whether a file may be read, for its digest or to be copied. An entry has some hundred bytes, and can make a member read a
 * file of any size. So each file is read once in a transfer for each of its names, whatever the manifest repeats. Files are told apart by
 * their inodes, because a file system that ignores the case of names has many paths for one name.
 */
export class OwnReadings {
  /** Each file with a number, for each time it was read. */
  private readonly read = new PathSet();

  /** Counts a reading; false if the file was read for all its names: each may be an entry of its own. */
  mayRead({ device, mount, inode, links, size, ctimeNs }: FileStats): boolean {
    // There are file systems that repeat numbers of inodes, and directories that are mounted in several places.
    const file = `${device} ${mount} ${inode} ${size} ${ctimeNs}`;
    const times = this.timesRead(file);
    if (times >= Math.max(links, 1)) return false;
    this.read.add(`${file} ${times + 1}`);
    return true;
  }

  /** The numbers of a file have no gap, so the last one is found by halves. */
  private timesRead(file: string): number {
    const was = (times: number): boolean => this.read.has(`${file} ${times}`);
    let beyond = 1;
    while (was(beyond)) beyond *= 2;
    let known = Math.floor(beyond / 2);
    while (beyond - known > 1) {
      const middle = Math.floor((known + beyond) / 2);
      if (was(middle)) known = middle;
      else beyond = middle;
    }
    return known;
  }
}
