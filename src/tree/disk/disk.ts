/** Everything that the tree needs from the kernel, as one interface: the real disk and those of tests implement it. */
import type { DeviceNumber, SpecialKind } from "../../sys/special-files.ts";
import type { FileStats } from "../../sys/stat.ts";

declare const handle: unique symbol;

/**
 * An open directory. Its type keeps it apart from numbers. Mostly it is borrowed from Directories, which closes it when
 * it needs room for others: so no generator may hold one over a `yield` (`make lint` checks that).
 */
export interface DirectoryHandle {
  readonly [handle]: "directory";
}

/** An open file. The code that opened it must close it, and may keep it over a `yield`. */
export interface FileHandle {
  readonly [handle]: "file";
}

/** The name by which a directory refers to itself. */
export const ITSELF = ".";

/** Properties of a file system. */
export interface FileSystemFacts {
  /** Bytes that a process without privileges may still write. */
  readonly freeBytes: number;
  /** Files that can still be made; Infinity if the file system has no bound. */
  readonly freeInodes: number;
  /**
   * Whether it keeps changes of names in their order: when one is durable, all earlier ones are durable, too. If that
   * is not known, everything has to be written out.
   */
  readonly isOrdered: boolean;
  /** Whether it is known that contents take as many bytes as they have: it never compresses them. */
  readonly isPlain: boolean;
}

/**
 * A disk. Names are byte strings without a slash. No call follows a symbolic link that has the place of a name. Calls
 * throw errors with a code, like those of node:fs (`errorCode` reads it).
 */
export interface Disk {
  /** The effective user of this process. */
  readonly user: number;
  /** Whether times can be set to the nanosecond; otherwise they are up to a microsecond off. */
  readonly hasExactTimes: boolean;
  /** Whether the disk can report holes. */
  readonly canFindHoles: boolean;
  /** Whether the calls for extended attributes are available. */
  readonly hasAttributes: boolean;

  /** Opens the directory above all others; its path may lead over links. */
  openRoot(path: string | Buffer): DirectoryHandle;
  /** Opens a directory for access to its entries; it need not be readable. Throws ENOTDIR for a link. */
  openDirectory(parent: DirectoryHandle, name: string): DirectoryHandle;
  closeDirectory(directory: DirectoryHandle): void;
  statDirectory(directory: DirectoryHandle): FileStats;
  fileSystemOf(directory: DirectoryHandle): FileSystemFacts;
  /** Throws if this process may not change the entries of a directory. */
  checkWritable(directory: DirectoryHandle): void;
  /**
   * The quota project that new entries of a directory belong to; 0 if it has none, or if the system does not tell. Entries
   * cannot be moved between projects.
   */
  projectOf(directory: DirectoryHandle): number;
  /**
   * All names in a directory, in no order.
   *
   * @param isMarked whether names of entries end with a slash that are directories, or may be
   */
  list(directory: DirectoryHandle, isMarked?: boolean): string[];
  /** All names piece by piece, for directories of any size; another listing may run at the same time. */
  listSlowly(directory: DirectoryHandle): Generator<string>;

