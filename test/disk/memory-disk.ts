import { keptTime } from "../../src/tree/disk/kept-times.ts";
import type { Random } from "../../src/base/random.ts";
import { type DeviceNumber, packDevice, type SpecialKind } from "../../src/sys/special-files.ts";
import type { FileStats } from "../../src/sys/stat.ts";
import {
  type DirectoryHandle,
  type Disk,
  type FileHandle,
  type FileSystemFacts,
  ITSELF,
} from "../../src/tree/disk/disk.ts";
import { SAME_OWNER } from "../../src/tree/entries/attributes.ts";
import { type Chance, everyChance, RandomChance } from "./chance.ts";
import { DiskError } from "./disk-error.ts";
import { closed, openDirectoryHandle, opened, openFileHandle } from "./handles.ts";
import { type Inode, MemoryStats, TYPE } from "./inode.ts";
import * as attributes from "./memory-attributes.ts";
import * as files from "./memory-files.ts";
import * as names from "./memory-names.ts";
import { type MemoryDiskOptions, MemoryMachine } from "./memory-machine.ts";
import { LONGEST_NAME_BYTES, type MemoryState } from "./memory-state.ts";
import { MAY, requireAccess } from "./permissions.ts";
import { survivingState } from "./survival.ts";
import { walkPath } from "./walk-path.ts";

/** PATH_MAX of Linux without the NUL at the end. */
const LONGEST_TARGET_BYTES = 4095;

/**
 * A disk in memory that behaves like Linux, including the codes of its errors, and that can crash: crash() returns the
 * disk that the machine finds when it is on again.
 */
export class MemoryDisk extends MemoryMachine implements Disk {
  readonly hasExactTimes: boolean;
  readonly canFindHoles: boolean;
  readonly hasAttributes: boolean;
  private readonly canClone: boolean;

  constructor(options: MemoryDiskOptions = {}, survived?: MemoryState) {
    super(options, survived);
    this.hasExactTimes = options.hasExactTimes ?? true;
    this.canFindHoles = options.canFindHoles ?? true;
    this.hasAttributes = options.hasAttributes ?? true;
    this.canClone = options.canClone ?? false;
  }

  /** Stops the machine, and returns the disk that it finds afterwards: one of the states that a crash may leave. */
  crash(random: Random): MemoryDisk {
    this.stop();
    return this.after(new RandomChance(random));
  }

  /**
   * All states that a crash may leave at this moment, some of them more than once. This disk itself continues.
   *
   * @throws if there are more than `limit`
   */
  *crashStates(limit: number): Generator<MemoryDisk> {
    let count = 0;
    for (const disk of everyChance((chance) => this.after(chance))) {
      if (++count > limit) throw new Error(`there are more than ${limit} states`);
      yield disk;
    }
  }

  openRoot(path: string | Buffer): DirectoryHandle {
    this.look("openRoot", "");
    const inode = walkPath(this.state, Buffer.from(path).toString("latin1"));
    if (!inode.isDirectory) throw new DiskError("ENOTDIR", "open");
    requireAccess(this.state.identity, inode, MAY.read, "open");
    return openDirectoryHandle(this, inode);
  }

  openDirectory(parent: DirectoryHandle, name: string): DirectoryHandle {
    this.look("openDirectory", name);
    const inode = this.find(parent, name, "open");
    if (!inode.isDirectory) throw new DiskError("ENOTDIR", "open");
    return openDirectoryHandle(this, inode);
  }

  closeDirectory(directory: DirectoryHandle): void {
    this.look("closeDirectory", "");
    this.state.releaseUnused(closed(this, directory));
  }

  statDirectory(directory: DirectoryHandle): FileStats {
    this.look("statDirectory", "");
    return new MemoryStats(this.inodeOf(directory, "fstat"));
  }

  fileSystemOf(directory: DirectoryHandle): FileSystemFacts {
    this.look("fileSystemOf", "");
    const inode = this.inodeOf(directory, "statfs");
    requireAccess(this.state.identity, inode, MAY.search, "statfs");
    const { capacityBytes, usedBytes } = this.state.volumeOf(inode);
    const isOrdered = this.state.options.model === "ordered";
    return {
      freeBytes: Math.max(0, capacityBytes - usedBytes),
      freeInodes: this.freeInodes,
      isOrdered,
      isPlain: true,
    };
  }

