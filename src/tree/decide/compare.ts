/** How an entry differs from what the manifest says. */
import { Difference } from "../../wire/differences.ts";
import { type Entry, EntryType, isDevice } from "../../wire/entry.ts";
import type { Metadata } from "../../wire/metadata.ts";
import type { TreeView } from "../disk/tree-view.ts";
import type { FileStats } from "../../sys/stat.ts";
import {
  type AttributeRules,
  deviceOf,
  directoryModeToSet,
  hasOwnerToSet,
  isSameTime,
  modeToSet,
  typeOf,
} from "../entries/attributes.ts";
import { type DigestForm, FileDigest } from "../entries/digest.ts";
import { errorCode } from "../../sys/system-error.ts";
import { hasSameAttributes } from "../entries/extended-attributes.ts";
import type { OwnReadings } from "./own-readings.ts";

/**
 * How an entry differs from the manifest (PROTOCOL.md 5.2), as bits of Difference; 0 if it does not. A file with the
 * same size and time counts as the same; if the manifest has a digest, only the digest counts.
 *
 * @param directory the path of its directory
 * @param stats of the member's entry
 * @param digests says which files may be read; the others differ from a digest
 * @returns step by step, because large files may have to be read
 */
export function* differenceOf(
  tree: TreeView,
  directory: string,
  stats: FileStats,
  entry: Entry,
  rules: AttributeRules,
  digests: OwnReadings,
): Generator<undefined, number> {
  if (typeOf(stats) !== typeToBe(entry)) return Difference.type;
  let difference = attributeDifference(stats, entry, rules, tree);
  const attributes = entry.extras?.attributes;
  if (attributes !== undefined && !hasSameAttributes(tree, directory, entry.name, attributes))
    difference |= Difference.attributes;
  if (entry.type === EntryType.symlink && tree.readLink(directory, entry.name) !== entry.target)
    difference |= Difference.contents;
  if (entry.type !== EntryType.file) return difference;
  const isSame =
    entry.extras?.digest === undefined
      ? isSameBySize(stats, entry, difference)
      : yield* hasDigest(tree, directory, stats, entry, digests);
  return isSame ? difference : difference | Difference.contents;
}

/**
 * Whether an entry is the same by its stats alone: a file for which nothing else has to be compared. All others need
 * differenceOf().
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
  if (!hasTimeToSet(stats, metadata, tree)) difference |= Difference.time;
  if (type !== EntryType.symlink && (stats.mode & 0o7777) !== modeToBe(stats, entry, rules))
    difference |= Difference.mode;
  if (!hasOwnerToSet(stats, metadata, rules)) difference |= Difference.owner;
  if (isDevice(type)) {
    const { major, minor } = deviceOf(stats);
    const device = entry.extras?.device;
    if (device?.major !== major || device.minor !== minor) difference |= Difference.contents;
  }
  return difference;
}

function modeToBe(stats: FileStats, { metadata, type }: Entry, rules: AttributeRules): number {
  if (type !== EntryType.directory) return modeToSet(metadata, rules);
  return directoryModeToSet(metadata, stats.mode & 0o7777, rules);
}

/** Whether an entry has its final time, as far as this process can set it and its file system can hold it. */
function hasTimeToSet(stats: FileStats, { mtimeNs }: Metadata, tree: TreeView): boolean {
  if (stats.mtimeNs === mtimeNs) return true;
  const { hasExactTimes } = tree;
  if (isSameTime(stats.mtimeNs, mtimeNs, hasExactTimes)) return true;
  return isSameTime(stats.mtimeNs, tree.keptTime(stats, mtimeNs), hasExactTimes);
}

function isSameBySize(stats: FileStats, { size }: Entry, difference: number): boolean {
  return stats.size === size && (size === 0 || (difference & Difference.time) === 0);
}

function* hasDigest(
  tree: TreeView,
  directory: string,
  stats: FileStats,
  { name, size, extras }: Entry,
  digests: OwnReadings,
): Generator<undefined, boolean> {
  const digest = extras?.digest;
  if (digest === undefined || stats.size !== size || !digests.mayRead(stats)) return false;
  const own = yield* digestOf(tree, directory, name, extras?.isDataDigest === true ? "data" : "contents");
  return own !== undefined && Buffer.compare(own, digest) === 0;
}

/** The digest of a file; undefined if it cannot be read, or changes while it is read. */
function* digestOf(
  tree: TreeView,
  directory: string,
  name: string,
  form: DigestForm,
): Generator<undefined, Uint8Array | undefined> {
  let file: FileDigest;
  try {
    file = new FileDigest(tree, directory, name, form);
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
