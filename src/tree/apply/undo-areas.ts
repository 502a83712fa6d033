/** The areas of commits that can be taken back: BASE/.makuosan/undo-NAME. */
import { orElse } from "../../sys/system-error.ts";
import { joinPath, STAGING_NAME } from "../../wire/path-rules.ts";
import { Directories } from "../disk/directories.ts";
import type { DirectoryHandle } from "../disk/disk.ts";
import { removeStagingDirectory } from "../disk/staging-directory.ts";
import { removing } from "../disk/remove.ts";
import { reasonFor } from "../reasons/explain.ts";
import { isOwn, openStagingRoot, type StagingRules } from "./staging-root.ts";
import { NOTHING } from "./kept-contents.ts";
import { readRecord, RECORD, type UndoRecord, writeRecord } from "./undo-records.ts";

/** The form of the names of kept areas; the rest is the name of the transfer. No transfer has such a name. */
export const UNDO_NAME = /^undo-([0-9a-z]+-[0-9]+)$/;

/** How much is kept at most. */
export interface UndoBounds {
  /** How many pushes can be taken back; 0 if nothing is kept. */
  readonly pushes: number;
  /** The bytes of all that is kept for them. */
  readonly sizeBytes: number;
}

/** What one commit has replaced or deleted. */
export interface UndoArea extends UndoRecord {
  /** The name of the transfer. */
  readonly name: string;
}

export function undoName(name: string): string {
  return `undo-${name}`;
}

/** Keeps an area of a transfer that has changed nothing here: taking it back will change nothing either. Durable. */
export function keepNothing(
  base: Directories,
  rules: StagingRules,
  name: string,
  { atMs, number }: Pick<UndoRecord, "atMs" | "number">,
): void {
  const { disk } = base;
  const root = openStagingRoot(base, rules);
  try {
    disk.makeDirectory(root, undoName(name), 0o700);
    const area = disk.openDirectory(root, undoName(name));
    try {
      writeRecord(disk, area, { atMs, number, ...NOTHING, isFollowed: false });
      disk.syncDirectory(area);
    } finally {
      disk.closeDirectory(area);
    }
    disk.syncDirectory(root);
  } finally {
    disk.closeDirectory(root);
  }
}

/** What a base directory holds of kept areas. */
export interface KeptAreas {
  /** Those that are whole, the newest first. */
  readonly areas: readonly UndoArea[];
  /** Whether there is one, or something is left of one. */
  readonly hasAny: boolean;
}

/** Reads the records of all kept areas. */
export function keptAreas(base: Directories, rules: StagingRules): KeptAreas {
  return keptOf(allAreas(base, rules));
}

function keptOf(all: readonly (UndoArea | Remains)[]): KeptAreas {
  return { areas: wholeOf(all), hasAny: all.length > 0 };
}

/** The kept areas of a base directory that are whole, the newest first. */
export function undoAreas(base: Directories, rules: StagingRules): UndoArea[] {
  return wholeOf(allAreas(base, rules));
}

/** Whether the kept area of a transfer is there and whole. One that cannot be read at the moment counts as whole. */
export function isKept(base: Directories, rules: StagingRules, name: string): boolean {
  return withRoot(base, rules, false, (root) =>
    orElse(true, () => readRecord(base.disk, root, undoName(name), rules) !== undefined),
  );
}

function wholeOf(all: readonly (UndoArea | Remains)[]): UndoArea[] {
  return all.filter(isWhole).sort((a, b) => b.number - a.number);
}

/** What is left of one that could not be removed as a whole. Nothing is taken back by it. */
interface Remains {
  readonly name: string;
}

function isWhole(area: UndoArea | Remains): area is UndoArea {
  return "number" in area;
}

function allAreas(base: Directories, rules: StagingRules): (UndoArea | Remains)[] {
  return withRoot(base, rules, [], (root) => {
    const { disk } = base;
    return disk.list(root).flatMap((entry) => {
      const name = UNDO_NAME.exec(entry)?.[1];
      // One that cannot be read at the moment is neither taken back nor removed.
      return orElse([], () => (name === undefined ? [] : { name, ...readRecord(disk, root, entry, rules) }));
    });
  });
}

/** What has come of removing kept areas. */
export interface Removal {
  /** Those that are gone; or something of them, so that they cannot be taken back any more. */
  readonly removed: readonly UndoArea[];
  /** Why the first one, or a part of it, is still there. */
  readonly failure: Error | undefined;
}

/** The kept areas of undos that this host has staged itself: their files were its own. */
export function undosOf(base: Directories, rules: StagingRules): UndoArea[] {
  return undoAreas(base, rules).filter(({ undone, isFollowed }) => undone !== undefined && !isFollowed);
}

