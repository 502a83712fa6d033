/** The list of the paths that an undo brings, in its area: a start that finishes the undo can hand it on. */
import { orElse } from "../../sys/system-error.ts";
import { type Step, StepKind } from "../decide/decision.ts";
import { below } from "../disk/below.ts";
import type { Directories } from "../disk/directories.ts";
import type { DirectoryHandle, Disk } from "../disk/disk.ts";
import type { FileStats } from "../../sys/stat.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import { isNoRoom } from "../disk/making-room.ts";
import { removeEntry } from "../disk/remove.ts";
import { reasonFor } from "../reasons/explain.ts";
import { readJournal } from "./journal.ts";
import { type UndoArea, undoName } from "./undo-areas.ts";
import { isOwn, type StagingRules } from "./staging-root.ts";
import { writeNewFile } from "./write-all.ts";

/** The files of an area, as the lists of the state directory. */
const LIST = "published";
const REMOVED = "published-removed";

/** The bytes of both. */
export interface UndoList {
  readonly list: Uint8Array;
  readonly removed: Uint8Array;
}

/** Writes the list durably. Without room for it there is none, and nothing else is lost. */
export function writeUndoList(disk: Disk, area: DirectoryHandle, { list, removed }: UndoList): void {
  try {
    writeNewFile(disk, area, REMOVED, removed);
    writeNewFile(disk, area, LIST, list);
  } catch (error) {
    if (!isNoRoom(error)) throw error;
    for (const name of [REMOVED, LIST]) removeEntry(disk, area, name);
  }
}

/**
 * Reads the list of an undo that is kept.
 *
 * @returns undefined if there is none, or if somebody has changed something of what it names since the switch
 */
export function listOfKept(
  base: Directories,
  rules: StagingRules,
  { name, atMs }: Pick<UndoArea, "name" | "atMs">,
): UndoList | undefined {
  const { disk } = base;
  const root = disk.openDirectory(base.root, STAGING_NAME);
  let area: DirectoryHandle | undefined;
  try {
    const opened = (area = disk.openDirectory(root, undoName(name)));
    const found = readUndoList(disk, opened, rules);
    const steps = () => readJournal(disk, () => disk.openFile(opened, "done", "read"));
    return found !== undefined && isAsBrought(base, steps(), atMs) ? found : undefined;
  } catch (error) {
    reasonFor(error);
    return undefined;
  } finally {
    if (area !== undefined) disk.closeDirectory(area);
    disk.closeDirectory(root);
  }
}

/** @returns undefined if there is none that can be read */
export function readUndoList(disk: Disk, area: DirectoryHandle, rules: StagingRules): UndoList | undefined {
  return orElse(undefined, () => {
    const [list, removed] = [LIST, REMOVED].map((name) => contentsOf(disk, area, name, rules));
    return list === undefined || removed === undefined ? undefined : { list, removed };
  });
}

/**
 * Whether all that an undo has brought is as it was brought: somebody may have changed it since, before the start.
 *
 * @param steps of its commit
 * @param atMs when it was committed
 */
function isAsBrought(base: Directories, steps: Iterable<Step>, atMs: number): boolean {
  const isOlder = (stats: FileStats | undefined) =>
    stats === undefined || stats.isDirectory() || stats.ctimeNs / 1_000_000n <= BigInt(Math.floor(atMs));
  for (const { kind, path } of steps) {
    if (kind !== StepKind.place) continue;
    if (!isOlder(base.stat(path))) return false;
    if (base.hasDirectory(path)) for (const { stats } of below(base, path)) if (!isOlder(stats)) return false;
  }
  return true;
}

function contentsOf(
  disk: Disk,
  area: DirectoryHandle,
  name: string,
  rules: StagingRules,
): Uint8Array | undefined {
  const file = disk.openFile(area, name, "read");
  try {
    const stats = disk.statFile(file);
    if (!isOwn(disk, stats, rules)) return undefined;
    const bytes = new Uint8Array(stats.size);
    for (let offset = 0; offset < bytes.length;) {
      const read = disk.read(file, bytes.subarray(offset), offset);
      if (read === 0) return undefined;
      offset += read;
    }
    return bytes;
  } finally {
    disk.closeFile(file);
  }
}
