/** Keeps what a commit replaces or deletes, so that it can be taken back: by links and renames, without copies. */
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import { ATTRIBUTE_BYTES, ATTRIBUTES } from "../../wire/limits.ts";
import type { Attribute } from "../../wire/entry.ts";
import { EntryType } from "../../wire/entry.ts";
import { errorCode } from "../../sys/system-error.ts";
import { type Step, StepKind } from "../decide/decision.ts";
import { below } from "../disk/below.ts";
import type { Directories } from "../disk/directories.ts";
import type { DirectoryHandle, Disk } from "../disk/disk.ts";
import { isNoRoom } from "../disk/making-room.ts";
import { removeEntry } from "../disk/remove.ts";
import { type AttributeRules, metadataOf } from "../entries/attributes.ts";
import { isCarried } from "../entries/extended-attributes.ts";
import { PathSet } from "../entries/path-set.ts";
import { JournalWriter } from "./journal.ts";
import type { StagingArea } from "./staging-area.ts";
import { type Followed, writeFollowed, writeNumber } from "./undo-records.ts";

/**
 * The file of an area that says that the commit keeps what it replaces. It has the attributes that directories had before, as
 * steps of a journal that set them again.
 */
export const BEFORE = "before";

/** The file of an area that lists, by hashes, all that is new in the new directories of the commit: only that goes when it is taken back. */
export const MADE = "made";

/** Which commits keep what they replace; asked at each of them. */
export interface KeepRules {
  /** Whether the commit may keep it; known when everything is staged. */
  mayKeep(): boolean;
  /** Whether it does. */
  keeps(): boolean;
  /** The number of the next commit that keeps something: later ones have higher numbers. */
  number(): number;
  /** The undo that it brings from another host; undefined if it is kept under its own name. */
  follows?(): Followed | undefined;
}

/** How a commit is kept. */
export interface Kept {
  /** Its number among those that are kept. */
  readonly number: number;
  /** The undo that it brings from another host; undefined if it is kept under its own name. */
  readonly follows?: Followed | undefined;
}

/**
 * Writes the list MADE, while the new directories have no modes yet that deny access: entries in new directories have no steps of their own, and later nobody could tell
 * them from those that others put beside them. If there is no room for it, there is none, and the commit keeps nothing.
 *
 * @throws an error with a code
 */
export function noteMade({ disk }: Directories, area: StagingArea): void {
  let writer: JournalWriter | undefined;
  try {
    for (const { kind, type, path } of area.readJournal("journal")) {
      if (kind !== StepKind.place || type !== EntryType.directory) continue;
      writer ??= new JournalWriter(disk, area.handle, MADE);
      for (const entry of below(area.tree, path)) writer.addGoing(entry.path);
    }
    writer?.finish();
  } catch (error) {
    if (!isNoRoom(error)) throw error;
    removeEntry(disk, area.handle, MADE);
  } finally {
    writer?.close();
  }
}

/** The errors of link() on files and file systems that allow no further link. */
const NO_LINK: readonly string[] = ["EPERM", "EMLINK", "ENOTSUP", "EXDEV", "ENOSYS"];

/**
 * Writes down the attributes of all directories that a commit is going to change, before it changes anything. From then on the
 * commit keeps what it replaces, also if a start has to finish it.
 *
 * @returns false if it keeps nothing: there is no room for that, or no list of what is new
 * @throws an error with a code
 */
export function beginKeeping(
  base: Directories,
  area: StagingArea,
  rules: AttributeRules,
  { number, follows }: Kept,
): boolean {
  const { disk } = base;
  removeEntry(disk, area.handle, BEFORE);
  if (lacksMade(area)) return false;
  try {
    writeNumber(disk, area.handle, number);
    if (follows !== undefined) writeFollowed(disk, area.handle, follows);
    writeBefore(base, area, rules);
    return true;
  } catch (error) {
    if (!isNoRoom(error)) throw error;
    removeEntry(disk, area.handle, BEFORE);
    return false;
  }
}

