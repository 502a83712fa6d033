import { DiskError } from "./disk-error.ts";
import type { Inode } from "./inode.ts";

/** The user and the groups of a process. */
export interface Identity {
  readonly user: number;
  readonly group: number;
  readonly groups: readonly number[];
  /** Whether it has the capabilities that keeping owners needs, as the user 0 has. */
  readonly isCapable?: boolean;
}

/** Whether no owner and no mode keeps a process from anything. */
export function isPowerful({ user, isCapable }: Identity): boolean {
  return user === 0 || isCapable === true;
}

export const MAY = { read: 4, write: 2, search: 1 } as const;

// Bits of a mode.
export const SET_USER = 0o4000;
export const SET_GROUP = 0o2000;
export const STICKY = 0o1000;
const GROUP_EXECUTES = 0o010;

export function may(identity: Identity, inode: Inode, bits: number): boolean {
  if (isPowerful(identity)) return true;
  const shift = inode.user === identity.user ? 6 : isMember(identity, inode.group) ? 3 : 0;
  return ((inode.mode >> shift) & bits) === bits;
}

export function requireAccess(identity: Identity, inode: Inode, bits: number, call: string): void {
  if (!may(identity, inode, bits)) throw new DiskError("EACCES", call);
}

export function isMember(identity: Identity, group: number): boolean {
  return identity.group === group || identity.groups.includes(group);
}

export function requireOwner(identity: Identity, inode: Inode, call: string): void {
  if (!isPowerful(identity) && identity.user !== inode.user) throw new DiskError("EPERM", call);
}

/** Whether a sticky directory forbids a user to remove an entry of it. */
export function isKeptByStickyBit(identity: Identity, directory: Inode, entry: Inode): boolean {
  if ((directory.mode & STICKY) === 0 || isPowerful(identity)) return false;
  return identity.user !== entry.user && identity.user !== directory.user;
}

/** Whether a user may give a file to this owner and this group; -1 keeps the present one. */
export function mayGive(identity: Identity, inode: Inode, user: number, group: number): boolean {
  if (isPowerful(identity)) return true;
  const isOwner = identity.user === inode.user;
  const mayUser = user === -1 || (isOwner && user === inode.user);
  const mayGroup = group === -1 || (isOwner && (group === inode.group || isMember(identity, group)));
  return mayUser && mayGroup;
}

/** The mode after a change of the owner, which clears the bits that let others act as the owner. */
export function modeForNewOwner(identity: Identity, inode: Inode): number {
  if (inode.isDirectory || inode.isSymlink) return inode.mode;
  const losesGroup =
    (inode.mode & GROUP_EXECUTES) !== 0 || (!isPowerful(identity) && !isMember(identity, inode.group));
  return inode.mode & ~SET_USER & ~(losesGroup ? SET_GROUP : 0);
}

/** The mode of a new entry, and its group. */
export function inherited(
  identity: Identity,
  directory: Inode,
  isDirectory: boolean,
  mode: number,
): { mode: number; group: number } {
  if ((directory.mode & SET_GROUP) === 0) return { mode, group: identity.group };
  const { group } = directory;
  if (isDirectory) return { mode: mode | SET_GROUP, group };
  const isForeign = !isPowerful(identity) && !isMember(identity, group);
  const runsAsGroup = (mode & (SET_GROUP | GROUP_EXECUTES)) === (SET_GROUP | GROUP_EXECUTES);
  return { mode: isForeign && runsAsGroup ? mode & ~SET_GROUP : mode, group };
}
