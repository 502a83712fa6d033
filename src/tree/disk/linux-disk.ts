/** The disk of this host, through node:fs, and through src/sys for calls that Node lacks. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { cloneContents } from "../../sys/clones.ts";
import { closeDescriptor, readAt, writeAt } from "../../sys/contents.ts";
import os from "node:os";
import { listNames } from "../../sys/directory-listing.ts";
import { bytesOfPath, entryPath } from "../../sys/entry-path.ts";
import {
  canSyncFileSystem,
  checkAccess,
  exchange,
  hasExactTimes,
  noticeStores,
  O_PATH,
  openEntry,
  setDescriptorTime,
  setLinkTime,
  setTime,
  syncFileSystem,
} from "../../sys/files.ts";
import {
  linkEntry,
  makeDirectoryEntry,
  removeDirectoryEntry,
  renameEntry,
  unlinkEntry,
} from "../../sys/names.ts";
import { O_TMPFILE } from "../../sys/native.ts";
import { canReadProject, inheritedProject } from "../../sys/projects.ts";
import { canFindHoles, nextData, nextHole } from "../../sys/holes.ts";
import { type DeviceNumber, makeSpecialFile, type SpecialKind } from "../../sys/special-files.ts";
import { type FileStats, statDescriptor, statEntry } from "../../sys/stat.ts";
import { errorCode, systemError } from "../../sys/system-error.ts";
import {
  canReadAttributes,
  listAttributes,
  listDescriptorAttributes,
  readAttribute,
  readDescriptorAttribute,
  removeAttribute,
  setAttribute,
} from "../../sys/xattrs.ts";
import { type DirectoryHandle, type Disk, type FileHandle, type FileSystemFacts, ITSELF } from "./disk.ts";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants;

/** The magic numbers of ext4, xfs, tmpfs and overlayfs: a durable change makes all earlier changes durable on them. */
const ORDERED_FILE_SYSTEMS = new Set([0xef53, 0x58465342, 0x01021994, 0x794c7630]);

/** Of these, overlayfs may lie on one that compresses contents. */
const PLAIN_FILE_SYSTEMS = new Set([0xef53, 0x58465342, 0x01021994]);

/** For chown() this number means that the user stays as it is. */
const SAME_USER = -1;

export class LinuxDisk implements Disk {
  get user(): number {
    return process.geteuid?.() ?? 0;
  }

  get hasExactTimes(): boolean {
    return hasExactTimes();
  }

  get canFindHoles(): boolean {
    return canFindHoles();
  }

  get hasAttributes(): boolean {
    return canReadAttributes();
  }

  openRoot(path: string | Buffer): DirectoryHandle {
    return directoryOf(fs.openSync(path, O_RDONLY | O_DIRECTORY));
  }

