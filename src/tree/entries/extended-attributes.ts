/** Which extended attributes are carried; reads, compares and sets them. */
import { entryPath } from "../../sys/entry-path.ts";
import {
  canReadAttributes,
  listAttributes,
  readAttribute,
  removeAttribute,
  setAttribute,
} from "../../sys/xattrs.ts";
import type { Attribute } from "../../wire/entry.ts";
import { ATTRIBUTE_BYTES, ATTRIBUTES } from "../../wire/limits.ts";
import { explain } from "../reasons/explain.ts";

/**
 * Extended attributes, access control lists among them. What the system keeps for itself, such as the labels of a security
 * module, belongs to the host and is left alone.
 */

const CARRIED = /^(user\.|trusted\.|system\.posix_acl_(access|default)$|security\.capability$)/;

/** Why an entry's attributes are not sent. */
export class AttributesError extends Error {
  override name = "AttributesError";
}

/**
 * All attributes of an entry that are carried, sorted by name.
 *
 * @throws AttributesError where there are too many; or an error with a code
 */
export function attributesOf(directory: number, name: string): Attribute[] {
  if (!canReadAttributes()) throw new AttributesError("extended attributes cannot be read on this host");
  const path = entryPath(directory, name);
  const names = listAttributes(path)
    .filter((one) => CARRIED.test(one))
    .sort();
  const attributes: Attribute[] = [];
  let bytes = 0;
  for (const one of names) {
    const value = readAttribute(path, one);
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

/** Whether an entry has just these; not so where they cannot be read. */
export function hasSameAttributes(directory: number, name: string, wanted: readonly Attribute[]): boolean {
  let own: Attribute[];
  try {
    own = attributesOf(directory, name);
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

/**
 * Gives an entry just these attributes.
 *
 * @returns what could not be set or removed, as a sentence
 */
export function setAttributes(path: Buffer, wanted: readonly Attribute[]): string | undefined {
  if (!canReadAttributes()) {
    return wanted.length === 0 ? undefined : "extended attributes cannot be set on this host";
  }
  let failure: string | undefined;
  const attempt = (name: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      failure ??= `its extended attribute ${name} cannot be set: ${explain(error)}`;
    }
  };
  // Whoever sends others must not be able to set them.
  const carried = wanted.filter(({ name }) => CARRIED.test(name));
  for (const { name, value } of carried) attempt(name, () => setAttribute(path, name, value));
  const names = new Set(carried.map(({ name }) => name));
  let present: string[] = [];
  attempt("list", () => (present = listAttributes(path)));
  for (const name of present) {
    if (CARRIED.test(name) && !names.has(name)) attempt(name, () => removeAttribute(path, name));
  }
  return failure;
}
