/** How an entry differs from what the manifest says. */
import { Difference } from "../../wire/differences.ts";
import { type Entry, EntryType, isDevice } from "../../wire/entry.ts";
import type { FileStats } from "../../sys/stat.ts";
import {
  type AttributeRules,
  deviceOf,
  hasOwnerToSet,
  isSameTime,
  modeToSet,
  typeOf,
} from "../entries/attributes.ts";
import { FileDigest } from "../entries/digest.ts";
import { errorCode } from "../../sys/system-error.ts";
import { hasSameAttributes } from "../entries/extended-attributes.ts";
import { readTarget } from "../disk/read-target.ts";

/**
 * How an entry differs from what the manifest says (PROTOCOL.md 5.2), as bits of Difference; 0 where it does not. A file is
 * taken for the same when it has the same size and time; where the manifest has a digest, only that counts.
 *
 * @param directory the open directory of the entry
 * @param stats of what is there
 * @returns step by step, since large files may have to be read
 */
export function* differenceOf(
  directory: number,
  stats: FileStats,
  entry: Entry,
  rules: AttributeRules,
): Generator<undefined, number> {
  if (typeOf(stats) !== typeToBe(entry)) return Difference.type;
  let difference = attributeDifference(stats, entry, rules);
  const attributes = entry.extras?.attributes;
  if (attributes !== undefined && !hasSameAttributes(directory, entry.name, attributes))
    difference |= Difference.attributes;
  if (entry.type === EntryType.symlink && readTarget(directory, entry.name) !== entry.target)
    difference |= Difference.contents;
  if (entry.type === EntryType.file && !(yield* hasSameContents(directory, stats, entry, difference)))
    difference |= Difference.contents;
  return difference;
}

/**
 * Whether an entry can be seen to be the same by a look at its stats: a file of which nothing else is to be compared. For
 * the others it takes differenceOf().
 */
export function isPlainlySame(stats: FileStats, entry: Entry, rules: AttributeRules): boolean {
  if (entry.type !== EntryType.file || entry.extras !== undefined) return false;
  return stats.isFile() && stats.size === entry.size && attributeDifference(stats, entry, rules) === 0;
}

function typeToBe(entry: Entry): EntryType {
  if (entry.type === EntryType.hardLink) return EntryType.file;
  return entry.type === EntryType.passage ? EntryType.directory : entry.type;
}

function attributeDifference(stats: FileStats, entry: Entry, rules: AttributeRules): number {
  const { metadata, type } = entry;
  let difference = 0;
  if (!isSameTime(stats.mtimeNs, metadata.mtimeNs)) difference |= Difference.time;
  if (type !== EntryType.symlink && (stats.mode & 0o7777) !== modeToSet(metadata, rules))
    difference |= Difference.mode;
  if (!hasOwnerToSet(stats, metadata, rules)) difference |= Difference.owner;
  if (isDevice(type)) {
    const { major, minor } = deviceOf(stats);
    const device = entry.extras?.device;
    if (device?.major !== major || device.minor !== minor) difference |= Difference.contents;
  }
  return difference;
}

function* hasSameContents(
  directory: number,
  stats: FileStats,
  entry: Entry,
  difference: number,
): Generator<undefined, boolean> {
  if (stats.size !== entry.size) return false;
  const digest = entry.extras?.digest;
  if (digest === undefined) return entry.size === 0 || (difference & Difference.time) === 0;
  const own = yield* digestOf(directory, entry.name);
  return own !== undefined && Buffer.compare(own, digest) === 0;
}

/** The digest of a file; undefined where it cannot be read, or changes meanwhile. */
function* digestOf(directory: number, name: string): Generator<undefined, Uint8Array | undefined> {
  let file: FileDigest;
  try {
    file = new FileDigest(directory, name);
  } catch (error) {
    errorCode(error);
    return undefined;
  }
  try {
    for (;;) {
      const digest = file.step();
      if (digest === "changed") return undefined;
      if (digest !== undefined) return digest;
      yield;
    }
  } finally {
    file.close();
  }
}

/** Whether two stats are those of one file. */
export function isSameFile(stats: FileStats, other: FileStats | undefined): boolean {
  return other !== undefined && other.inode === stats.inode && other.device === stats.device;
}