  checkWritable(directory: DirectoryHandle): void {
    this.look("checkWritable", "");
    const inode = this.inodeOf(directory, "access");
    requireAccess(this.state.identity, inode, MAY.search, "access");
    this.state.requireWritable(inode, "access");
    requireAccess(this.state.identity, inode, MAY.write, "access");
  }

  projectOf(directory: DirectoryHandle): number {
    this.look("projectOf", "");
    return this.inodeOf(directory, "ioctl").project;
  }

  list(directory: DirectoryHandle, isMarked = false): string[] {
    this.look("list", "");
    const inode = this.inodeOf(directory, "scandir");
    requireAccess(this.state.identity, inode, MAY.read, "scandir");
    const entries = [...(inode.entries ?? [])];
    return entries.map(([name, entry]) => (isMarked && entry.isDirectory ? `${name}/` : name));
  }

  *listSlowly(directory: DirectoryHandle): Generator<string> {
    yield* this.list(directory);
  }

  stat(parent: DirectoryHandle, name: string): FileStats | undefined {
    this.look("stat", name);
    const inode = this.state.lookUp(this.inodeOf(parent, "statx"), name, "statx");
    return inode === undefined ? undefined : new MemoryStats(inode);
  }

  makeDirectory(parent: DirectoryHandle, name: string, mode: number): void {
    this.change("makeDirectory", name);
    this.state.make(this.inodeOf(parent, "mkdir"), name, "mkdir", TYPE.directory, mode);
  }

  makeSymlink(parent: DirectoryHandle, name: string, target: string): void {
    this.change("makeSymlink", name);
    if (target === "") throw new DiskError("ENOENT", "symlink");
    if (target.length > LONGEST_TARGET_BYTES) throw new DiskError("ENAMETOOLONG", "symlink");
    this.state.make(this.inodeOf(parent, "symlink"), name, "symlink", TYPE.symlink, 0, { target });
  }

  makeSpecial(
    parent: DirectoryHandle,
    name: string,
    kind: SpecialKind,
    mode: number,
    device: DeviceNumber,
  ): void {
    this.change("makeSpecial", name);
    if (name.length > LONGEST_NAME_BYTES) throw new DiskError("ENAMETOOLONG", "mknodat");
    const directory = this.inodeOf(parent, "mknodat");
    const deviceId = kind === "fifo" ? 0 : packDevice(device.major, device.minor);
    // Every user may create the character device 0:0: it is the whiteout of overlay file systems.
    const mayMake = kind === "fifo" || (kind === "characterDevice" && deviceId === 0);
    if (!mayMake && this.user !== 0) {
      this.state.requireFree(directory, name, "mknodat");
      throw new DiskError("EPERM", "mknodat");
    }
    this.state.make(directory, name, "mknodat", TYPE[kind], mode, { deviceId });
  }