/**
 * Removes the oldest kept areas, step by step, until the others keep within the bounds. One that is larger than the bound by
 * itself goes, too, with all earlier ones: nothing before it could be taken back. But the area of an undo is kept as long as it is
 * the newest: what the undo has removed may be on no other host. Remains go first. One that cannot be removed keeps no other.
 */
export function* boundUndoAreas(
  base: Directories,
  rules: StagingRules,
  { pushes, sizeBytes }: UndoBounds,
): Generator<undefined, Removal & { readonly left: KeptAreas }> {
  const all = allAreas(base, rules);
  const areas = wholeOf(all);
  // A commit that takes back another removes its area. If it is cut off before that, this does it.
  const undone = new Set(areas.map((area) => area.undone));
  const superfluous = all.filter((area) => !isWhole(area) || undone.has(area.name));
  const first = yield* removeAll(base, rules, superfluous);
  const kept = areas.filter(({ name }) => !undone.has(name));
  let total = 0;
  const beyond = kept.findIndex((area, index) => {
    total += area.sizeBytes;
    if (index >= pushes) return true;
    return total > sizeBytes && !(index === 0 && area.undone !== undefined);
  });
  const going = beyond === -1 ? [] : kept.slice(beyond).reverse();
  const then = yield* removeAll(base, rules, going);
  // Between the steps of a removal, other transfers may have ended.
  const isSame = superfluous.length === 0 && going.length === 0;
  const left = isSame ? keptOf(all) : keptAreas(base, rules);
  return { removed: then.removed, failure: first.failure ?? then.failure, left };
}

function* removeAll(
  base: Directories,
  rules: StagingRules,
  areas: readonly (UndoArea | Remains)[],
): Generator<undefined, Removal> {
  const removed: UndoArea[] = [];
  let failure: Error | undefined;
  for (const area of areas) {
    try {
      yield* removeUndoArea(base, rules, area.name);
    } catch (error) {
      failure ??= known(error);
    }
    if (isWhole(area) && !isKept(base, rules, area.name)) removed.push(area);
  }
  return { removed, failure };
}

/** An error of the disk; rethrows any other one. */
function known(error: unknown): Error {
  reasonFor(error);
  return error as Error;
}

/** How the oldest kept area is removed for its space. */
export interface SpaceOptions {
  /** Whether an area stays, because it is being taken back. */
  readonly isUsed?: (name: string) => boolean;
  /** Called after each step. */
  readonly onWork?: () => void;
}

/**
 * Removes the oldest kept area, because its space is needed. One that cannot be removed stays. BASE/.makuosan stays,
 * because somebody may be about to make something in it.
 *
 * @returns with `hasFreed` false if there is none
 */
export function removeOldest(
  base: Directories,
  rules: StagingRules,
  { isUsed = () => false, onWork }: SpaceOptions = {},
): Removal & { readonly hasFreed: boolean } {
  const removed: UndoArea[] = [];
  let failure: Error | undefined;
  for (const area of undoAreas(base, rules).reverse()) {
    if (isUsed(area.name)) continue;
    try {
      for (const _ of removeOnlyArea(base, rules, area.name)) onWork?.();
      removed.push(area);
    } catch (error) {
      failure ??= known(error);
      if (!isKept(base, rules, area.name)) removed.push(area);
      continue;
    }
    // Some file systems give back the room only when that is on the disk.
    orElse(undefined, () => base.disk.syncFileSystem(base.root));
    return { removed, failure, hasFreed: true };
  }
  return { removed, failure, hasFreed: false };
}

/**
 * Removes a kept area, step by step. The record goes first, so that a half removed one is never taken for a whole one.
 *
 * @throws an error with the path of an entry that cannot be removed
 */
export function* removeUndoArea(base: Directories, rules: StagingRules, name: string): Generator<undefined> {
  yield* removeOnlyArea(base, rules, name);
  removeStagingDirectory(base.disk, base.root);
}

function* removeOnlyArea(base: Directories, rules: StagingRules, name: string): Generator<undefined> {
  const { disk } = base;
  withRoot(base, rules, undefined, (root) => {
    const area = disk.openDirectory(root, undoName(name));
    try {
      // A directory of that name is no record.
      if (disk.stat(area, RECORD)?.isDirectory() === false) disk.unlink(area, RECORD);
      if (!disk.fileSystemOf(area).isOrdered) disk.syncDirectory(area);
    } finally {
      disk.closeDirectory(area);
    }
  });
  // Not by the directories of the base: a call that needs room may hold some of them.
  const inside = new Directories(disk, disk.openDirectory(base.root, STAGING_NAME));
  try {
    const shown = (path: string) => joinPath(STAGING_NAME, path);
    const failure = yield* removing(inside, undoName(name), { opens: true, shown });
    if (failure !== undefined) throw failure;
  } finally {
    inside.close();
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
