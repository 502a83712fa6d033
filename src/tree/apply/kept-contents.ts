/** What a kept area holds: its size, and a check value that tells whether all of it is still there. */
import zlib from "node:zlib";
import { below } from "../disk/below.ts";
import type { Directories } from "../disk/directories.ts";
import type { DirectoryHandle, Disk } from "../disk/disk.ts";
import { typeOf } from "../entries/attributes.ts";
import type { FileStats } from "../../sys/stat.ts";

/** How the names of entries begin that were replaced or deleted. */
export const DISCARDED = "discarded";

/**
 * The files of an area without which its commit cannot be taken back: its steps, the attributes that directories had, what was new in
 * new directories, and which transfer it takes back.
 */
const LISTS: readonly string[] = ["done", "before", "made", "undone"];

/** How much of a file is read at once. */
const PIECE_BYTES = 65_536;

/** What an area holds. */
export interface KeptContents {
  readonly sizeBytes: number;
  /** How many files and directories are in it, without its own. */
  readonly entries: number;
  /**
   * The sum of the CRC-32 of everything without which the commit cannot be taken back, in any order: of the names and types of
   * entries that were replaced or deleted, and of the contents of lists. Not of what is in kept directories: a program that still
   * runs in one makes and deletes files there.
   */
  readonly check: number;
}

/** An area that holds nothing. */
export const NOTHING: KeptContents = { sizeBytes: 0, entries: 0, check: 0 };

/**
 * Looks through an area, step by step. Contents of kept files are not read: somebody may have written to them since, by another name.
 *
 * @param inside the area; it stays open
 * @throws an error with a code
 */
export function* contentsOf(inside: Directories): Generator<undefined, KeptContents> {
  const { disk } = inside;
  let [sizeBytes, entries, check] = [0, 0, 0];
  const add = (stats: FileStats) => {
    entries++;
    sizeBytes += stats.size;
  };
  for (const name of disk.list(inside.root)) {
    const stats = inside.stat(name);
    if (stats?.isFile() === true && LISTS.includes(name))
      check = (check + checkOfFile(disk, inside.root, name)) >>> 0;
    if (stats === undefined || !name.startsWith(DISCARDED)) continue;
    add(stats);
    check = (check + zlib.crc32(`${typeOf(stats) ?? ""} ${name}`)) >>> 0;
    if (!stats.isDirectory()) continue;
    for (const entry of below(inside, name)) {
      add(entry.stats);
      yield;
    }
  }
  return { sizeBytes, entries, check };
}

function checkOfFile(disk: Disk, area: DirectoryHandle, name: string): number {
  const file = disk.openFile(area, name, "read");
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    let check = zlib.crc32(name);
    for (let offset = 0; ;) {
      const read = disk.read(file, piece, offset);
      if (read === 0) return check;
      check = zlib.crc32(piece.subarray(0, read), check);
      offset += read;
    }
  } finally {
    disk.closeFile(file);
  }
}
