/** All that the tree asks of the kernel, as one interface: the real disk, and those of tests, stand behind it. */
import type { DeviceNumber, SpecialKind } from "../../sys/special-files.ts";
import type { FileStats } from "../../sys/stat.ts";

declare const handle: unique symbol;

/**
 * An open directory. It cannot be mixed up with a number, and mostly it is borrowed from Directories, which closes it when
 * others are needed: so no generator holds one over a `yield` (`make lint` looks for that).
 */
export interface DirectoryHandle {
  readonly [handle]: "directory";
}

/** An open file. Whoever opened it closes it, and may keep it over a `yield`. */
export interface FileHandle {
  readonly [handle]: "file";
}

/** As a name in a directory: the directory itself. */
export const ITSELF = ".";

/** What there is to know of a file system. */
export interface FileSystemFacts {
  /** Bytes that a process without privileges may still write. */
  readonly freeBytes: number;
  /**
   * Whether it keeps changes of names in their order: when one is durable, so are all before it. Where that is not known,
   * everything has to be written out.
   */
  readonly isOrdered: boolean;
}

/**
 * A disk. Names are byte strings without a slash; no call follows a symbolic link in a name's place. Calls throw errors
 * with a code, as those of node:fs do (`errorCode` reads it).
 */
export interface Disk {
  /** The user as whom this process acts. */
  readonly user: number;
  /** Whether times can be set to the nanosecond; otherwise they are up to a microsecond off. */
  readonly hasExactTimes: boolean;
  /** Whether holes can be told from data at all. */
  readonly canFindHoles: boolean;
  /** Whether extended attributes can be read and set at all. */
  readonly hasAttributes: boolean;

  /** Opens the directory that everything else is below; its path may lead over links. */
  openRoot(path: string | Buffer): DirectoryHandle;
  /** Opens a directory for its entries; it need not be readable. Throws ENOTDIR for a link. */
  openDirectory(parent: DirectoryHandle, name: string): DirectoryHandle;
  closeDirectory(directory: DirectoryHandle): void;
  statDirectory(directory: DirectoryHandle): FileStats;
  fileSystemOf(directory: DirectoryHandle): FileSystemFacts;
  /** Throws where this process may not change the entries of a directory. */
  checkWritable(directory: DirectoryHandle): void;
  /** All names in a directory, in no order. */
  list(directory: DirectoryHandle): string[];
  /** The same piece by piece, for directories of any size; another listing may go on at the same time. */
  listSlowly(directory: DirectoryHandle): Generator<string>;

  /** The stats of an entry, of a link itself; undefined where it is not there. */
  stat(parent: DirectoryHandle, name: string): FileStats | undefined;
  makeDirectory(parent: DirectoryHandle, name: string, mode: number): void;
  makeSymlink(parent: DirectoryHandle, name: string, target: string): void;
  /** Makes a FIFO or a device node; ENOSYS where that cannot be done at all. */
  makeSpecial(
    parent: DirectoryHandle,
    name: string,
    kind: SpecialKind,
    mode: number,
    device: DeviceNumber,
  ): void;
  /** Gives an entry a further name. */
  link(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void;
  rename(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void;
  /** Exchanges two entries in one step; false where the system cannot. */
  exchange(from: DirectoryHandle, name: string, to: DirectoryHandle, otherName: string): boolean;
  unlink(parent: DirectoryHandle, name: string): void;
  removeDirectory(parent: DirectoryHandle, name: string): void;
  /** Where a symbolic link points. */
  readLink(parent: DirectoryHandle, name: string): string;

  /** Sets the owner and the group of an entry; -1 leaves one as it is. */
  setOwner(parent: DirectoryHandle, name: string, user: number, group: number): void;
  /**
   * Sets the group of an entry.
   *
   * @param owner the user to whom the entry has to belong at that moment; undefined for any. Throws EPERM for an entry of
   *   another user, also where it took the place of one that was looked at before
   */
  setGroup(parent: DirectoryHandle, name: string, group: number, owner: number | undefined): void;
  /** Sets the permissions of a directory itself, or of a special file that was just made: never of a link. */
  setMode(parent: DirectoryHandle, name: string, mode: number): void;
  /** Sets the time of last change, in nanoseconds since 1970. */
  setTime(parent: DirectoryHandle, name: string, mtimeNs: bigint): void;
  listAttributes(parent: DirectoryHandle, name: string): string[];
  /** Undefined where there is no such attribute. */
  readAttribute(parent: DirectoryHandle, name: string, attribute: string): Uint8Array | undefined;
  setAttribute(parent: DirectoryHandle, name: string, attribute: string, value: Uint8Array): void;
  removeAttribute(parent: DirectoryHandle, name: string, attribute: string): void;

  /** Makes a file that is not there, and opens it to write and to read. */
  makeFile(parent: DirectoryHandle, name: string, mode: number): FileHandle;
  /** Opens a file without waiting for anything; throws ELOOP for a link. */
  openFile(parent: DirectoryHandle, name: string, access: "read" | "write"): FileHandle;
  closeFile(file: FileHandle): void;
  statFile(file: FileHandle): FileStats;
  /** Reads up to the size of `bytes`; 0 at the end of the file. */
  read(file: FileHandle, bytes: Uint8Array, offset: number): number;
  /** Writes some of `bytes`, from a place in them on; returns how many. */
  write(file: FileHandle, bytes: Uint8Array, offset: number): number;
  truncate(file: FileHandle, sizeBytes: number): void;
  /** The first byte at or behind an offset that is data; undefined where none follows. */
  nextData(file: FileHandle, offset: number): number | undefined;
  /** The first byte at or behind an offset that belongs to a hole; the end of a file is one. */
  nextHole(file: FileHandle, offset: number): number;
  setFileOwner(file: FileHandle, user: number, group: number): void;
  setFileMode(file: FileHandle, mode: number): void;
  setFileTime(file: FileHandle, mtimeNs: bigint): void;

  /** Makes the contents of a file durable, and its size; not its times, its owner, its names. */
  syncContents(file: FileHandle): void;
  /** Makes a file durable with all its attributes; its name is its directory's matter. */
  syncFile(file: FileHandle): void;
  /** Makes the names in a directory durable. */
  syncDirectory(directory: DirectoryHandle): void;
  /** Makes everything durable that was written to the file system of a directory. */
  syncFileSystem(directory: DirectoryHandle): void;
}
