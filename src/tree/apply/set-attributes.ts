/** Sets mode, time, owner and extended attributes of entries, staged or in place. */
import { type Reason, reason } from "../../base/reason.ts";
import { errorCode } from "../../sys/system-error.ts";
import type { Attribute } from "../../wire/entry.ts";
import type { Metadata } from "../../wire/metadata.ts";
import type { DirectoryAttributes } from "../decide/decision.ts";
import { type DirectoryHandle, type Disk, type FileHandle, ITSELF } from "../disk/disk.ts";
import {
  type AttributeRules,
  directoryModeToSet,
  isSetGroupId,
  modeToSet,
  ownerToSet,
  SAME_OWNER,
} from "../entries/attributes.ts";
import { isCarried } from "../entries/extended-attributes.ts";
import { explain } from "../reasons/explain.ts";

const PERMISSION_BITS = 0o7777;

/**
 * Sets owner and mode of an open file. The owner comes first, because setting it clears mode bits.
 *
 * @param between called after the owner is set, which clears attributes as well, and before the mode is
 */
export function setFileRights(
  disk: Disk,
  file: FileHandle,
  metadata: Metadata,
  rules: AttributeRules,
  between: () => void = () => undefined,
): void {
  const { user, group } = ownerToSet(metadata, rules);
  if (group !== SAME_OWNER) disk.setFileOwner(file, user, group);
  between();
  setMode(metadata, rules, (mode) => disk.setFileMode(file, mode));
}

/** Sets the time of an open file: last of all, because writing to it sets the time as well. */
export function setFileTime(disk: Disk, file: FileHandle, metadata: Metadata): void {
  disk.setFileTime(file, metadata.mtimeNs);
}

/** Sets owner and time of a symbolic link. */
export function setLinkAttributes(
  disk: Disk,
  parent: DirectoryHandle,
  name: string,
  metadata: Metadata,
  rules: AttributeRules,
): void {
  setOwner(disk, parent, name, metadata, rules);
  disk.setTime(parent, name, metadata.mtimeNs);
}

/** Sets owner, mode and time of an entry that must not be opened: a FIFO or a device, made just before. */
export function setSpecialAttributes(
  disk: Disk,
  parent: DirectoryHandle,
  name: string,
  metadata: Metadata,
  rules: AttributeRules,
): void {
  setOwner(disk, parent, name, metadata, rules);
  setMode(metadata, rules, (mode) => disk.setMode(parent, name, mode));
  disk.setTime(parent, name, metadata.mtimeNs);
}

/**
 * Sets owner, extended attributes, mode and time of a directory. The directory is opened first, so that a link that
 * somebody puts in its place is not followed.
 *
 * @returns why an extended attribute could not be set
 */
export function setDirectoryAttributes(
  disk: Disk,
  parent: DirectoryHandle,
  name: string,
  { metadata, attributes }: DirectoryAttributes,
  rules: AttributeRules,
): Reason | undefined {
  const directory = disk.openDirectory(parent, name);
  try {
    setOwner(disk, directory, ITSELF, metadata, rules);
    // They come before the mode, which may take this process's access away.
    const failure = attributes === undefined ? undefined : setAttributes(disk, directory, ITSELF, attributes);
    setDirectoryMode(disk, directory, metadata, rules);
    disk.setTime(directory, ITSELF, metadata.mtimeNs);
    return failure;
  } finally {
    disk.closeDirectory(directory);
  }
}

/** Sets mode and time of a directory that a commit has changed in passing; the mode as it is, whatever its bits. */
export function restoreDirectory(
  disk: Disk,
  parent: DirectoryHandle,
  name: string,
  { mode, mtimeNs }: Metadata,
): void {
  const directory = disk.openDirectory(parent, name);
  try {
    if ((disk.statDirectory(directory).mode & 0o7777) !== mode) disk.setMode(directory, ITSELF, mode);
    disk.setTime(directory, ITSELF, mtimeNs);
  } finally {
    disk.closeDirectory(directory);
  }
}

/**
 * Gives an entry exactly these extended attributes.
 *
 * @returns the reason of the first attribute that could not be set or removed
 */
export function setAttributes(
  disk: Disk,
  parent: DirectoryHandle,
  name: string,
  wanted: readonly Attribute[],
): Reason | undefined {
  if (!disk.hasAttributes) return wanted.length === 0 ? undefined : reason("no-attributes");
  let failure: Reason | undefined;
  const attempt = (attribute: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      failure ??= reason("attribute", undefined, attribute, explain(error));
    }
  };
  // A sender must not be able to set other attributes.
  const carried = wanted.filter((one) => isCarried(one.name));
  for (const one of carried) attempt(one.name, () => disk.setAttribute(parent, name, one.name, one.value));
  const names = new Set(carried.map((one) => one.name));
  let present: string[] = [];
  attempt("list", () => (present = disk.listAttributes(parent, name)));
  for (const one of present) {
    if (isCarried(one) && !names.has(one)) attempt(one, () => disk.removeAttribute(parent, name, one));
  }
  return failure;
}

function setOwner(
  disk: Disk,
  parent: DirectoryHandle,
  name: string,
  metadata: Metadata,
  rules: AttributeRules,
): void {
  const { user, group } = ownerToSet(metadata, rules);
  if (group !== SAME_OWNER) disk.setOwner(parent, name, user, group);
}

/** Sets the final mode of a directory; see directoryModeToSet(). */
function setDirectoryMode(
  disk: Disk,
  directory: DirectoryHandle,
  metadata: Metadata,
  rules: AttributeRules,
): void {
  const present = disk.statDirectory(directory).mode & PERMISSION_BITS;
  setMode(metadata, rules, (mode) => {
    const wanted = directoryModeToSet(metadata, present, rules);
    // A sandbox that forbids the bit lets a directory keep it that has got it from the one above.
    if (wanted === present && isSetGroupId(wanted)) return;
    try {
      disk.setMode(directory, ITSELF, wanted);
    } catch (error) {
      if (errorCode(error) !== "EPERM" || wanted === mode) throw error;
      disk.setMode(directory, ITSELF, mode);
    }
  });
}

/**
 * Sets the final mode of an entry; without set-group-id if a sandbox forbids that bit.
 *
 * @param change sets a mode
 */
function setMode(metadata: Metadata, rules: AttributeRules, change: (mode: number) => void): void {
  const mode = modeToSet(metadata, rules);
  try {
    change(mode);
  } catch (error) {
    if (rules.keepOwner || errorCode(error) !== "EPERM" || !isSetGroupId(mode)) throw error;
    rules.isSetGroupIdForbidden = true;
    change(modeToSet(metadata, rules));
  }
}
