/** Begins a file that comes as a clone of the one that is there. */
import type { Disk, FileHandle } from "../disk/disk.ts";
import type { ChunkSearch } from "./chunk-search.ts";

/** A file that is much longer than the one that comes is not cloned: most of it would be cut off again. */
const MOST_SIZES = 2;

/**
 * Of an image or a database in which some places have changed, most bytes keep their place. If the file system can share contents, the
 * file that comes begins with all of those of the file in which its first chunk was found. No chunk counts because of that: each is
 * read in the new file, and compared with its tag, and all others are written over (PROTOCOL.md 5.2.7).
 *
 * @param size of the file that comes, in bytes
 * @param handleOf opens that file; nothing may be written to it yet
 * @returns whether the file has those contents now
 */
export function beginAsClone(
  disk: Disk,
  search: ChunkSearch,
  size: number,
  handleOf: () => FileHandle,
): boolean {
  const { alike } = search;
  const from = alike?.handle;
  if (alike === undefined || from === undefined) return false;
  if (disk.statFile(from).size > MOST_SIZES * size) return false;
  const to = handleOf();
  if (!disk.cloneContents(from, to)) {
    disk.truncate(to, 0);
    return false;
  }
  // It may have grown until it was cloned.
  disk.truncate(to, size);
  search.takeClone(to, alike);
  return true;
}
