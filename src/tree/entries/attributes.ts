/** Compares and sets mode, time and owner. */
import fs from "node:fs";
import { hasExactTimes, setLinkTime, setTime } from "../../sys/files.ts";
import type { FileStats } from "../../sys/stat.ts";
import { deviceNumber } from "../../sys/special-files.ts";
import { type Attribute, type Device, EntryType } from "../../wire/entry.ts";
import type { Metadata } from "../../wire/metadata.ts";
import { bytesOfPath } from "../../sys/entry-path.ts";
import { errorCode } from "../../sys/system-error.ts";
import { openDirectory } from "../disk/directories.ts";
import { setAttributes } from "./extended-attributes.ts";
import type { Owners } from "./owners.ts";

/** Reading, comparing and setting mode, time and owner. */

/** Whether the owners of files can be set here: root can, and whoever kept the capability for it. */
export interface AttributeRules {
  readonly owners: Owners;
  readonly keepOwner: boolean;
  /** Groups that this process belongs to: also without that right, its own files can be given one of them. */
  readonly ownGroups: ReadonlySet<number>;
  /** The sandbox of this process has turned out to forbid it set-group-id. */
  isSetGroupIdForbidden?: boolean;
}

/** The groups that this process belongs to. */
export function groupsOfProcess(): ReadonlySet<number> {
  return new Set([...(process.getgroups?.() ?? []), process.getegid?.() ?? 0]);
}

/** Set-user-id and set-group-id mean somebody else where the owner or the group is not kept. */
const MODE_WITHOUT_OWNER = 0o1777;
const SET_GROUP_ID = 0o2000;
const SAME_OWNER = -1;

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

const SPECIAL_TYPES: ReadonlyMap<number, EntryType> = new Map([
  [fs.constants.S_IFIFO, EntryType.fifo],
  [fs.constants.S_IFCHR, EntryType.characterDevice],
  [fs.constants.S_IFBLK, EntryType.blockDevice],
]);

/** The type of an entry by its stats; undefined for what is not sent. */
export function typeOf(stats: FileStats): EntryType | undefined {
  if (stats.isFile()) return EntryType.file;
  if (stats.isDirectory()) return EntryType.directory;
  if (stats.isSymbolicLink()) return EntryType.symlink;
  return SPECIAL_TYPES.get(stats.mode & fs.constants.S_IFMT);
}

/** Which device a device node stands for. */
export function deviceOf(stats: FileStats): Device {
  return deviceNumber(stats.deviceId);
}

/** Whether two times are the same, as far as they can be set here. */
export function isSameTime(a: bigint, b: bigint): boolean {
  if (hasExactTimes()) return a === b;
  const distance = a < b ? b - a : a - b;
  return distance <= ROUNDING_NS;
}

export function modeToSet(metadata: Metadata, rules: AttributeRules): number {
  if (rules.keepOwner) return metadata.mode;
  const { group } = ownerToSet(metadata, rules);
  const isGroupKept = group !== SAME_OWNER && rules.isSetGroupIdForbidden !== true;
  return metadata.mode & (isGroupKept ? MODE_WITHOUT_OWNER | SET_GROUP_ID : MODE_WITHOUT_OWNER);
}

/**
 * Sets the mode that an entry is to have.
 *
 * @param change sets a mode
 */
export function setMode(metadata: Metadata, rules: AttributeRules, change: (mode: number) => void): void {
  const mode = modeToSet(metadata, rules);
  try {
    change(mode);
  } catch (error) {
    if (rules.keepOwner || errorCode(error) !== "EPERM" || (mode & SET_GROUP_ID) === 0) throw error;
    rules.isSetGroupIdForbidden = true;
    change(modeToSet(metadata, rules));
  }
}

/** Whether an entry has the owner and the group that it is to have, as far as they can be set here. */
export function hasOwnerToSet(stats: FileStats, metadata: Metadata, rules: AttributeRules): boolean {
  const { user, group } = ownerToSet(metadata, rules);
  return (user === SAME_OWNER || stats.uid === user) && (group === SAME_OWNER || stats.gid === group);
}

/** Gives an open file its owner and its group, as far as they can be set here. */
export function setDescriptorOwner(descriptor: number, metadata: Metadata, rules: AttributeRules): void {
  const { user, group } = ownerToSet(metadata, rules);
  if (group !== SAME_OWNER) fs.fchownSync(descriptor, user, group);
}

/** What the call is to be given; where the group stays as it is, so does the owner. */
function ownerToSet(metadata: Metadata, { owners, keepOwner, ownGroups }: AttributeRules) {
  const group = owners.groupId(metadata.group);
  if (keepOwner) return { user: owners.userId(metadata.user), group };
  return { user: SAME_OWNER, group: ownGroups.has(group) ? group : SAME_OWNER };
}

/** Sets owner and time of a symbolic link. */
export function setLinkAttributes(path: Buffer, metadata: Metadata, rules: AttributeRules): void {
  setLinkOwner(path, metadata, rules);
  setLinkTime(path, metadata.mtimeNs);
}

/** Sets owner, mode and time of something that must not be opened: a FIFO, or a device. It is one that was just made. */
export function setSpecialAttributes(path: Buffer, metadata: Metadata, rules: AttributeRules): void {
  setLinkOwner(path, metadata, rules);
  setMode(metadata, rules, (mode) => fs.chmodSync(path, mode));
  setLinkTime(path, metadata.mtimeNs);
}

function setLinkOwner(path: Buffer, metadata: Metadata, rules: AttributeRules): void {
  const { user, group } = ownerToSet(metadata, rules);
  if (group !== SAME_OWNER) fs.lchownSync(path, user, group);
}

/**
 * Sets owner, mode, extended attributes and time of a directory; the owner first, because setting it clears mode bits. The directory is
 * opened first, so that no link that somebody puts in its place is followed.
 *
 * @returns what could not be set of its extended attributes
 */
export function setDirectoryAttributes(
  parent: number,
  name: string,
  { metadata, attributes }: { metadata: Metadata; attributes: readonly Attribute[] | undefined },
  rules: AttributeRules,
): string | undefined {
  const descriptor = openDirectory(parent, name);
  try {
    const path = bytesOfPath(`/proc/self/fd/${descriptor}`);
    const { user, group } = ownerToSet(metadata, rules);
    if (group !== SAME_OWNER) fs.chownSync(path, user, group);
    // The calls for attributes follow no link, not even that of /proc. They come before a mode that may shut this process out.
    const itself = bytesOfPath(`/proc/self/fd/${descriptor}/.`);
    const failure = attributes === undefined ? undefined : setAttributes(itself, attributes);
    setMode(metadata, rules, (mode) => fs.chmodSync(path, mode));
    setTime(path, metadata.mtimeNs);
    return failure;
  } finally {
    fs.closeSync(descriptor);
  }
}
