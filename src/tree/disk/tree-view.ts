/** A tree that can be looked at but not changed; it uses paths, so that no descriptor has to be kept. */
import type { FileStats } from "../../sys/stat.ts";

/** An open file that is only read; its user must close it. */
export interface ReadableFile {
  stat(): FileStats;
  /** Reads up to the size of `bytes`; 0 at the end. */
  read(bytes: Uint8Array, offset: number): number;
  /** The next data at or after an offset: see Disk.nextData(). */
  nextData(offset: number): number | undefined;
  nextHole(offset: number): number;
  close(): void;
}

/**
 * The tree below a directory. Paths are byte strings relative to it; the empty path is the directory itself. No
 * symbolic link is followed on the way. Missing entries are undefined; everything else throws an error with a code.
 */
export interface TreeView {
  /** The effective user of this process. */
  readonly user: number;
  readonly hasExactTimes: boolean;
  readonly hasAttributes: boolean;
  /**
   * The time that the file system of an entry stores for a given one; the given one if the entry's present time cannot
   * come from it, or if that cannot be found out.
   */
  keptTime(stats: FileStats, timeNs: bigint): bigint;
  /** Bytes that may still be written. */
  freeBytes(): number;
  /** Entries that may still be made; Infinity if the file system has no bound. */
  freeInodes(): number;
  /** Looks a directory up again from now on: it may have been moved. */
  forget(path: string): void;
  /** Whether a directory with this path exists. */
  hasDirectory(path: string): boolean;
  /** The stats of an entry, of a link itself. */
  stat(path: string): FileStats | undefined;
  /** The stats of an entry of a directory; faster for many entries in a row. */
  statIn(directory: string, name: string): FileStats | undefined;
  /** The stats of a directory that exists. */
  statDirectory(path: string): FileStats;
  /** All names in a directory that exists, in no order. */
  list(directory: string): string[];
  /** Throws if this process may not change the entries of a directory. */
  checkWritable(directory: string): void;
  /** The quota project that new entries of a directory belong to; 0 if it has none. */
  projectOf(directory: string): number;
  readLink(directory: string, name: string): string;
  listAttributes(directory: string, name: string): string[];
  readAttribute(directory: string, name: string, attribute: string): Uint8Array | undefined;
  openToRead(directory: string, name: string): ReadableFile;
}
