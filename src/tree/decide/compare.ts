/** How an entry differs from what the manifest says. */
import { Difference } from "../../wire/differences.ts";
import { type Entry, EntryType, isDevice } from "../../wire/entry.ts";
import type { TreeView } from "../disk/tree-view.ts";
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

/**
 * How an entry differs from what the manifest says (PROTOCOL.md 5.2), as bits of Difference; 0 where it does not. A file is
 * taken for the same when it has the same size and time; where the manifest has a digest, only that counts.
 *
 * @param directory the path of its directory
 * @param stats of what is there
 * @returns step by step, since large files may have to be read
 */
export function* differenceOf(
  tree: TreeView,
  directory: string,
  stats: FileStats,
  entry: Entry,
  rules: AttributeRules,
): Generator<undefined, number> {
  if (typeOf(stats) !== typeToBe(entry)) return Difference.type;
  let difference = attributeDifference(stats, entry, rules, tree);
  const attributes = entry.extras?.attributes;
  if (attributes !== undefined && !hasSameAttributes(tree, directory, entry.name, attributes))
    difference |= Difference.attributes;
  if (entry.type === EntryType.symlink && tree.readLink(directory, entry.name) !== entry.target)
    difference |= Difference.contents;
  if (entry.type === EntryType.file && !(yield* hasSameContents(tree, directory, stats, entry, difference)))
    difference |= Difference.contents;
  return difference;
}

/**
 * Whether an entry can be seen to be the same by a look at its stats: a file of which nothing else is to be compared. For
 * the others it takes differenceOf().
 */
export function isPlainlySame(
  stats: FileStats,
  entry: Entry,
  rules: AttributeRules,
  tree: TreeView,
): boolean {
  if (entry.type !== EntryType.file || entry.extras !== undefined) return false;
  return stats.isFile() && stats.size === entry.size && attributeDifference(stats, entry, rules, tree) === 0;
}

function typeToBe(entry: Entry): EntryType {
  if (entry.type === EntryType.hardLink) return EntryType.file;
  return entry.type === EntryType.passage ? EntryType.directory : entry.type;
}

function attributeDifference(stats: FileStats, entry: Entry, rules: AttributeRules, tree: TreeView): number {
  const { metadata, type } = entry;
  let difference = 0;
  if (!isSameTime(stats.mtimeNs, metadata.mtimeNs, tree.hasExactTimes)) difference |= Difference.time;
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
  tree: TreeView,
  directory: string,
  stats: FileStats,
  entry: Entry,
  difference: number,
): Generator<undefined, boolean> {
  if (stats.size !== entry.size) return false;
  const digest = entry.extras?.digest;
  if (digest === undefined) return entry.size === 0 || (difference & Difference.time) === 0;
  const own = yield* digestOf(tree, directory, entry.name);
  return own !== undefined && Buffer.compare(own, digest) === 0;
}

/** The digest of a file; undefined where it cannot be read, or changes meanwhile. */
function* digestOf(
  tree: TreeView,
  directory: string,
  name: string,
): Generator<undefined, Uint8Array | undefined> {
  let file: FileDigest;
  try {
    file = new FileDigest(tree, directory, name);
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