  link(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void {
    this.change("link", name);
    names.linkEntry(this.state, this.inodeOf(from, "link"), name, this.inodeOf(to, "link"), newName);
  }

  rename(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void {
    this.change("rename", name);
    names.renameEntry(this.state, this.inodeOf(from, "rename"), name, this.inodeOf(to, "rename"), newName);
  }

  exchange(from: DirectoryHandle, name: string, to: DirectoryHandle, otherName: string): boolean {
    const [source, target] = [this.inodeOf(from, "exchange"), this.inodeOf(to, "exchange")];
    try {
      this.change("exchange", name);
      if (this.options.canExchange === false) return false;
      names.exchangeEntries(this.state, source, name, target, otherName, this.options.touchesExchanged);
      return true;
    } catch (error) {
      // A disk does not report why it cannot exchange.
      if (error instanceof DiskError) return false;
      throw error;
    }
  }

  unlink(parent: DirectoryHandle, name: string): void {
    this.change("unlink", name);
    names.unlinkEntry(this.state, this.inodeOf(parent, "unlink"), name);
  }

  removeDirectory(parent: DirectoryHandle, name: string): void {
    this.change("removeDirectory", name);
    names.removeEmptyDirectory(this.state, this.inodeOf(parent, "rmdir"), name);
  }

  readLink(parent: DirectoryHandle, name: string): string {
    this.look("readLink", name);
    const inode = this.find(parent, name, "readlink");
    if (!inode.isSymlink) throw new DiskError("EINVAL", "readlink");
    return inode.birth.target;
  }

  setOwner(parent: DirectoryHandle, name: string, user: number, group: number): void {
    this.change("setOwner", name);
    attributes.setOwnerOf(this.state, this.findOrItself(parent, name, "chown"), user, group);
  }

  setGroup(parent: DirectoryHandle, name: string, group: number, owner: number | undefined): void {
    this.change("setGroup", name);
    const inode = this.findOrItself(parent, name, "chown");
    if (owner !== undefined && inode.user !== owner) throw new DiskError("EPERM", "chown");
    attributes.setOwnerOf(this.state, inode, SAME_OWNER, group);
  }

  setMode(parent: DirectoryHandle, name: string, mode: number): void {
    this.change("setMode", name);
    attributes.setModeOf(this.state, this.findOrItself(parent, name, "chmod"), mode);
  }

  setTime(parent: DirectoryHandle, name: string, mtimeNs: bigint): void {
    this.change("setTime", name);
    attributes.setTimeOf(this.state, this.findOrItself(parent, name, "utimensat"), mtimeNs);
  }

  listAttributes(parent: DirectoryHandle, name: string): string[] {
    this.look("listAttributes", name);
    if (!this.hasAttributes) return [];
    return attributes.attributeNames(this.state, this.find(parent, name, "llistxattr"));
  }

  readAttribute(parent: DirectoryHandle, name: string, attribute: string): Uint8Array | undefined {
    this.look("readAttribute", name);
    if (!this.hasAttributes) return undefined;
    return attributes.attributeValue(this.state, this.find(parent, name, "lgetxattr"), attribute);
  }

  setAttribute(parent: DirectoryHandle, name: string, attribute: string, value: Uint8Array): void {
    this.change("setAttribute", name);
    if (!this.hasAttributes) throw new DiskError("ENOSYS", "lsetxattr");
    attributes.changeAttribute(this.state, this.find(parent, name, "lsetxattr"), attribute, value);
  }

  removeAttribute(parent: DirectoryHandle, name: string, attribute: string): void {
    this.change("removeAttribute", name);
    if (!this.hasAttributes) throw new DiskError("ENOSYS", "lremovexattr");
    attributes.changeAttribute(this.state, this.find(parent, name, "lremovexattr"), attribute, undefined);
  }

  tryTimes(_directory: DirectoryHandle, timesNs: readonly bigint[]): readonly bigint[] | undefined {
    this.look("tryTimes", "");
    const { keptTimes, hasUnnamedFiles } = this.state.options;
    return hasUnnamedFiles ? timesNs.map((timeNs) => keptTime(timeNs, keptTimes)) : undefined;
  }

  makeFile(parent: DirectoryHandle, name: string, mode: number): FileHandle {
    this.change("makeFile", name);
    const inode = this.state.make(this.inodeOf(parent, "openat"), name, "openat", TYPE.file, mode);
    return openFileHandle(this, inode, "both");
  }

  openFile(parent: DirectoryHandle, name: string, access: "read" | "write"): FileHandle {
    this.look("openFile", name);
    const inode = files.findToOpen(this.state, this.inodeOf(parent, "openat"), name, access);
    return openFileHandle(this, inode, access);
  }

  closeFile(file: FileHandle): void {
    this.look("closeFile", "");
    this.state.releaseUnused(closed(this, file));
  }

  statFile(file: FileHandle): FileStats {
    this.look("statFile", "");
    return new MemoryStats(this.inodeOf(file, "fstat"));
  }

  read(file: FileHandle, bytes: Uint8Array, offset: number): number {
    this.look("read", "");
    const { inode, access } = opened(this, file, "read");
    files.requireSeekable(inode, "read");
    if (access === "write") throw new DiskError("EBADF", "read");
    return files.readFrom(inode, bytes, offset);
  }

  write(file: FileHandle, bytes: Uint8Array, offset: number): number {
    this.change("write", "");
    const { inode, access } = opened(this, file, "write");
    files.requireSeekable(inode, "write");
    if (access === "read") throw new DiskError("EBADF", "write");
    return files.writeTo(this.state, inode, bytes, offset);
  }

  truncate(file: FileHandle, sizeBytes: number): void {
    this.change("truncate", "");
    const { inode, access } = opened(this, file, "ftruncate");
    if (access === "read") throw new DiskError("EINVAL", "ftruncate");
    files.truncateTo(this.state, inode, sizeBytes);
  }

  cloneContents(from: FileHandle, to: FileHandle): boolean {
    if (!this.canClone) return false;
    this.look("cloneContents", "");
    const bytes = new Uint8Array(this.statFile(from).size);
    this.read(from, bytes, 0);
    return this.write(to, bytes, 0) === bytes.length;
  }

  nextData(file: FileHandle, offset: number): number | undefined {
    this.look("nextData", "");
    const contents = files.contentsOf(this.inodeOf(file, "lseek"), "lseek");
    if (!this.canFindHoles) return offset < contents.sizeBytes ? offset : undefined;
    return contents.nextData(offset);
  }

  nextHole(file: FileHandle, offset: number): number {
    this.look("nextHole", "");
    const contents = files.contentsOf(this.inodeOf(file, "lseek"), "lseek");
    if (!this.canFindHoles) return Math.max(offset, contents.sizeBytes);
    return contents.nextHole(offset);
  }

  listFileAttributes(file: FileHandle): string[] {
    this.look("listFileAttributes", "");
    if (!this.hasAttributes) return [];
    return attributes.attributeNames(this.state, this.inodeOf(file, "flistxattr"));
  }

  readFileAttribute(file: FileHandle, attribute: string): Uint8Array | undefined {
    this.look("readFileAttribute", "");
    if (!this.hasAttributes) return undefined;
    return attributes.attributeValue(this.state, this.inodeOf(file, "fgetxattr"), attribute, "fgetxattr");
  }

  setFileOwner(file: FileHandle, user: number, group: number): void {
    this.change("setFileOwner", "");
    attributes.setOwnerOf(this.state, this.inodeOf(file, "fchown"), user, group);
  }

  setFileMode(file: FileHandle, mode: number): void {
    this.change("setFileMode", "");
    attributes.setModeOf(this.state, this.inodeOf(file, "fchmod"), mode);
  }

  setFileTime(file: FileHandle, mtimeNs: bigint): void {
    this.change("setFileTime", "");
    attributes.setTimeOf(this.state, this.inodeOf(file, "futimens"), mtimeNs);
  }

  syncContents(file: FileHandle): void {
    this.change("syncContents", "");
    const inode = files.requireSyncable(this.inodeOf(file, "fdatasync"));
    this.state.volumeOf(inode).journal.syncContents(inode);
  }

  syncFile(file: FileHandle): void {
    this.change("syncFile", "");
    const inode = files.requireSyncable(this.inodeOf(file, "fsync"));
    this.state.volumeOf(inode).journal.syncFile(inode);
  }

  syncDirectory(directory: DirectoryHandle): void {
    this.change("syncDirectory", "");
    const inode = this.inodeOf(directory, "fsync");
    requireAccess(this.state.identity, inode, MAY.read, "fsync");
    this.state.volumeOf(inode).journal.syncDirectory(inode);
  }

  syncFileSystem(directory: DirectoryHandle): void {
    this.change("syncFileSystem", "");
    const inode = this.inodeOf(directory, "syncfs");
    requireAccess(this.state.identity, inode, MAY.read, "syncfs");
    this.state.volumeOf(inode).journal.syncAll();
  }

  private after(chance: Chance): MemoryDisk {
    // The disk of a subclass stays one.
    const Class = this.constructor as typeof MemoryDisk;
    return new Class(this.options, survivingState(this.state, chance));
  }

  private find(parent: DirectoryHandle, name: string, call: string): Inode {
    return this.state.find(this.inodeOf(parent, call), name, call);
  }

  /** For changes of attributes: a handle is enough for the directory itself, even if it denies this process access. */
  private findOrItself(parent: DirectoryHandle, name: string, call: string): Inode {
    return name === ITSELF ? this.inodeOf(parent, call) : this.find(parent, name, call);
  }
}
