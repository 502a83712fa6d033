import type { FileStats } from "../../src/sys/stat.ts";
import { PAGE_BYTES, SparseContents } from "./sparse-contents.ts";

/** The bits of a mode that give the type, with Linux's values. */
export const TYPE = {
  fifo: 0o010000,
  characterDevice: 0o020000,
  directory: 0o040000,
  blockDevice: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const;
const TYPE_MASK = 0o170000;

/** The properties that an inode gets when it is created and that never change. */
export interface Birth {
  readonly number: number;
  /** The file system of the inode. */
  readonly device: number;
  readonly type: number;
  /** Permission bits. */
  readonly mode: number;
  readonly user: number;
  readonly group: number;
  readonly mtimeNs: bigint;
  /** For a symbolic link. */
  readonly target: string;
  /** For a device node, in the form of packDevice(). */
  readonly deviceId: number;
}

export class Inode {
  readonly birth: Birth;
  mode: number;
  user: number;
  group: number;
  mtimeNs: bigint;
  /** The operation that set the time: a later operation may become durable before an earlier one. */
  mtimeSequence = 0;
  /** How many names the inode has. */
  links = 0;
  subdirectories = 0;
  openHandles = 0;
  isMountPoint = false;
  /** The marks of chattr. */
  isImmutable = false;
  isAppendOnly = false;
  /** The quota project that its entries belong to. */
  project = 0;
  /** Lies on a lower layer of an overlay file system: a directory there cannot be moved. */
  isLower = false;
  /** For a directory. */
  readonly entries: Map<string, Inode> | undefined;
  /** The directory that contains this directory; undefined for a root and for a removed directory. */
  parent: Inode | undefined;
  /** For a file. */
  contents: SparseContents | undefined;
  attributes: Map<string, Uint8Array> | undefined;

  constructor(birth: Birth) {
    this.birth = birth;
    this.mode = birth.mode;
    this.user = birth.user;
    this.group = birth.group;
    this.mtimeNs = birth.mtimeNs;
    this.entries = birth.type === TYPE.directory ? new Map() : undefined;
    this.contents = birth.type === TYPE.file ? new SparseContents() : undefined;
  }

  get number(): number {
    return this.birth.number;
  }

  get isDirectory(): boolean {
    return this.entries !== undefined;
  }

  get isSymlink(): boolean {
    return this.birth.type === TYPE.symlink;
  }

  /** A directory without a name accepts no further entries. */
  get isRemoved(): boolean {
    return this.links === 0;
  }

  /** A copy without entries, names and handles. */
  copy(): Inode {
    const copy = new Inode(this.birth);
    copy.mode = this.mode;
    copy.user = this.user;
    copy.group = this.group;
    copy.mtimeNs = this.mtimeNs;
    copy.isMountPoint = this.isMountPoint;
    copy.isImmutable = this.isImmutable;
    copy.isAppendOnly = this.isAppendOnly;
    copy.project = this.project;
    copy.isLower = this.isLower;
    copy.contents = this.contents?.copy();
    if (this.attributes !== undefined) copy.attributes = new Map(this.attributes);
    return copy;
  }
}

/** The stats of an inode at one moment. */
export class MemoryStats implements FileStats {
  readonly mode: number;
  readonly size: number;
  readonly blocks: number;
  readonly mtimeNs: bigint;
  /** Not modelled: the same for all states. */
  readonly ctimeNs = 0n;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly inode: bigint;
  readonly device: number;
  readonly deviceId: number;
  readonly hasMount: boolean;
  /** Not modelled: a file system is mounted in one place. */
  readonly mount = 0;
  readonly isImmutable: boolean;
  readonly isAppendOnly: boolean;

  constructor(inode: Inode) {
    const { birth, contents } = inode;
    this.mode = birth.type | inode.mode;
    this.size = contents?.sizeBytes ?? (inode.isDirectory ? PAGE_BYTES : birth.target.length);
    this.blocks = ((contents?.pageCount ?? 0) * PAGE_BYTES) / 512;
    this.mtimeNs = inode.mtimeNs;
    this.uid = inode.user;
    this.gid = inode.group;
    this.links = inode.isDirectory && !inode.isRemoved ? 2 + inode.subdirectories : inode.links;
    this.inode = BigInt(birth.number);
    this.device = birth.device;
    this.deviceId = birth.deviceId;
    this.hasMount = inode.isMountPoint;
    this.isImmutable = inode.isImmutable;
    this.isAppendOnly = inode.isAppendOnly;
  }

  isFile(): boolean {
    return (this.mode & TYPE_MASK) === TYPE.file;
  }

  isDirectory(): boolean {
    return (this.mode & TYPE_MASK) === TYPE.directory;
  }

  isSymbolicLink(): boolean {
    return (this.mode & TYPE_MASK) === TYPE.symlink;
  }

  isFIFO(): boolean {
    return (this.mode & TYPE_MASK) === TYPE.fifo;
  }

  isCharacterDevice(): boolean {
    return (this.mode & TYPE_MASK) === TYPE.characterDevice;
  }

  isBlockDevice(): boolean {
    return (this.mode & TYPE_MASK) === TYPE.blockDevice;
  }

  isSocket(): boolean {
    return (this.mode & TYPE_MASK) === TYPE.socket;
  }
}
