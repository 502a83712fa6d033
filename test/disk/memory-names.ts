import type { Change } from "./changes.ts";
import type { Circumstances } from "./dependencies.ts";
import { DiskError } from "./disk-error.ts";
import type { Inode } from "./inode.ts";
import type { MemoryState } from "./memory-state.ts";
import {
  isKeptByStickyBit,
  isPowerful,
  MAY,
  may,
  requireAccess,
  SET_GROUP,
  SET_USER,
} from "./permissions.ts";

/** Calls that change names of existing entries, with the errors of Linux in its order. */

export function linkEntry(state: MemoryState, from: Inode, name: string, to: Inode, newName: string): void {
  const call = "link";
  const inode = state.find(from, name, call);
  if (state.lookUp(to, newName, call) !== undefined) throw new DiskError("EEXIST", call);
  state.requireWritable(to, call);
  if (inode.birth.device !== to.birth.device) throw new DiskError("EXDEV", call);
  if (inode.isImmutable || inode.isAppendOnly || to.isImmutable) throw new DiskError("EPERM", call);
  requireSafeLink(state, inode);
  state.requireRoomFor(to, call);
  if (inode.isDirectory) throw new DiskError("EPERM", call);
  state.record(to, [nameChange(state, to, newName, inode)]);
}

export function unlinkEntry(state: MemoryState, directory: Inode, name: string): void {
  const call = "unlink";
  requireAccess(state.identity, directory, MAY.search, call);
  state.requireWritable(directory, call);
  const inode = state.find(directory, name, call);
  requireRemovable(state, directory, inode, call);
  if (inode.isDirectory) throw new DiskError("EISDIR", call);
  state.record(directory, [nameChange(state, directory, name, undefined)]);
  state.releaseUnused(inode);
}

export function removeEmptyDirectory(state: MemoryState, directory: Inode, name: string): void {
  const call = "rmdir";
  requireAccess(state.identity, directory, MAY.search, call);
  state.requireWritable(directory, call);
  const inode = state.find(directory, name, call);
  requireRemovable(state, directory, inode, call);
  if (!inode.isDirectory) throw new DiskError("ENOTDIR", call);
  if (inode.isMountPoint) throw new DiskError("EBUSY", call);
  if (hasEntries(inode)) throw new DiskError("ENOTEMPTY", call);
  const circumstances = { moved: [], above: [], removed: inode.number };
  state.record(directory, [nameChange(state, directory, name, undefined)], circumstances);
  state.releaseUnused(inode);
}

export function renameEntry(state: MemoryState, from: Inode, name: string, to: Inode, newName: string): void {
  const call = "rename";
  const { source, target } = findBoth(state, from, name, to, newName, call);
  if (isAtOrAbove(source, to)) throw new DiskError("EINVAL", call);
  if (target !== undefined && isAtOrAbove(target, from)) throw new DiskError("ENOTEMPTY", call);
  if (source === target) return;
  requireRemovable(state, from, source, call);
  if (isOfOtherProject(from, to) || (source.isLower && source.isDirectory))
    throw new DiskError("EXDEV", call);
  if (to.isImmutable) throw new DiskError("EPERM", call);
  if (target === undefined) state.requireRoomFor(to, call);
  else requireReplaceable(state, to, target, source.isDirectory);
  if (from !== to) requireMovable(state, source, call);
  if (source.isMountPoint || target?.isMountPoint === true) throw new DiskError("EBUSY", call);
  if (target !== undefined && hasEntries(target)) throw new DiskError("ENOTEMPTY", call);
  const timeNs = state.clock();
  const changes: Change[] = [
    nameChange(state, to, newName, source, timeNs),
    nameChange(state, from, name, undefined, timeNs),
  ];
  const removed = target?.isDirectory === true ? target.number : undefined;
  state.record(from, changes, circumstancesOf(from, to, [source], removed));
  if (target !== undefined) state.releaseUnused(target);
}