  /** The stats of an entry, of a link itself; undefined if the entry does not exist. */
  stat(parent: DirectoryHandle, name: string): FileStats | undefined;
  makeDirectory(parent: DirectoryHandle, name: string, mode: number): void;
  makeSymlink(parent: DirectoryHandle, name: string, target: string): void;
  /** Makes a FIFO or a device node; throws ENOSYS if the call is not available. */
  makeSpecial(
    parent: DirectoryHandle,
    name: string,
    kind: SpecialKind,
    mode: number,
    device: DeviceNumber,
  ): void;
  /** Gives an entry another name. */
  link(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void;
  rename(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void;
  /** Exchanges two entries in one step; false if the system cannot do that. */
  exchange(from: DirectoryHandle, name: string, to: DirectoryHandle, otherName: string): boolean;
  unlink(parent: DirectoryHandle, name: string): void;
  removeDirectory(parent: DirectoryHandle, name: string): void;
  /** The target of a symbolic link. */
  readLink(parent: DirectoryHandle, name: string): string;

  /** Sets the owner and the group of an entry; -1 leaves one as it is. */
  setOwner(parent: DirectoryHandle, name: string, user: number, group: number): void;
  /**
   * Sets the group of an entry.
   *
   * @param owner the user to whom the entry must belong at that moment; undefined for any user
   * @throws EPERM for an entry of another user, even if it has just replaced one that was looked at before
   */
  setGroup(parent: DirectoryHandle, name: string, group: number, owner: number | undefined): void;
  /** Sets the permissions of a directory itself, or of a special file that was just made; never of a link. */
  setMode(parent: DirectoryHandle, name: string, mode: number): void;
  /** Sets the time of last change, in nanoseconds since 1970. */
  setTime(parent: DirectoryHandle, name: string, mtimeNs: bigint): void;
  listAttributes(parent: DirectoryHandle, name: string): string[];
  /** Undefined if there is no such attribute. */
  readAttribute(parent: DirectoryHandle, name: string, attribute: string): Uint8Array | undefined;
  setAttribute(parent: DirectoryHandle, name: string, attribute: string, value: Uint8Array): void;
  removeAttribute(parent: DirectoryHandle, name: string, attribute: string): void;

  /**
   * The times that the file system keeps of these, in nanoseconds: tried on a file without a name, so that nothing changes in
   * the tree; undefined where there are no such files.
   */
  tryTimes(directory: DirectoryHandle, timesNs: readonly bigint[]): readonly bigint[] | undefined;
  /** Creates a file that does not exist, and opens it for writing and reading. */
  makeFile(parent: DirectoryHandle, name: string, mode: number): FileHandle;
  /** Opens a file without waiting for anything; throws ELOOP for a link. */
  openFile(parent: DirectoryHandle, name: string, access: "read" | "write"): FileHandle;
  closeFile(file: FileHandle): void;
  statFile(file: FileHandle): FileStats;
  /** Reads up to the size of `bytes`; 0 at the end of the file. */
  read(file: FileHandle, bytes: Uint8Array, offset: number): number;
  /** Writes some of `bytes` to an offset in the file; returns how many. */
  write(file: FileHandle, bytes: Uint8Array, offset: number): number;
  truncate(file: FileHandle, sizeBytes: number): void;
  /**
   * Gives an empty file the contents of another one, which take no room of their own until one of both changes.
   *
   * @returns false if the file system cannot do that: then nothing is sure of the contents of `to`
   */
  cloneContents(from: FileHandle, to: FileHandle): boolean;
  /** The first byte of data at or after an offset; undefined if no data follow. */
  nextData(file: FileHandle, offset: number): number | undefined;
  /** The first byte of a hole at or after an offset; the end of a file counts as one. */
  nextHole(file: FileHandle, offset: number): number;
  /** The names of the extended attributes of an open file. */
  listFileAttributes(file: FileHandle): string[];
  /** Undefined if there is no such attribute. */
  readFileAttribute(file: FileHandle, attribute: string): Uint8Array | undefined;
  setFileOwner(file: FileHandle, user: number, group: number): void;
  setFileMode(file: FileHandle, mode: number): void;
  setFileTime(file: FileHandle, mtimeNs: bigint): void;

  /** Makes the contents of a file and its size durable, but not its times, owner and names. */
  syncContents(file: FileHandle): void;
  /** Makes a file durable with all its attributes. Its name needs a sync of its directory. */
  syncFile(file: FileHandle): void;
  /** Makes the names in a directory durable. */
  syncDirectory(directory: DirectoryHandle): void;
  /** Makes everything durable that was written to the file system of a directory. */
  syncFileSystem(directory: DirectoryHandle): void;
}
