import { ITSELF } from "../../src/tree/disk/disk.ts";
import type { KeptTimes } from "../../src/tree/disk/kept-times.ts";
import type { Change, Image } from "./changes.ts";
import type { Circumstances } from "./dependencies.ts";
import { DiskError } from "./disk-error.ts";
import { type Birth, Inode, TYPE } from "./inode.ts";
import { type CrashModel, Journal } from "./journal.ts";
import { type Identity, inherited, MAY, requireAccess } from "./permissions.ts";
import { PAGE_BYTES } from "./sparse-contents.ts";

/** NAME_MAX of Linux. */
export const LONGEST_NAME_BYTES = 255;
/** mkdir() accepts only these bits of a mode. */
const DIRECTORY_MODE = 0o1777;

/** One file system of a disk. */
export interface Volume {
  readonly device: number;
  readonly journal: Journal;
  /** Room for contents and directories, in bytes. */
  capacityBytes: number;
  usedBytes: number;
  isReadOnly: boolean;
}

/** The properties that survive a crash. */
export interface MemoryOptions {
  readonly model: CrashModel;
  /** Nanoseconds since 1970. */
  readonly clock: () => bigint;
  /** The user of the first calls. */
  readonly identity: Identity;
  readonly umask: number;
  readonly keptTimes: KeptTimes;
  readonly hasUnnamedFiles: boolean;
  /** Whether names that differ in their case alone are one name. */
  readonly ignoresCase: boolean;
}

/** The state that all calls of a MemoryDisk share: the current image, its file systems, and the user of the calls. */
export class MemoryState {
  readonly now: Image;
  readonly volumes = new Map<number, Volume>();
  readonly root: Inode;
  readonly options: MemoryOptions;
  readonly clock: () => bigint;
  identity: Identity;
  private nextInode = 1;

  constructor(now: Image, root: Inode, options: MemoryOptions) {
    this.now = now;
    this.root = root;
    this.options = options;
    this.clock = options.clock;
    this.identity = options.identity;
    for (const number of now.keys()) this.nextInode = Math.max(this.nextInode, number + 1);
  }

  addVolume(device: number, durable: Image, capacityBytes: number): Volume {
    const journal = new Journal(this.options.model, this.now, durable);
    const volume = { device, journal, capacityBytes, usedBytes: 0, isReadOnly: false };
    this.volumes.set(device, volume);
    return volume;
  }

  volumeOf(inode: Inode): Volume {
    const volume = this.volumes.get(inode.birth.device);
    if (volume === undefined) throw new Error(`there is no device ${inode.birth.device}`);
    return volume;
  }

  record(inode: Inode, changes: readonly Change[], circumstances?: Circumstances): void {
    this.volumeOf(inode).journal.record(changes, circumstances);
  }

  requireWritable(inode: Inode, call: string): void {
    if (this.volumeOf(inode).isReadOnly) throw new DiskError("EROFS", call);
  }

  /** The entry of a name, or undefined; throws EACCES and ENAMETOOLONG. */
  lookUp(directory: Inode, name: string, call: string): Inode | undefined {
    requireAccess(this.identity, directory, MAY.search, call);
    if (name === ITSELF) return directory;
    if (directory.isRemoved) return undefined;
    if (name.length > LONGEST_NAME_BYTES) throw new DiskError("ENAMETOOLONG", call);
    return directory.entries?.get(this.realName(directory, name));
  }

  /** The name in a directory that a name stands for: another one if the disk ignores case. */
  realName(directory: Inode, name: string): string {
    if (!this.options.ignoresCase || directory.entries?.has(name) === true) return name;
    const folded = name.toLowerCase();
    return [...(directory.entries?.keys() ?? [])].find((one) => one.toLowerCase() === folded) ?? name;
  }

  /** The entry of a name; throws ENOENT if there is none. */
  find(directory: Inode, name: string, call: string): Inode {
    const inode = this.lookUp(directory, name, call);
    if (inode === undefined) throw new DiskError("ENOENT", call);
    return inode;
  }

  /** Creates an entry that does not exist yet. */
  make(
    directory: Inode,
    name: string,
    call: string,
    type: number,
    mode: number,
    more?: Partial<Birth>,
  ): Inode {
    this.requireFree(directory, name, call);
    const birth = { ...this.birth(directory, type, mode), ...more };
    const volume = this.volumeOf(directory);
    if (type === TYPE.directory) {
      if (volume.capacityBytes - volume.usedBytes < PAGE_BYTES) throw new DiskError("ENOSPC", call);
      volume.usedBytes += PAGE_BYTES;
    }
    volume.journal.record([
      { kind: "birth", birth },
      { kind: "name", directory: directory.number, name, inode: birth.number, timeNs: birth.mtimeNs },
    ]);
    const inode = this.now.get(birth.number);
    if (inode === undefined) throw new Error(`${call} made no inode`);
    return inode;
  }

  /** Throws if a name exists already, or if no entry can be created. */
  requireFree(directory: Inode, name: string, call: string): void {
    if (this.lookUp(directory, name, call) !== undefined) throw new DiskError("EEXIST", call);
    this.requireWritable(directory, call);
    this.requireRoomFor(directory, call);
  }

  /** Throws if this process may not create an entry in a directory. */
  requireRoomFor(directory: Inode, call: string): void {
    if (directory.isRemoved) throw new DiskError("ENOENT", call);
    requireAccess(this.identity, directory, MAY.write | MAY.search, call);
  }

  /** A root, which no image contains yet. */
  static makeRoot(number: number, device: number, identity: Identity, mtimeNs: bigint): Inode {
    const { user, group } = identity;
    const type = TYPE.directory;
    const root = new Inode({
      number,
      device,
      type,
      mode: 0o755,
      user,
      group,
      mtimeNs,
      target: "",
      deviceId: 0,
    });
    root.links = 1;
    return root;
  }

  takeInodeNumber(): number {
    return this.nextInode++;
  }

  /** Drops an inode that has neither a name nor a handle any more. */
  releaseUnused(inode: Inode): void {
    if (inode.links > 0 || inode.openHandles > 0 || !this.now.delete(inode.number)) return;
    this.volumeOf(inode).usedBytes -= usedBytes(inode);
  }

  private birth(directory: Inode, type: number, asked: number): Birth {
    const isDirectory = type === TYPE.directory;
    const isLink = type === TYPE.symlink;
    const permitted = isLink ? 0o777 : asked & ~this.options.umask & (isDirectory ? DIRECTORY_MODE : 0o7777);
    const { mode, group } = inherited(this.identity, directory, isDirectory, permitted);
    const { device } = directory.birth;
    const { user } = this.identity;
    const number = this.takeInodeNumber();
    return { number, device, type, mode, user, group, mtimeNs: this.clock(), target: "", deviceId: 0 };
  }
}

/** The room that an inode needs. */
export function usedBytes(inode: Inode): number {
  return inode.isDirectory ? PAGE_BYTES : (inode.contents?.pageCount ?? 0) * PAGE_BYTES;
}
