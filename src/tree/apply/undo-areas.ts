/** The areas of commits that can be taken back: BASE/.makuosan/undo-NAME. */
import { finish } from "../../base/steps.ts";
import { errorCode } from "../../sys/system-error.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import type { Directories } from "../disk/directories.ts";
import type { DirectoryHandle, Disk } from "../disk/disk.ts";
import { removeStagingDirectory } from "../disk/staging-directory.ts";
import { removing } from "../disk/remove.ts";
import { isOwn, openStagingRoot, type StagingRules } from "./staging-root.ts";
import { writeAll } from "./write-all.ts";

/** The form of the names of kept areas; the rest is the name of the transfer. No transfer has such a name. */
export const UNDO_NAME = /^undo-([0-9a-z]+-[0-9]+)$/;

/** The record of a kept area. */
const RECORD = "kept";

/** The file of an area that names the transfer which its own one takes back. */
const UNDONE = "undone";

/** The file of an area of a transfer that names the one as whose area it is kept. */
const KEPT_AS = "kept-as";

/** A record is some 50 bytes; a longer one is none. */
const MOST_RECORD_BYTES = 1_024;

/** An undo that another host brings: the area of the transfer that brings it is kept as the undo's own. */
export interface Followed {
  /** The name of the transfer that is the undo. */
  readonly undo: string;
  /** The name of the one that it takes back. */
  readonly undone: string;
}

/** How much is kept at most. */
export interface UndoBounds {
  /** How many pushes can be taken back; 0 if nothing is kept. */
  readonly pushes: number;
  /** The bytes of all that is kept for them. */
  readonly sizeBytes: number;
}

/** What one commit has replaced or deleted. */
export interface UndoArea {
  /** The name of the transfer. */
  readonly name: string;
  /** When it was committed here, in milliseconds since 1970. */
  readonly atMs: number;
  readonly sizeBytes: number;
}

export function undoName(name: string): string {
  return `undo-${name}`;
}

/** Writes the record of an area that is complete, durably. */
export function writeRecord(disk: Disk, area: DirectoryHandle, atMs: number, sizeBytes: number): void {
  writeFile(disk, area, RECORD, JSON.stringify({ atMs, sizeBytes }));
}

/** Notes in the area of a transfer which other one it takes back, durably: what that has kept is in the tree after the commit. */
export function writeUndone(disk: Disk, area: DirectoryHandle, undone: string): void {
  writeFile(disk, area, UNDONE, undone);
}

/** Notes in the area of a transfer that it is kept as the area of an undo. The commit that begins makes it durable. */
export function writeFollowed(disk: Disk, area: DirectoryHandle, { undo, undone }: Followed): void {
  writeUndone(disk, area, undone);
  writeFile(disk, area, KEPT_AS, undo);
}

/** The name of the transfer as whose area another one is kept; undefined if it is kept as its own. */
export function keptAs(
  disk: Disk,
  root: DirectoryHandle,
  name: string,
  rules: StagingRules,
): string | undefined {
  return readText(disk, root, name, KEPT_AS, rules);
}

function writeFile(disk: Disk, area: DirectoryHandle, name: string, text: string): void {
  const file = disk.makeFile(area, name, 0o600);
  try {
    writeAll(disk, file, Buffer.from(text), 0);
    disk.syncFile(file);
  } finally {
    disk.closeFile(file);
  }
}

/** Keeps an area of a transfer that has changed nothing here: taking it back will change nothing either. Durable. */
export function keepNothing(base: Directories, rules: StagingRules, name: string, atMs: number): void {
  const { disk } = base;
  const root = openStagingRoot(base, rules);
  try {
    disk.makeDirectory(root, undoName(name), 0o700);
    const area = disk.openDirectory(root, undoName(name));
    try {
      writeRecord(disk, area, atMs, 0);
      disk.syncDirectory(area);
    } finally {
      disk.closeDirectory(area);
    }
    disk.syncDirectory(root);
  } finally {
    disk.closeDirectory(root);
  }
}

/** The kept areas of a base directory, the newest first; others cannot be read, and are removed with them. */
export function undoAreas(base: Directories, rules: StagingRules): UndoArea[] {
  return withRoot(base, rules, [], (root) => {
    const { disk } = base;
    return disk
      .list(root)
      .flatMap((entry) => {
        const name = UNDO_NAME.exec(entry)?.[1];
        return name === undefined ? [] : { name, ...readRecord(disk, root, entry, rules) };
      })
      .sort((a, b) => b.atMs - a.atMs);
  });
}

/** The kept areas of undos that this host has staged itself: their files were its own. */
export function undosOf(base: Directories, rules: StagingRules): UndoArea[] {
  const isFollowed = (name: string) =>
    withRoot(base, rules, false, (root) => keptAs(base.disk, root, undoName(name), rules) !== undefined);
  return undoAreas(base, rules).filter(
    ({ name }) => undoneBy(base, rules, name) !== undefined && !isFollowed(name),
  );
}

