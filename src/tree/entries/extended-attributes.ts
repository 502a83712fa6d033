/** Selects the extended attributes that are carried; reads and compares them. */
import type { Attribute } from "../../wire/entry.ts";
import { ATTRIBUTE_BYTES, ATTRIBUTES } from "../../wire/limits.ts";
import type { TreeView } from "../disk/tree-view.ts";

/**
 * Extended attributes, including access control lists. Attributes that the system keeps for itself, such as the labels
 * of a security module, belong to the host and are left alone.
 */

/** Access control lists: of an entry itself, and of a directory for new entries in it. */
export const ACCESS_ACL = "system.posix_acl_access";
export const DEFAULT_ACL = "system.posix_acl_default";

/** The label of SELinux. */
export const LABEL = "security.selinux";

/** The capabilities of a program. */
export const CAPABILITIES = "security.capability";

const CARRIED = /^(user\.|trusted\.|system\.posix_acl_(access|default)$|security\.capability$)/;

/** Whether an attribute of this name is sent and set. */
export function isCarried(name: string): boolean {
  return CARRIED.test(name);
}

/** Why an entry's attributes are not sent. */
export class AttributesError extends Error {
  override name = "AttributesError";
}

/**
 * All carried attributes of an entry, sorted by name.
 *
 * @throws AttributesError if there are too many; or an error with a code
 */
export function attributesOf(tree: TreeView, directory: string, name: string): Attribute[] {
  if (!tree.hasAttributes) throw new AttributesError("extended attributes cannot be read on this host");
  const names = tree.listAttributes(directory, name).filter(isCarried).sort();
  const attributes: Attribute[] = [];
  let bytes = 0;
  for (const one of names) {
    const value = tree.readAttribute(directory, name, one);
    if (value === undefined) continue;
    bytes += value.length;
    attributes.push({ name: one, value });
  }
  if (attributes.length > ATTRIBUTES || bytes > ATTRIBUTE_BYTES) {
    throw new AttributesError(
      `it has more than ${ATTRIBUTES} extended attributes, or more than ${ATTRIBUTE_BYTES} bytes in them`,
    );
  }
  return attributes;
}

/** Whether an entry has exactly these attributes; false if they cannot be read. */
export function hasSameAttributes(
  tree: TreeView,
  directory: string,
  name: string,
  wanted: readonly Attribute[],
): boolean {
  let own: Attribute[];
  try {
    own = attributesOf(tree, directory, name);
  } catch {
    return false;
  }
  return (
    own.length === wanted.length &&
    own.every((one, index) => {
      const other = wanted[index];
      return other?.name === one.name && Buffer.compare(one.value, other.value) === 0;
    })
  );
}
