import { keptTime } from "../../src/tree/disk/kept-times.ts";
import type { Change } from "./changes.ts";
import { DiskError } from "./disk-error.ts";
import { type Inode, TYPE } from "./inode.ts";
import type { MemoryState } from "./memory-state.ts";
import {
  isMember,
  isPowerful,
  MAY,
  may,
  mayGive,
  modeForNewOwner,
  requireAccess,
  requireOwner,
  SET_GROUP,
  STICKY,
} from "./permissions.ts";

/** Calls on owners, modes, times and extended attributes. */

// Limits of Linux.
const PERMISSION_BITS = 0o7777;
const LONGEST_ATTRIBUTE_NAME_BYTES = 255;
const LARGEST_VALUE_BYTES = 65_536;
const NAMESPACES = ["user.", "trusted.", "security."] as const;
const CAPABILITY = "security.capability";

export function setOwnerOf(state: MemoryState, inode: Inode, user: number, group: number): void {
  const call = "chown";
  state.requireWritable(inode, call);
  if (!mayGive(state.identity, inode, user, group)) throw new DiskError("EPERM", call);
  const changes: Change[] = [
    {
      kind: "owner",
      inode: inode.number,
      user: user === -1 ? inode.user : user,
      group: group === -1 ? inode.group : group,
    },
  ];
  if (!inode.isDirectory) changes.push(...lostPrivileges(inode, modeForNewOwner(state.identity, inode)));
  state.record(inode, changes);
}

/** Privileges that a write removes from a file, so that nobody gains rights by changing it. */
export function privilegesLostByWrite(state: MemoryState, inode: Inode): Change[] {
  const isRoot = isPowerful(state.identity);
  return lostPrivileges(inode, isRoot ? inode.mode : modeForNewOwner(state.identity, inode));
}

export function setModeOf(state: MemoryState, inode: Inode, mode: number): void {
  const call = "chmod";
  if (inode.isSymlink) throw new Error("the mode of a symbolic link is never set");
  state.requireWritable(inode, call);
  requireOwner(state.identity, inode, call);
  const isForeign = !isPowerful(state.identity) && !isMember(state.identity, inode.group);
  const permitted = mode & PERMISSION_BITS & ~(isForeign ? SET_GROUP : 0);
  state.record(inode, [{ kind: "mode", inode: inode.number, mode: permitted }]);
}

export function setTimeOf(state: MemoryState, inode: Inode, mtimeNs: bigint): void {
  state.requireWritable(inode, "utimensat");
  requireOwner(state.identity, inode, "utimensat");
  const kept = keptTime(mtimeNs, state.options.keptTimes);
  state.record(inode, [{ kind: "time", inode: inode.number, mtimeNs: kept }]);
}

export function attributeNames(state: MemoryState, inode: Inode): string[] {
  const names = [...(inode.attributes?.keys() ?? [])];
  return state.identity.user === 0 ? names : names.filter((name) => !name.startsWith("trusted."));
}

export function attributeValue(
  state: MemoryState,
  inode: Inode,
  name: string,
  call = "lgetxattr",
): Uint8Array | undefined {
  requireName(name, call);
  if (name.startsWith("trusted.") && state.identity.user !== 0) return undefined;
  if (name.startsWith("user.") && !hasUserAttributes(inode)) return undefined;
  if (!isSystemName(name)) requireAccess(state.identity, inode, MAY.read, call);
  requireNamespace(name, call);
  return inode.attributes?.get(name)?.slice();
}

export function changeAttribute(
  state: MemoryState,
  inode: Inode,
  name: string,
  value: Uint8Array | undefined,
): void {
  const call = value === undefined ? "lremovexattr" : "lsetxattr";
  requireName(name, call);
  if (value !== undefined && value.length > LARGEST_VALUE_BYTES) throw new DiskError("E2BIG", call);
  state.requireWritable(inode, call);
  requireMayChange(state, inode, name, call);
  requireNamespace(name, call);
  if (value === undefined && inode.attributes?.has(name) !== true) throw new DiskError("ENODATA", call);
  state.record(inode, [{ kind: "attribute", inode: inode.number, name, value: value?.slice() }]);
}

function requireMayChange(state: MemoryState, inode: Inode, name: string, call: string): void {
  const { identity } = state;
  if (identity.user !== 0 && (name.startsWith("trusted.") || name.startsWith("security.")))
    throw new DiskError("EPERM", call);
  if (isSystemName(name)) return;
  if (name.startsWith("user.")) {
    if (!hasUserAttributes(inode)) throw new DiskError("EPERM", call);
    if (inode.isDirectory && (inode.mode & STICKY) !== 0) requireOwner(identity, inode, call);
  }
  if (!may(identity, inode, MAY.write)) throw new DiskError("EACCES", call);
}

function isSystemName(name: string): boolean {
  return name.startsWith("security.") || name.startsWith("system.");
}

function hasUserAttributes(inode: Inode): boolean {
  return inode.birth.type === TYPE.file || inode.isDirectory;
}

function requireName(name: string, call: string): void {
  if (name === "" || name.length > LONGEST_ATTRIBUTE_NAME_BYTES || name.includes("\0"))
    throw new DiskError("EINVAL", call);
}

function requireNamespace(name: string, call: string): void {
  const namespace = NAMESPACES.find((known) => name.startsWith(known));
  if (namespace === undefined) throw new DiskError("ENOTSUP", call);
  if (namespace === name) throw new DiskError("EINVAL", call);
}

function lostPrivileges(inode: Inode, mode: number): Change[] {
  const changes: Change[] = [];
  if (mode !== inode.mode) changes.push({ kind: "mode", inode: inode.number, mode });
  if (inode.attributes?.has(CAPABILITY) === true)
    changes.push({ kind: "attribute", inode: inode.number, name: CAPABILITY, value: undefined });
  return changes;
}