/** Throws if the system cannot exchange entries; the disk reports only that. */
export function exchangeEntries(
  state: MemoryState,
  from: Inode,
  name: string,
  to: Inode,
  otherName: string,
  touchesExchanged = false,
): void {
  const call = "exchange";
  const { source, target } = findBoth(state, from, name, to, otherName, call);
  if (target === undefined) throw new DiskError("ENOENT", call);
  if (isAtOrAbove(source, to) || isAtOrAbove(target, from)) throw new DiskError("EINVAL", call);
  if (source === target) return;
  requireRemovable(state, from, source, call);
  requireRemovable(state, to, target, call);
  if (from !== to) for (const inode of [source, target]) requireMovable(state, inode, call);
  const isLower = [source, target].some((inode) => inode.isLower && inode.isDirectory);
  if (isLower || isOfOtherProject(from, to)) throw new DiskError("EXDEV", call);
  if (source.isMountPoint || target.isMountPoint) throw new DiskError("EBUSY", call);
  const timeNs = state.clock();
  const touched = touchesExchanged && from !== to ? [source, target].filter((one) => one.isDirectory) : [];
  const changes: Change[] = [
    ...touched.map((inode): Change => ({ kind: "time", inode: inode.number, mtimeNs: timeNs })),
    nameChange(state, to, otherName, source, timeNs),
    nameChange(state, from, name, target, timeNs),
  ];
  state.record(from, changes, circumstancesOf(from, to, [source, target], undefined));
}

function findBoth(state: MemoryState, from: Inode, name: string, to: Inode, newName: string, call: string) {
  for (const directory of [from, to]) requireAccess(state.identity, directory, MAY.search, call);
  if (from.birth.device !== to.birth.device) throw new DiskError("EXDEV", call);
  state.requireWritable(from, call);
  const source = state.find(from, name, call);
  const target = state.lookUp(to, newName, call);
  // A directory can also be removed while a handle is open.
  if (to.isRemoved) throw new DiskError("ENOENT", call);
  return { source, target };
}

function nameChange(
  state: MemoryState,
  directory: Inode,
  name: string,
  inode: Inode | undefined,
  timeNs = state.clock(),
): Change {
  const real = state.realName(directory, name);
  return { kind: "name", directory: directory.number, name: real, inode: inode?.number, timeNs };
}

function circumstancesOf(
  from: Inode,
  to: Inode,
  inodes: readonly Inode[],
  removed: number | undefined,
): Circumstances {
  const moved = from === to ? [] : inodes.filter((inode) => inode.isDirectory).map((inode) => inode.number);
  const above =
    moved.length === 0 ? [] : [...numbersAbove(to), ...(inodes.length > 1 ? numbersAbove(from) : [])];
  return { moved, above, removed };
}

function* numbersAbove(directory: Inode): Generator<number> {
  for (let above: Inode | undefined = directory; above !== undefined; above = above.parent)
    yield above.number;
}

function requireRemovable(state: MemoryState, directory: Inode, inode: Inode, call: string): void {
  requireAccess(state.identity, directory, MAY.write | MAY.search, call);
  if (isKeptByStickyBit(state.identity, directory, inode)) throw new DiskError("EPERM", call);
  const isMarked = inode.isImmutable || inode.isAppendOnly || directory.isImmutable || directory.isAppendOnly;
  if (isMarked) throw new DiskError("EPERM", call);
}

function requireReplaceable(state: MemoryState, directory: Inode, target: Inode, byDirectory: boolean): void {
  requireRemovable(state, directory, target, "rename");
  if (byDirectory && !target.isDirectory) throw new DiskError("ENOTDIR", "rename");
  if (!byDirectory && target.isDirectory) throw new DiskError("EISDIR", "rename");
}

/** A directory that gets another parent changes itself: its `..` does. */
function requireMovable(state: MemoryState, inode: Inode, call: string): void {
  if (inode.isDirectory) requireAccess(state.identity, inode, MAY.write, call);
}

/** A user can only link files that the user could change, as with fs.protected_hardlinks. */
function requireSafeLink(state: MemoryState, inode: Inode): void {
  const { identity } = state;
  if (isPowerful(identity) || identity.user === inode.user) return;
  const isPlain = inode.contents !== undefined && (inode.mode & (SET_USER | SET_GROUP)) === 0;
  if (!isPlain || !may(identity, inode, MAY.read | MAY.write)) throw new DiskError("EPERM", "link");
}

function isAtOrAbove(inode: Inode, directory: Inode): boolean {
  if (!inode.isDirectory) return false;
  for (let above: Inode | undefined = directory; above !== undefined; above = above.parent)
    if (above === inode) return true;
  return false;
}

/** Entries get the project of the directory that they are moved into, and the kernel does not change it. */
function isOfOtherProject(from: Inode, to: Inode): boolean {
  return from.project !== to.project;
}

function hasEntries(inode: Inode): boolean {
  return inode.entries !== undefined && inode.entries.size > 0;
}
