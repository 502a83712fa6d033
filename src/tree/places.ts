import fs from "node:fs";
import { checkAccess } from "../sys/files.ts";
import { type FileStats, statDescriptor, statEntry } from "../sys/stat.ts";
import { type Entry, EntryType } from "../wire/entry.ts";
import { directoryOf, nameOf } from "../wire/path-rules.ts";
import type { Directories } from "./directories.ts";
import { explain } from "./explain.ts";
import { StageError } from "./stage-error.ts";

/** Looks before the barrier at what a commit would fail at: every check throws a StageError with the reason. */
export class Places {
  private readonly base: Directories;
  private readonly device: number;

  constructor(base: Directories) {
    this.base = base;
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
    this.checkWritable(this.base.descriptor(directoryOf(path)), directoryOf(path));
    const directory = this.base.find(path);
    // A directory that is moved away is written to: it gets another parent.
    if (directory !== undefined) this.checkWritable(directory, path);
  }

  /** Whether a path belongs to the file system of the base directory. */
  checkDevice(path: string): void {
    const stats = statEntry(this.base.descriptor(directoryOf(path)), nameOf(path));
    if (stats?.isDirectory() === true && stats.device !== this.device) throw otherFileSystem(path);
  }

  /** Whether an entry can take the place of what is there. */
  checkReplaceable(path: string, entry: Entry, stats: FileStats): void {
    if (entry.type === EntryType.passage) {
      if (stats.isDirectory()) return;
      throw new StageError(`${path}: it is not a directory here, and a path leads through it`);
    }
    // Only directories are looked at: on an overlay, files may bear the number of a layer below.
    if (stats.isDirectory() && stats.device !== this.device && entry.type !== EntryType.directory)
      throw otherFileSystem(path);
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
