/** The directory `lost+found` of a file system, which belongs to the host and not to the tree. */
import type { FileStats } from "../../sys/stat.ts";

const NAME = "lost+found";

/** The inode of the root of ext2, ext3 and ext4: it tells a root also where the kernel does not tell mounts. */
const EXT_ROOT_INODE = 2n;

const OTHERS = 0o077;

/**
 * Whether an entry is the directory in which a file system check puts what it finds: of root, closed to all others, in
 * the root of a mounted file system. It is never sent and never deleted, not by root either.
 *
 * @param parent the stats of its directory; only asked for where the name is right
 */
export function isLostAndFound(name: string, stats: FileStats, parent: () => FileStats): boolean {
  if (name !== NAME || !stats.isDirectory() || stats.uid !== 0 || (stats.mode & OTHERS) !== 0) return false;
  const { hasMount, inode } = parent();
  return hasMount || inode === EXT_ROOT_INODE;
}