/**
 * Removes the oldest kept areas, step by step, until the others keep within the bounds. One that is larger than the bound by
 * itself goes, too, with all earlier ones: nothing before it could be taken back. But the area of an undo is kept as long as it is
 * the newest: what the undo has removed may be on no other host.
 *
 * @returns those that were removed
 */
export function* boundUndoAreas(
  base: Directories,
  rules: StagingRules,
  { pushes, sizeBytes }: UndoBounds,
): Generator<undefined, UndoArea[]> {
  const kept = yield* removeUndone(base, rules, undoAreas(base, rules));
  let total = 0;
  const first = kept.findIndex((area, index) => {
    total += area.sizeBytes;
    if (index >= pushes) return true;
    return total > sizeBytes && !(index === 0 && undoneBy(base, rules, area.name) !== undefined);
  });
  const removed = first === -1 ? [] : kept.slice(first).reverse();
  for (const area of removed) yield* removeUndoArea(base, rules, area.name);
  return removed;
}

/**
 * A commit that takes back another removes its area. If it is cut off before that, this does it.
 *
 * @returns the areas that are left
 */
function* removeUndone(
  base: Directories,
  rules: StagingRules,
  areas: readonly UndoArea[],
): Generator<undefined, UndoArea[]> {
  const undone = new Set(areas.map(({ name }) => undoneBy(base, rules, name)));
  for (const { name } of areas) if (undone.has(name)) yield* removeUndoArea(base, rules, name);
  return areas.filter(({ name }) => !undone.has(name));
}

/** The name of the transfer that a kept one has taken back; undefined if that is no undo. */
function undoneBy(base: Directories, rules: StagingRules, name: string): string | undefined {
  return withRoot(base, rules, undefined, (root) => readText(base.disk, root, undoName(name), UNDONE, rules));
}

/**
 * Removes the oldest kept area, because its space is needed.
 *
 * @returns undefined if there is none
 */
export function removeOldest(base: Directories, rules: StagingRules): UndoArea | undefined {
  const oldest = undoAreas(base, rules).at(-1);
  if (oldest !== undefined) finish(removeUndoArea(base, rules, oldest.name));
  return oldest;
}

/**
 * Removes a kept area, step by step. The record goes first, so that a half removed one is never taken for a whole one.
 *
 * @throws an error with the path of an entry that cannot be removed
 */
export function* removeUndoArea(base: Directories, rules: StagingRules, name: string): Generator<undefined> {
  const { disk } = base;
  withRoot(base, rules, undefined, (root) => {
    const area = disk.openDirectory(root, undoName(name));
    try {
      if (disk.stat(area, RECORD) !== undefined) disk.unlink(area, RECORD);
      if (!disk.fileSystemOf(area).isOrdered) disk.syncDirectory(area);
    } finally {
      disk.closeDirectory(area);
    }
  });
  const path = `${STAGING_NAME}/${undoName(name)}`;
  const failure = yield* removing(base, path, { opens: true });
  if (failure !== undefined) throw failure;
  removeStagingDirectory(disk, base.root);
}

/** @returns the oldest of all, and nothing in it, if there is no record that can be read */
function readRecord(
  disk: Disk,
  root: DirectoryHandle,
  entry: string,
  rules: StagingRules,
): Omit<UndoArea, "name"> {
  const none = { atMs: 0, sizeBytes: 0 };
  const text = readText(disk, root, entry, RECORD, rules);
  if (text === undefined) return none;
  try {
    const { atMs, sizeBytes } = JSON.parse(text) as Partial<UndoArea>;
    return typeof atMs === "number" && typeof sizeBytes === "number" ? { atMs, sizeBytes } : none;
  } catch {
    return none;
  }
}

/** The text of a short file of an area; undefined if it cannot be read, or is not this process's own. */
function readText(
  disk: Disk,
  root: DirectoryHandle,
  entry: string,
  name: string,
  rules: StagingRules,
): string | undefined {
  let area: DirectoryHandle | undefined;
  try {
    area = disk.openDirectory(root, entry);
    if (!isOwn(disk, disk.statDirectory(area), rules)) return undefined;
    const file = disk.openFile(area, name, "read");
    try {
      const bytes = Buffer.alloc(MOST_RECORD_BYTES);
      return bytes.toString("utf8", 0, disk.read(file, bytes, 0));
    } finally {
      disk.closeFile(file);
    }
  } catch (error) {
    errorCode(error);
    return undefined;
  } finally {
    if (area !== undefined) disk.closeDirectory(area);
  }
}

/** Opens BASE/.makuosan if it is there and this process's own. */
function withRoot<T>(base: Directories, rules: StagingRules, none: T, use: (root: DirectoryHandle) => T): T {
  const { disk } = base;
  if (base.stat(STAGING_NAME)?.isDirectory() !== true) return none;
  const root = disk.openDirectory(base.root, STAGING_NAME);
  try {
    return isOwn(disk, disk.statDirectory(root), rules) ? use(root) : none;
  } finally {
    disk.closeDirectory(root);
  }
}
