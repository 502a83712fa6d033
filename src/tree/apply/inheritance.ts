/** What a directory passes on to new entries in it, and how a directory of the staging area is made to do the same. */
import { errorCode } from "../../sys/system-error.ts";
import { type DirectoryHandle, type Disk, ITSELF } from "../disk/disk.ts";
import { SAME_OWNER } from "../entries/attributes.ts";
import { ACCESS_ACL, DEFAULT_ACL, LABEL } from "../entries/extended-attributes.ts";

const SET_GROUP_ID = 0o2000;
const PERMISSION_BITS = 0o7777;

/** Errors for an attribute that a file system, or this process, cannot have. */
const WITHOUT: readonly string[] = ["ENOTSUP", "EOPNOTSUPP", "EACCES", "EPERM", "EINVAL"];

/**
 * Entries are made in the staging area and moved from there, but the kernel gives a new entry what the directory passes on
 * in which it is made: a default access control list, a group if the directory has the set-group-id bit, and the label of a
 * security module. So a staged directory that mirrors one of the tree gets these from it, and the kernel does the rest, for
 * directories in it as well.
 *
 * A group that this process may not give stays as the staging area has it, which is that of the base directory.
 */
export function mirrorInheritance(disk: Disk, from: DirectoryHandle, to: DirectoryHandle): void {
  mirrorGroup(disk, from, to);
  if (!disk.hasAttributes) return;
  mirrorAttribute(disk, from, to, DEFAULT_ACL);
  mirrorLabel(disk, from, to);
}

/** Removes everything that a directory has got for new entries in it from the one above. */
export function dropInheritance(disk: Disk, directory: DirectoryHandle): void {
  if (!disk.hasAttributes) return;
  for (const name of [DEFAULT_ACL, ACCESS_ACL])
    if (readOptional(disk, directory, name) !== undefined) disk.removeAttribute(directory, ITSELF, name);
}

function mirrorGroup(disk: Disk, from: DirectoryHandle, to: DirectoryHandle): void {
  const wanted = disk.statDirectory(from);
  const present = disk.statDirectory(to);
  const passesOn = (wanted.mode & SET_GROUP_ID) !== 0;
  const isPassing = (present.mode & SET_GROUP_ID) !== 0;
  if (passesOn && present.gid !== wanted.gid && !gaveGroup(disk, to, wanted.gid)) return;
  if (passesOn === isPassing) return;
  const mode = present.mode & PERMISSION_BITS & ~SET_GROUP_ID;
  try {
    disk.setMode(to, ITSELF, passesOn ? mode | SET_GROUP_ID : mode);
  } catch (error) {
    // A sandbox may forbid the bit.
    if (errorCode(error) !== "EPERM") throw error;
  }
}

function gaveGroup(disk: Disk, directory: DirectoryHandle, group: number): boolean {
  try {
    disk.setOwner(directory, ITSELF, SAME_OWNER, group);
    return true;
  } catch (error) {
    if (errorCode(error) !== "EPERM") throw error;
    return false;
  }
}

function mirrorAttribute(disk: Disk, from: DirectoryHandle, to: DirectoryHandle, name: string): void {
  const wanted = readOptional(disk, from, name);
  if (wanted !== undefined) disk.setAttribute(to, ITSELF, name, wanted);
  else if (readOptional(disk, to, name) !== undefined) disk.removeAttribute(to, ITSELF, name);
}

/** Only a process with the permission of the security module can set a label; without it, its rules choose one. */
function mirrorLabel(disk: Disk, from: DirectoryHandle, to: DirectoryHandle): void {
  const wanted = readOptional(disk, from, LABEL);
  if (wanted === undefined || isSameValue(wanted, readOptional(disk, to, LABEL))) return;
  try {
    disk.setAttribute(to, ITSELF, LABEL, wanted);
  } catch (error) {
    if (!WITHOUT.includes(errorCode(error))) throw error;
  }
}

function readOptional(disk: Disk, directory: DirectoryHandle, name: string): Uint8Array | undefined {
  try {
    return disk.readAttribute(directory, ITSELF, name);
  } catch (error) {
    if (WITHOUT.includes(errorCode(error))) return undefined;
    throw error;
  }
}

/** Whether two values of an attribute are the same. */
export function isSameValue(value: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && Buffer.compare(value, other) === 0;
}
