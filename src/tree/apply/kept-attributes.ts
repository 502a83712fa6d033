/** The extended attributes of a member's own file, which stay when only its mode, owner or time changes. */
import type { Reason } from "../../base/reason.ts";
import { errorCode } from "../../sys/system-error.ts";
import type { Attribute } from "../../wire/entry.ts";
import type { DirectoryHandle, Disk } from "../disk/disk.ts";
import type { OpenFile } from "../disk/open-file.ts";
import { CAPABILITIES, isCarried, LABEL } from "../entries/extended-attributes.ts";
import { isSameValue } from "./inheritance.ts";
import { setAttributes } from "./set-attributes.ts";

/**
 * Reads the attributes that a copy of a file keeps.
 *
 * @param from read by its descriptor: the name may belong to another file by now
 * @param isOwnerKept whether owner and group stay; if not, the kernel would drop the capabilities of a program, too
 */
export function keptAttributes(from: OpenFile, isOwnerKept: boolean): Attribute[] {
  const kept: Attribute[] = [];
  for (const name of from.listAttributes()) {
    if (name !== LABEL && (!isCarried(name) || (name === CAPABILITIES && !isOwnerKept))) continue;
    const value = from.readAttribute(name);
    if (value !== undefined) kept.push({ name, value });
  }
  return kept;
}

/**
 * Gives a staged file exactly these attributes; those that its directory has passed on go.
 *
 * @returns the reason of the first attribute that could not be set or removed
 */
export function keepAttributes(
  disk: Disk,
  parent: DirectoryHandle,
  name: string,
  kept: readonly Attribute[],
): Reason | undefined {
  const failure = setAttributes(disk, parent, name, kept);
  const label = kept.find((one) => one.name === LABEL);
  if (label !== undefined) setLabel(disk, parent, name, label.value);
  return failure;
}

/** Only a process with the permission of the security module can set a label; without it, the file has that of its directory. */
function setLabel(disk: Disk, parent: DirectoryHandle, name: string, label: Uint8Array): void {
  try {
    if (!isSameValue(label, disk.readAttribute(parent, name, LABEL)))
      disk.setAttribute(parent, name, LABEL, label);
  } catch (error) {
    if (!["EPERM", "EACCES", "EINVAL", "ENOTSUP"].includes(errorCode(error))) throw error;
  }
}
