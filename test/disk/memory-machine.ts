import type { DirectoryHandle, FileHandle } from "../../src/tree/disk/disk.ts";
import type { KeptTimes } from "../../src/tree/disk/kept-times.ts";
import { type CallKind, type DiskHook, PowerFailure } from "./faults.ts";
import { opened } from "./handles.ts";
import type { Inode } from "./inode.ts";
import type { CrashModel } from "./journal.ts";
import type { MemoryOptions, MemoryState, Volume } from "./memory-state.ts";
import { addMount, freshState } from "./survival.ts";

/** Room for more than any test writes. */
const AMPLE_BYTES = 2 ** 50;
/** The clock moves by this with each use, unless a test brings its own: no two changes have the same time. */
const TICK_NS = 1_000_000n;
/** In the year 2027: later than all times that tests set. */
const FIRST_TIME_NS = 1_800_000_000_000_000_000n;

const ALL_TIMES: KeptTimes = { granularityNs: 1n, earliestNs: undefined, latestNs: undefined };

export interface MemoryDiskOptions {
  readonly crashModel?: CrashModel;
  readonly user?: number;
  readonly group?: number;
  /** The supplementary groups of the user. */
  readonly groups?: readonly number[];
  readonly umask?: number;
  /** Nanoseconds since 1970. */
  readonly clock?: () => bigint;
  /** Room for contents and directories. */
  readonly capacityBytes?: number;
  /** Whether two entries can be exchanged. */
  readonly canExchange?: boolean;
  /** Whether an exchange changes the time of directories that get another parent, as XFS does. */
  readonly touchesExchanged?: boolean;
  /** Whether names that differ in their case alone are one name. */
  readonly ignoresCase?: boolean;
  readonly hasExactTimes?: boolean;
  /** What the file system keeps of the times that it is given; all by default. */
  readonly keptTimes?: KeptTimes;
  /** Whether there are files without names. */
  readonly hasUnnamedFiles?: boolean;
  readonly canFindHoles?: boolean;
  readonly hasAttributes?: boolean;
  /** Whether files can share contents; by default they cannot. */
  readonly canClone?: boolean;
}

/** Marks that no call of the disk sets. */
export type InodeMarks = Partial<Pick<Inode, "isImmutable" | "isAppendOnly" | "project" | "isLower">>;

/** The machine of a MemoryDisk: what a test does to it, and what it counts. */
export class MemoryMachine {
  /** Called before each call. */
  before: DiskHook | undefined;
  /** How many calls were made, and below how many of them changed something or made it durable. */
  calls = 0;
  changes = 0;
  /** What the disk tells of inodes; it makes entries in any case. */
  freeInodes = Infinity;
  private isStopped = false;
  protected readonly options: MemoryDiskOptions;
  protected readonly state: MemoryState;

  constructor(options: MemoryDiskOptions, survived: MemoryState | undefined) {
    this.options = options;
    this.state = survived ?? freshState(memoryOptions(options), options.capacityBytes ?? AMPLE_BYTES);
  }

  get user(): number {
    return this.state.identity.user;
  }

  /**
   * Continues as another user.
   *
   * @param isCapable whether it has the capabilities that keeping owners needs
   */
  actAs(user: number, group = user, groups: readonly number[] = [], isCapable = false): void {
    this.state.identity = { user, group, groups, isCapable };
  }

  /** Sets the total room of a file system, including the part in use. */
  setCapacity(capacityBytes: number, directory?: DirectoryHandle): void {
    this.volumeOf(directory).capacityBytes = capacityBytes;
  }

  setReadOnly(isReadOnly: boolean, directory?: DirectoryHandle): void {
    this.volumeOf(directory).isReadOnly = isReadOnly;
  }

  /** Gives an entry marks that only the machine's owner can give. */
  mark(parent: DirectoryHandle, name: string, marks: InodeMarks): void {
    Object.assign(this.state.find(this.inodeOf(parent, "mark"), name, "mark"), marks);
  }

  /** Mounts another file system on an empty directory. It makes everything durable first. */
  mount(parent: DirectoryHandle, name: string, capacityBytes = AMPLE_BYTES): void {
    addMount(this.state, this.inodeOf(parent, "mount"), name, capacityBytes);
  }

  /** Makes everything durable, like the kernel after some time. */
  settle(): void {
    for (const { journal } of this.state.volumes.values()) journal.syncAll();
  }

  /** How many operations on names and attributes a crash decides about. */
  get pendingOperations(): number {
    return [...this.state.volumes.values()].reduce((sum, { journal }) => sum + journal.pendingCount, 0);
  }

  /** Stops the machine: each call throws PowerFailure from now on, so that no code can clean up. */
  stop(): void {
    this.isStopped = true;
  }

  private volumeOf(directory: DirectoryHandle | undefined): Volume {
    return this.state.volumeOf(directory === undefined ? this.state.root : this.inodeOf(directory, "statfs"));
  }

  protected inodeOf(handle: DirectoryHandle | FileHandle, call: string): Inode {
    return opened(this, handle, call).inode;
  }

  protected look(kind: CallKind, name: string): void {
    this.calls++;
    if (this.isStopped) throw new PowerFailure();
    this.before?.({ kind, name, isChange: false, change: this.changes });
  }

  protected change(kind: CallKind, name: string): void {
    this.calls++;
    if (this.isStopped) throw new PowerFailure();
    this.changes++;
    this.notify(kind, name);
  }

  /** The machine stops for good if the hook says so. */
  private notify(kind: CallKind, name: string): void {
    if (this.before === undefined) return;
    try {
      this.before({ kind, name, isChange: true, change: this.changes });
    } catch (error) {
      if (error instanceof PowerFailure) this.stop();
      throw error;
    }
  }
}

function memoryOptions(options: MemoryDiskOptions): MemoryOptions {
  const { crashModel = "ordered", user = 0, group = user, groups = [], umask = 0o022 } = options;
  const { keptTimes = ALL_TIMES, hasUnnamedFiles = true, ignoresCase = false } = options;
  const clock = options.clock ?? ticking();
  const identity = { user, group, groups };
  return { model: crashModel, clock, identity, umask, keptTimes, hasUnnamedFiles, ignoresCase };
}

function ticking(): () => bigint {
  let timeNs = FIRST_TIME_NS;
  return () => (timeNs += TICK_NS);
}
