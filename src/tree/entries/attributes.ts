/** Mode, time and owner of an entry: their present and their final values. */
import type { FileStats } from "../../sys/stat.ts";
import { deviceNumber } from "../../sys/special-files.ts";
import { type Device, EntryType } from "../../wire/entry.ts";
import type { Metadata } from "../../wire/metadata.ts";
import type { Owners } from "./owners.ts";

/** The rules for setting attributes. Only root, or a process that kept the capability for it, can set owners. */
export interface AttributeRules {
  readonly owners: Owners;
  readonly keepOwner: boolean;
  /** The groups of this process. Even if it cannot set owners, it can give its own files one of these groups. */
  readonly ownGroups: ReadonlySet<number>;
  /** The sandbox of this process has rejected the set-group-id bit. */
  isSetGroupIdForbidden?: boolean;
}

/** The groups of this process. */
export function groupsOfProcess(): ReadonlySet<number> {
  return new Set([...(process.getgroups?.() ?? []), process.getegid?.() ?? 0]);
}

/** With another owner or group, set-user-id and set-group-id would mean another user, so they are left out. */
const MODE_WITHOUT_OWNER = 0o1777;
const SET_GROUP_ID = 0o2000;

/** For the calls that set owners: keep the present one. */
export const SAME_OWNER = -1;

/** Times that are set without the native call are rounded to a microsecond. */
const ROUNDING_NS = 1000n;

export function metadataOf(stats: FileStats, owners: Owners): Metadata {
  return {
    mode: stats.mode & 0o7777,
    mtimeNs: stats.mtimeNs,
    user: owners.user(stats.uid),
    group: owners.group(stats.gid),
  };
}

/** The type of an entry by its stats; undefined for types that are not sent. */
export function typeOf(stats: FileStats): EntryType | undefined {
  if (stats.isFile()) return EntryType.file;
  if (stats.isDirectory()) return EntryType.directory;
  if (stats.isSymbolicLink()) return EntryType.symlink;
  if (stats.isFIFO()) return EntryType.fifo;
  if (stats.isCharacterDevice()) return EntryType.characterDevice;
  return stats.isBlockDevice() ? EntryType.blockDevice : undefined;
}

/** The device of a device node. */
export function deviceOf(stats: FileStats): Device {
  return deviceNumber(stats.deviceId);
}

/**
 * Whether two times are the same, as far as this host can set them.
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

/**
 * The mode that a directory gets. If its group stays as it is on this host, so does its set-group-id bit: it comes from the
 * directory above, or from an administrator.
 *
 * @param present its mode until now
 */
export function directoryModeToSet(metadata: Metadata, present: number, rules: AttributeRules): number {
  const mode = modeToSet(metadata, rules);
  const isKept = !rules.keepOwner && ownerToSet(metadata, rules).group === SAME_OWNER;
  return isKept ? mode | (present & SET_GROUP_ID) : mode;
}

/** Whether a mode has the bit that a sandbox may forbid. */
export function isSetGroupId(mode: number): boolean {
  return (mode & SET_GROUP_ID) !== 0;
}

/** Whether an entry has its final owner and group, as far as this process can set them. */
export function hasOwnerToSet(stats: FileStats, metadata: Metadata, rules: AttributeRules): boolean {
  const { user, group } = ownerToSet(metadata, rules);
  return (user === SAME_OWNER || stats.uid === user) && (group === SAME_OWNER || stats.gid === group);
}

/** The owner that an entry gets. If the group stays as it is, the user stays, too. */
export function ownerToSet(
  metadata: Metadata,
  { owners, keepOwner, ownGroups }: AttributeRules,
): { readonly user: number; readonly group: number } {
  const group = owners.groupId(metadata.group);
  if (keepOwner) return { user: owners.userId(metadata.user), group };
  return { user: SAME_OWNER, group: ownGroups.has(group) ? group : SAME_OWNER };
}
