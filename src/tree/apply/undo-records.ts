/** The small files of kept areas (undo-areas.ts): when each was kept, and what it takes back. */
import { errorCode, orElse } from "../../sys/system-error.ts";
import type { DirectoryHandle, Disk, FileHandle } from "../disk/disk.ts";
import { isOwn, type StagingRules } from "./staging-root.ts";
import { writeNewFile } from "./write-all.ts";

/** The record of a kept area. */
export const RECORD = "kept";

/** The file of an area that names the transfer which its own one takes back. */
const UNDONE = "undone";

/** The file of an area of a transfer that names the one as whose area it is kept. */
const KEPT_AS = "kept-as";

/** The directory of an area that has the number of the commit in its name: it is made without a sync of its own. */
const NUMBER = /^number-([0-9]{1,15})$/;

/** The errors of a file that is not there, or is something else. Any other one says nothing about it. */
const NOTHING_THERE: readonly string[] = ["ENOENT", "ENOTDIR", "EISDIR", "ELOOP", "ENXIO"];

/** A record is some 150 bytes; a longer one is none. */
const MOST_RECORD_BYTES = 1_024;

/** An undo that another host brings: the area of the transfer that brings it is kept as the undo's own. */
export interface Followed {
  /** The name of the transfer that is the undo. */
  readonly undo: string;
  /** The name of the one that it takes back. */
  readonly undone: string;
}

/** What the record of a kept area says. */
export interface UndoRecord {
  /** When it was committed here, in milliseconds since 1970. The clock may be set back, so it tells no order. */
  readonly atMs: number;
  /** Grows with each commit that keeps something. */
  readonly number: number;
  readonly sizeBytes: number;
  /** How many files and directories are in it. */
  readonly entries: number;
  /** Of what is in it (kept-contents.ts). */
  readonly check: number;
  /** The name of the transfer that it takes back; undefined if it is no undo. */
  readonly undone?: string | undefined;
  /** Whether it takes that back by files of another host. */
  readonly isFollowed: boolean;
}

/** The marks in an area of a transfer, before it is kept. */
export interface Marks {
  readonly number: number;
  readonly undone: string | undefined;
  readonly keptAs: string | undefined;
}

/** Writes the record of an area that is complete, durably. */
export function writeRecord(disk: Disk, area: DirectoryHandle, record: UndoRecord): void {
  writeNewFile(disk, area, RECORD, Buffer.from(JSON.stringify(record)));
}

/** Notes in the area of a transfer which other one it takes back, durably: what that has kept is in the tree after the commit. */
export function writeUndone(disk: Disk, area: DirectoryHandle, undone: string): void {
  writeNewFile(disk, area, UNDONE, Buffer.from(undone));
}

/** Notes in the area of a transfer that it is kept as the area of an undo. The commit that begins makes it durable. */
export function writeFollowed(disk: Disk, area: DirectoryHandle, { undo, undone }: Followed): void {
  writeUndone(disk, area, undone);
  writeNewFile(disk, area, KEPT_AS, Buffer.from(undo));
}

/** Gives a commit that begins its number. Its start makes it durable. */
export function writeNumber(disk: Disk, area: DirectoryHandle, number: number): void {
  for (const name of disk.list(area)) if (NUMBER.test(name)) disk.removeDirectory(area, name);
  disk.makeDirectory(area, `number-${number}`, 0o700);
}

/** The marks of an area of a transfer. */
export function readMarks(disk: Disk, area: DirectoryHandle, rules: StagingRules): Marks {
  const numbers = disk.list(area).map((name) => Number(NUMBER.exec(name)?.[1] ?? 0));
  return {
    number: Math.max(0, ...numbers),
    undone: readText(disk, area, UNDONE, rules),
    keptAs: readText(disk, area, KEPT_AS, rules),
  };
}

/**
 * @param root the open directory BASE/.makuosan
 * @param entry the name of an area in it
 * @returns undefined if there is no record in it: it is not whole
 * @throws an error with a code if nobody knows, because the disk, or this process, fails at the moment
 */
export function readRecord(
  disk: Disk,
  root: DirectoryHandle,
  entry: string,
  rules: StagingRules,
): UndoRecord | undefined {
  let area: DirectoryHandle | undefined;
  try {
    area = disk.openDirectory(root, entry);
    return isOwn(disk, disk.statDirectory(area), rules) ? recordIn(disk, area, rules) : undefined;
  } catch (error) {
    if (!NOTHING_THERE.includes(errorCode(error))) throw error;
    return undefined;
  } finally {
    if (area !== undefined) disk.closeDirectory(area);
  }
}

/**
 * @returns undefined if there is no record in an area
 * @throws an error with a code if it cannot be read
 */
export function recordIn(disk: Disk, area: DirectoryHandle, rules: StagingRules): UndoRecord | undefined {
  return recordOf(textIn(disk, area, RECORD, rules));
}

function recordOf(text: string | undefined): UndoRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const fields = JSON.parse(text) as Record<string, unknown>;
    const { atMs, number, sizeBytes, entries, check, undone, isFollowed } = fields;
    if (!isNumber(atMs) || !isNumber(number) || !isNumber(sizeBytes)) return undefined;
    if (!isNumber(entries) || !isNumber(check)) return undefined;
    const name = typeof undone === "string" ? undone : undefined;
    return { atMs, number, sizeBytes, entries, check, undone: name, isFollowed: isFollowed === true };
  } catch {
    return undefined;
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** The text of a short file; undefined if there is none, or if it is not this process's own. */
function textIn(disk: Disk, area: DirectoryHandle, name: string, rules: StagingRules): string | undefined {
  let file: FileHandle | undefined;
  try {
    file = disk.openFile(area, name, "read");
    if (!isOwn(disk, disk.statFile(file), rules)) return undefined;
    const bytes = Buffer.alloc(MOST_RECORD_BYTES);
    return bytes.toString("utf8", 0, disk.read(file, bytes, 0));
  } catch (error) {
    if (!NOTHING_THERE.includes(errorCode(error))) throw error;
    return undefined;
  } finally {
    if (file !== undefined) disk.closeFile(file);
  }
}

/** The same, also undefined if it cannot be read. */
function readText(disk: Disk, area: DirectoryHandle, name: string, rules: StagingRules): string | undefined {
  return orElse(undefined, () => textIn(disk, area, name, rules));
}
