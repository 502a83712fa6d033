/** Looks before the barrier at what a commit would fail at. */
import fs from "node:fs";
import { checkAccess } from "../../sys/files.ts";
import { type FileStats, statDescriptor, statEntry } from "../../sys/stat.ts";
import { type Entry, EntryType } from "../../wire/entry.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import type { AttributeRules } from "../entries/attributes.ts";
import type { EntryBelow } from "../disk/below.ts";
import type { Directories } from "../disk/directories.ts";
import { explain } from "../reasons/explain.ts";
import { StageError } from "../reasons/stage-error.ts";

const STICKY = 0o1000;

/** Looks before the barrier at what a commit would fail at: every check throws a StageError with the reason. */
export class Places {
  private readonly base: Directories;
  private readonly rules: AttributeRules;
  private readonly device: number;

  constructor(base: Directories, rules: AttributeRules) {
    this.base = base;
    this.rules = rules;
    this.device = statDescriptor(base.root).device;
  }

  /** Whether entries of an open directory can be renamed and deleted. */
  checkWritable(directory: number, path: string): void {
    if (statDescriptor(directory).device !== this.device) throw otherFileSystem(path);
    try {
      checkAccess(`/proc/self/fd/${directory}/.`, fs.constants.W_OK | fs.constants.X_OK);
    } catch (error) {
      throw new StageError(`${path === "" ? "the base directory" : path}: ${explain(error)}`);
    }
  }

  /** Whether a path can be moved out of its directory. */
  checkRemovable(path: string): void {
    const parent = this.base.descriptor(directoryOf(path));
    this.checkWritable(parent, directoryOf(path));
    const stats = statEntry(parent, nameOf(path));
    if (stats !== undefined) this.checkSticky(parent, path, stats);
    const directory = this.base.find(path);
    // A directory that is moved away is written to: it gets another parent.
    if (directory !== undefined) this.checkWritable(directory, path);
  }

  /** Whether all of an entry below something that goes can be deleted. */
  checkDeletable({ path, stats }: EntryBelow): void {
    if (!stats.isDirectory()) return;
    if (stats.device !== this.device || stats.hasMount) throw otherFileSystem(path);
    if (this.rules.keepOwner || stats.uid === process.geteuid?.()) return;
    const directory = this.base.find(path);
    if (directory !== undefined) this.checkWritable(directory, path);
  }

  /** Whether a path can lead through what is there. */
  checkPassage(path: string, stats: FileStats): void {
    if (stats.isDirectory()) return;
    throw new StageError(`${path}: it is not a directory here, and a path leads through it`);
  }

  /** Whether an entry that differs can take the place of what is there. */
  checkReplaceable(path: string, entry: Entry, stats: FileStats): void {
    const parent = this.base.find(directoryOf(path));
    if (parent !== undefined) this.checkSticky(parent, path, stats);
    if (!stats.isDirectory() || entry.type === EntryType.directory) return;
    this.checkDeletable({ path, stats });
    this.checkRemovable(path);
  }

  /** In a sticky directory, only owners may rename what is theirs. */
  private checkSticky(parent: number, path: string, stats: FileStats): void {
    if (this.rules.keepOwner) return;
    const { mode, uid } = statDescriptor(parent);
    const user = process.geteuid?.();
    if ((mode & STICKY) === 0 || uid === user || stats.uid === user || user === 0) return;
    throw new StageError(`${path}: it belongs to somebody else, and so does its directory, which is sticky`);
  }

  /** Better to say at once that so many bytes more will not fit than to fill the disk. */
  checkSpace(bytes: number, writtenBytes: number): void {
    if (bytes === 0) return;
    const { bavail, bsize } = fs.statfsSync(`/proc/self/fd/${this.base.root}/.`);
    const freeBytes = bavail * bsize + writtenBytes;
    if (bytes <= freeBytes) return;
    throw new StageError(`no space: ${bytes} bytes are needed and ${freeBytes} are free`);
  }
}

function otherFileSystem(path: string): StageError {
  return new StageError(`${path}: it is on another file system than the base directory`);
}
