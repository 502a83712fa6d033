import fs from "node:fs";
import { hasExactTimes, setLinkTime, setTime } from "../sys/files.ts";
import type { FileStats } from "../sys/stat.ts";
import { type Entry, EntryType } from "../wire/entry.ts";
import type { Metadata } from "../wire/metadata.ts";
import { bytesOfPath } from "../sys/entry-path.ts";
import { openDirectory } from "./directories.ts";
import type { Owners } from "./owners.ts";

/** Reading, comparing and setting mode, time and owner. */

/** Whether the owners of files can be set here: root can, and whoever kept the capability for it. */
export interface AttributeRules {
  readonly owners: Owners;
  readonly keepOwner: boolean;
}

/** Set-user-id and set-group-id mean another user where the owner is not kept. */
const MODE_WITHOUT_OWNER = 0o1777;

/** Times set without the native call are rounded. */
const ROUNDING_NS = 1000n;

export function metadataOf(stats: FileStats, owners: Owners): Metadata {
  return {
    mode: stats.mode & 0o7777,
    mtimeNs: stats.mtimeNs,
    user: owners.user(stats.uid),
    group: owners.group(stats.gid),
  };
}

/** The type of an entry by its stats; undefined for what is not sent. */
export function typeOf(stats: FileStats): EntryType | undefined {
  if (stats.isFile()) return EntryType.file;
  if (stats.isDirectory()) return EntryType.directory;
  if (stats.isSymbolicLink()) return EntryType.symlink;
  return undefined;
}

/** Whether what is here is just what the manifest says. The target of a link is left to the caller. */
export function isSame(stats: FileStats, entry: Entry, rules: AttributeRules): boolean {
  if (typeOf(stats) !== entry.type) return false;
  if (entry.type === EntryType.file && stats.size !== entry.size) return false;
  if (!isSameTime(stats.mtimeNs, entry.metadata.mtimeNs)) return false;
  const { metadata } = entry;
  const mode = stats.mode & 0o7777;
  if (entry.type !== EntryType.symlink && mode !== modeToSet(metadata, rules)) return false;
  if (!rules.keepOwner) return true;
  return (
    stats.uid === rules.owners.userId(metadata.user) && stats.gid === rules.owners.groupId(metadata.group)
  );
}

export function isSameTime(a: bigint, b: bigint): boolean {
  if (hasExactTimes()) return a === b;
  const distance = a < b ? b - a : a - b;
  return distance <= ROUNDING_NS;
}

export function modeToSet(metadata: Metadata, rules: AttributeRules): number {
  return rules.keepOwner ? metadata.mode : metadata.mode & MODE_WITHOUT_OWNER;
}

/** Sets owner and time of a symbolic link. */
export function setLinkAttributes(path: Buffer, metadata: Metadata, rules: AttributeRules): void {
  if (rules.keepOwner) {
    fs.lchownSync(path, rules.owners.userId(metadata.user), rules.owners.groupId(metadata.group));
  }
  setLinkTime(path, metadata.mtimeNs);
}

/**
 * Sets owner, mode and time of a directory; the owner first, because setting it clears mode bits. The directory is
 * opened first, so that no link that somebody puts in its place is followed.
 */
export function setDirectoryAttributes(
  parent: number,
  name: string,
  metadata: Metadata,
  rules: AttributeRules,
): void {
  const descriptor = openDirectory(parent, name);
  try {
    const path = bytesOfPath(`/proc/self/fd/${descriptor}`);
    if (rules.keepOwner) {
      fs.chownSync(path, rules.owners.userId(metadata.user), rules.owners.groupId(metadata.group));
    }
    fs.chmodSync(path, modeToSet(metadata, rules));
    setTime(path, metadata.mtimeNs);
  } finally {
    fs.closeSync(descriptor);
  }
}