  openDirectory(parent: DirectoryHandle, name: string): DirectoryHandle {
    return directoryOf(openEntry(descriptorOf(parent), name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  }

  closeDirectory(directory: DirectoryHandle): void {
    closeDescriptor(descriptorOf(directory));
  }

  statDirectory(directory: DirectoryHandle): FileStats {
    return statDescriptor(descriptorOf(directory));
  }

  fileSystemOf(directory: DirectoryHandle): FileSystemFacts {
    const { bavail, bsize, files, ffree, type } = fs.statfsSync(`${itself(directory)}/.`);
    // Btrfs and others make inodes as they need them, and say 0 for both.
    const freeInodes = files === 0 ? Infinity : ffree;
    const isOrdered = ORDERED_FILE_SYSTEMS.has(type);
    return { freeBytes: bavail * bsize, freeInodes, isOrdered, isPlain: PLAIN_FILE_SYSTEMS.has(type) };
  }

  checkWritable(directory: DirectoryHandle): void {
    checkAccess(`${itself(directory)}/.`, fs.constants.W_OK | fs.constants.X_OK);
  }

  projectOf(directory: DirectoryHandle): number {
    // A directory that cannot be read cannot be asked. Then it cannot be listed either, and the others can be pushed.
    if (!canReadProject()) return 0;
    try {
      let project = 0;
      withReadable(directory, (descriptor) => (project = inheritedProject(descriptor)));
      return project;
    } catch (error) {
      errorCode(error);
      return 0;
    }
  }

  list(directory: DirectoryHandle, isMarked = false): string[] {
    return [...listNames(itself(directory), isMarked)];
  }

  listSlowly(directory: DirectoryHandle): Generator<string> {
    return listNames(itself(directory));
  }

  stat(parent: DirectoryHandle, name: string): FileStats | undefined {
    return statEntry(descriptorOf(parent), name);
  }

  makeDirectory(parent: DirectoryHandle, name: string, mode: number): void {
    makeDirectoryEntry(descriptorOf(parent), name, mode);
  }

  makeSymlink(parent: DirectoryHandle, name: string, target: string): void {
    fs.symlinkSync(bytesOfPath(target), pathOf(parent, name));
  }

  makeSpecial(
    parent: DirectoryHandle,
    name: string,
    kind: SpecialKind,
    mode: number,
    device: DeviceNumber,
  ): void {
    makeSpecialFile(descriptorOf(parent), name, kind, mode, device);
  }

  link(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void {
    linkEntry(descriptorOf(from), name, descriptorOf(to), newName);
  }

  rename(from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string): void {
    renameEntry(descriptorOf(from), name, descriptorOf(to), newName);
  }

  exchange(from: DirectoryHandle, name: string, to: DirectoryHandle, otherName: string): boolean {
    return exchange(pathOf(from, name), pathOf(to, otherName));
  }

  unlink(parent: DirectoryHandle, name: string): void {
    unlinkEntry(descriptorOf(parent), name);
  }

  removeDirectory(parent: DirectoryHandle, name: string): void {
    removeDirectoryEntry(descriptorOf(parent), name);
  }

  readLink(parent: DirectoryHandle, name: string): string {
    return fs.readlinkSync(pathOf(parent, name), { encoding: "buffer" }).toString("latin1");
  }

  setOwner(parent: DirectoryHandle, name: string, user: number, group: number): void {
    if (name === ITSELF) fs.chownSync(itself(parent), user, group);
    else fs.lchownSync(pathOf(parent, name), user, group);
  }

  setGroup(parent: DirectoryHandle, name: string, group: number, owner: number | undefined): void {
    // The look and the change use one descriptor: between them another entry may get the name.
    const descriptor = openEntry(descriptorOf(parent), name, O_PATH | O_NOFOLLOW);
    try {
      if (owner !== undefined && statDescriptor(descriptor).uid !== owner) {
        throw systemError("chown", os.constants.errno.EPERM);
      }
      fs.chownSync(`/proc/self/fd/${descriptor}`, SAME_USER, group);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  setMode(parent: DirectoryHandle, name: string, mode: number): void {
    // Through the descriptor: a directory may deny this process access, so that not even `.` can be looked up in it.
    fs.chmodSync(name === ITSELF ? itself(parent) : pathOf(parent, name), mode);
  }

  setTime(parent: DirectoryHandle, name: string, mtimeNs: bigint): void {
    if (name === ITSELF) setTime(bytesOfPath(itself(parent)), mtimeNs);
    else setLinkTime(pathOf(parent, name), mtimeNs);
  }

  listAttributes(parent: DirectoryHandle, name: string): string[] {
    return listAttributes(pathOf(parent, name));
  }

  readAttribute(parent: DirectoryHandle, name: string, attribute: string): Uint8Array | undefined {
    return readAttribute(pathOf(parent, name), attribute);
  }

  setAttribute(parent: DirectoryHandle, name: string, attribute: string, value: Uint8Array): void {
    setAttribute(pathOf(parent, name), attribute, value);
  }

  removeAttribute(parent: DirectoryHandle, name: string, attribute: string): void {
    removeAttribute(pathOf(parent, name), attribute);
  }

  tryTimes(directory: DirectoryHandle, timesNs: readonly bigint[]): readonly bigint[] | undefined {
    let descriptor: number;
    try {
      descriptor = fs.openSync(`/proc/self/fd/${descriptorOf(directory)}`, O_TMPFILE | O_RDWR, 0o600);
    } catch (error) {
      errorCode(error);
      return undefined;
    }
    try {
      return timesNs.map((timeNs) => {
        setDescriptorTime(descriptor, timeNs);
        return statDescriptor(descriptor).mtimeNs;
      });
    } finally {
      fs.closeSync(descriptor);
    }
  }

  makeFile(parent: DirectoryHandle, name: string, mode: number): FileHandle {
    return fileOf(openEntry(descriptorOf(parent), name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
  }

  openFile(parent: DirectoryHandle, name: string, access: "read" | "write"): FileHandle {
    const flags = access === "read" ? O_RDONLY | O_NONBLOCK : O_WRONLY;
    const descriptor = openEntry(descriptorOf(parent), name, flags | O_NOFOLLOW);
    // Readers compare the stats before and after.
    if (access === "read") noticeStores(descriptor);
    return fileOf(descriptor);
  }

  closeFile(file: FileHandle): void {
    closeDescriptor(descriptorOf(file));
  }

  statFile(file: FileHandle): FileStats {
    return statDescriptor(descriptorOf(file));
  }

  read(file: FileHandle, bytes: Uint8Array, offset: number): number {
    return readAt(descriptorOf(file), bytes, offset);
  }

  write(file: FileHandle, bytes: Uint8Array, offset: number): number {
    return writeAt(descriptorOf(file), bytes, offset);
  }

  truncate(file: FileHandle, sizeBytes: number): void {
    fs.ftruncateSync(descriptorOf(file), sizeBytes);
  }

  cloneContents(from: FileHandle, to: FileHandle): boolean {
    return cloneContents(descriptorOf(from), descriptorOf(to));
  }

  nextData(file: FileHandle, offset: number): number | undefined {
    return nextData(descriptorOf(file), offset);
  }

  nextHole(file: FileHandle, offset: number): number {
    return nextHole(descriptorOf(file), offset);
  }

  listFileAttributes(file: FileHandle): string[] {
    return listDescriptorAttributes(descriptorOf(file));
  }

  readFileAttribute(file: FileHandle, attribute: string): Uint8Array | undefined {
    return readDescriptorAttribute(descriptorOf(file), attribute);
  }

  setFileOwner(file: FileHandle, user: number, group: number): void {
    fs.fchownSync(descriptorOf(file), user, group);
  }

  setFileMode(file: FileHandle, mode: number): void {
    fs.fchmodSync(descriptorOf(file), mode);
  }

  setFileTime(file: FileHandle, mtimeNs: bigint): void {
    setDescriptorTime(descriptorOf(file), mtimeNs);
  }

  syncContents(file: FileHandle): void {
    fs.fdatasyncSync(descriptorOf(file));
  }

  syncFile(file: FileHandle): void {
    fs.fsyncSync(descriptorOf(file));
  }

  syncDirectory(directory: DirectoryHandle): void {
    withReadable(directory, fs.fsyncSync);
  }

  syncFileSystem(directory: DirectoryHandle): void {
    withReadable(directory, canSyncFileSystem() ? syncFileSystem : runSync);
  }
}

/** The disk of this host. */
export const linuxDisk: Disk = new LinuxDisk();

/** In this implementation handles are descriptors; only this file knows that. */
function directoryOf(descriptor: number): DirectoryHandle {
  return descriptor as unknown as DirectoryHandle;
}

function fileOf(descriptor: number): FileHandle {
  return descriptor as unknown as FileHandle;
}

function descriptorOf(handle: DirectoryHandle | FileHandle): number {
  return handle as unknown as number;
}

function pathOf(parent: DirectoryHandle, name: string): Buffer {
  return entryPath(descriptorOf(parent), name);
}

/** Syncs a file system with a program of the system, if the call is not available. */
function runSync(descriptor: number): void {
  const path = `/proc/${process.pid}/fd/${descriptor}`;
  const { status } = spawnSync("sync", ["--file-system", path], { stdio: "ignore" });
  if (status !== 0) throw Object.assign(new Error("sync failed"), { code: "EIO" });
}

/** Opens a directory a second time: a descriptor that only names a directory cannot sync it. */
function withReadable(directory: DirectoryHandle, use: (descriptor: number) => void): void {
  const descriptor = fs.openSync(itself(directory), O_RDONLY | O_DIRECTORY);
  try {
    use(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function itself(directory: DirectoryHandle): string {
  return `/proc/self/fd/${descriptorOf(directory)}`;
}