/** Whether there are new directories, and no list of what they hold. */
function lacksMade(area: StagingArea): boolean {
  if (area.holds(MADE)) return false;
  for (const { kind, type } of area.readJournal("ready"))
    if (kind === StepKind.place && type === EntryType.directory) return true;
  return false;
}

function writeBefore(base: Directories, area: StagingArea, rules: AttributeRules): void {
  const { disk } = base;
  const writer = new JournalWriter(disk, area.handle, BEFORE);
  try {
    const noted = new PathSet();
    for (const path of changedDirectories(area.readJournal("ready"))) {
      if (path === "" || noted.has(path)) continue;
      noted.add(path);
      const step = attributesOf(base, path, rules);
      if (step !== undefined) writer.addStep(step);
    }
    writer.finish();
  } finally {
    writer.close();
  }
}

/** What one commit has kept so far. */
export class Keeping {
  private readonly disk: Disk;
  private readonly area: StagingArea;
  /** The first path of which the old entry could not be kept. */
  lacking: string | undefined;
  /** Whether everything has been kept so far. */
  isComplete = true;

  constructor(disk: Disk, area: StagingArea) {
    this.disk = disk;
    this.area = area;
  }

  /**
   * Keeps the file that a staged one is going to replace, by a further link to it: so the path is never missing. May be
   * repeated.
   *
   * @param to the directory that the path is in
   * @param step the number of the step
   */
  link(to: DirectoryHandle, path: string, step: number): void {
    const kept = this.area.discardedName(step);
    const stats = this.disk.stat(to, nameOf(path));
    if (stats === undefined || stats.isDirectory() || this.area.holds(kept)) return;
    try {
      this.disk.link(to, nameOf(path), this.area.handle, kept);
    } catch (error) {
      // Keeping an entry is no reason for a push to fail.
      if (!NO_LINK.includes(errorCode(error)) && !isNoRoom(error)) throw error;
      this.lack(path);
    }
  }

  /** Nothing is kept after all; a start that finishes the commit knows of it as well. */
  giveUp(): void {
    this.isComplete = false;
    if (this.area.holds(BEFORE)) this.disk.unlink(this.area.handle, BEFORE);
  }

  /** The old entry of a path is lost, or lies where no step says so. */
  lack(path: string): void {
    if (this.lacking === undefined) this.giveUp();
    this.lacking ??= path;
  }
}

/** Directories that get attributes, and those in which something comes or goes. */
function* changedDirectories(steps: Iterable<Step>): Generator<string> {
  for (const { kind, path } of steps) {
    if (kind === StepKind.goes) continue;
    yield kind === StepKind.place || kind === StepKind.remove ? directoryOf(path) : path;
  }
}

/** The step that gives a directory the attributes that it has now; undefined if there is no such directory. */
function attributesOf(base: Directories, path: string, rules: AttributeRules): Step | undefined {
  const parent = base.find(directoryOf(path));
  const stats = parent === undefined ? undefined : base.disk.stat(parent, nameOf(path));
  if (parent === undefined || stats?.isDirectory() !== true) return undefined;
  const attributes = carriedAttributes(base.disk, parent, nameOf(path));
  const metadata = metadataOf(stats, rules.owners);
  return { kind: StepKind.adjust, type: EntryType.directory, path, metadata, attributes };
}

/**
 * The extended attributes of a directory that a push may set.
 *
 * @returns undefined if there are more than a step has room for: then they stay as they are
 */
export function carriedAttributes(
  disk: Disk,
  parent: DirectoryHandle,
  name: string,
): Attribute[] | undefined {
  if (!disk.hasAttributes) return undefined;
  const found: Attribute[] = [];
  let bytes = 0;
  for (const attribute of disk.listAttributes(parent, name).filter(isCarried)) {
    const value = disk.readAttribute(parent, name, attribute);
    if (value === undefined) continue;
    bytes += attribute.length + value.length;
    found.push({ name: attribute, value });
  }
  return bytes > ATTRIBUTE_BYTES || found.length > ATTRIBUTES ? undefined : found;
}
