/** Mode, time and owner of an entry: what they are, and what they are to be. */
import type { FileStats } from "../../sys/stat.ts";
import { deviceNumber } from "../../sys/special-files.ts";
import { type Device, EntryType } from "../../wire/entry.ts";
import type { Metadata } from "../../wire/metadata.ts";
import type { Owners } from "./owners.ts";

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

/** For the calls that set owners: leave this one as it is. */
export const SAME_OWNER = -1;

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
  if (stats.isFIFO()) return EntryType.fifo;
  if (stats.isCharacterDevice()) return EntryType.characterDevice;
  return stats.isBlockDevice() ? EntryType.blockDevice : undefined;
}

/** Which device a device node stands for. */
export function deviceOf(stats: FileStats): Device {
  return deviceNumber(stats.deviceId);
}

/**
 * Whether two times are the same, as far as they can be set on this host.
 *
 * @param isExact whether times can be set to the nanosecond
 */
export function isSameTime(a: bigint, b: bigint, isExact: boolean): boolean {
  if (isExact) return a === b;
  const distance = a < b ? b - a : a - b;
  return distance <= ROUNDING_NS;
}

export function modeToSet(metadata: Metadata, rules: AttributeRules): number {
  if (rules.keepOwner) return metadata.mode;
  const { group } = ownerToSet(metadata, rules);
  const isGroupKept = group !== SAME_OWNER && rules.isSetGroupIdForbidden !== true;
  return metadata.mode & (isGroupKept ? MODE_WITHOUT_OWNER | SET_GROUP_ID : MODE_WITHOUT_OWNER);
}

/** Whether a mode has the bit that a sandbox may forbid. */
export function isSetGroupId(mode: number): boolean {
  return (mode & SET_GROUP_ID) !== 0;
}

/** Whether an entry has the owner and the group that it is to have, as far as they can be set here. */
export function hasOwnerToSet(stats: FileStats, metadata: Metadata, rules: AttributeRules): boolean {
  const { user, group } = ownerToSet(metadata, rules);
  return (user === SAME_OWNER || stats.uid === user) && (group === SAME_OWNER || stats.gid === group);
}

/** The owner that an entry is to be given; where the group stays as it is, so does the owner. */
export function ownerToSet(
  metadata: Metadata,
  { owners, keepOwner, ownGroups }: AttributeRules,
): { readonly user: number; readonly group: number } {
  const group = owners.groupId(metadata.group);
  if (keepOwner) return { user: owners.userId(metadata.user), group };
  return { user: SAME_OWNER, group: ownGroups.has(group) ? group : SAME_OWNER };
}
