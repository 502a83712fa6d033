/** A tree as it can be looked at without being changed: by paths, so that no descriptor has to be kept. */
import type { FileStats } from "../../sys/stat.ts";

/** An open file that is only read; it is to be closed. */
export interface ReadableFile {
  stat(): FileStats;
  /** Reads up to the size of `bytes`; 0 at the end. */
  read(bytes: Uint8Array, offset: number): number;
  close(): void;
}

/**
 * The tree below a directory. Paths are byte strings below it, the empty path is the directory itself; no symbolic link is
 * followed on the way. Entries that are missing are told by undefined; everything else throws an error with a code.
 */
export interface TreeView {
  /** The user as whom this process acts. */
  readonly user: number;
  readonly hasExactTimes: boolean;
  readonly hasAttributes: boolean;
  /** Bytes that may still be written. */
  freeBytes(): number;
  /** Looks a directory up anew from now on: it may have been moved. */
  forget(path: string): void;
  /** Whether there is a directory of this path. */
  hasDirectory(path: string): boolean;
  /** The stats of an entry, of a link itself. */
  stat(path: string): FileStats | undefined;
  /** The same for an entry of a directory; faster for many of them in a row. */
  statIn(directory: string, name: string): FileStats | undefined;
  /** The stats of a directory that is there. */
  statDirectory(path: string): FileStats;
  /** All names in a directory that is there, in no order. */
  list(directory: string): string[];
  /** Throws where this process may not change the entries of a directory. */
  checkWritable(directory: string): void;
  readLink(directory: string, name: string): string;
  listAttributes(directory: string, name: string): string[];
  readAttribute(directory: string, name: string, attribute: string): Uint8Array | undefined;
  openToRead(directory: string, name: string): ReadableFile;
}
