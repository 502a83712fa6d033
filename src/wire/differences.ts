/** How an entry differs at a member, in bits. */
import { Bitmap } from "../base/bitmap.ts";

/** How an entry differs at a member from what the manifest says: bits of one byte (PROTOCOL.md 5.2). */
export const Difference = {
  missing: 1,
  type: 2,
  contents: 4,
  mode: 8,
  owner: 16,
  time: 32,
  attributes: 64,
} as const;

/**
 * Beside the difference of a hard link: the member excludes the file that it names, and needs the contents to make a
 * file of its own. No difference by itself.
 */
export const SEPARATE = 128;

/**
 * The same bit for a file, beside a bit of NEEDS_CONTENTS: the member may have the contents by another name, and can tell when
 * it knows their digest. No difference by itself.
 */
export const ELSEWHERE = 128;

/** A member that has none of these bits for an entry has its contents already. */
const NEEDS_CONTENTS = Difference.missing | Difference.type | Difference.contents;

/** The entries that differ. */
export function differingEntries(differences: Uint8Array): Bitmap {
  return entriesWith(differences, 0xff);
}

/** The entries whose contents are needed. */
export function entriesNeedingContents(differences: Uint8Array): Bitmap {
  return entriesWith(differences, NEEDS_CONTENTS);
}

/** The entries of which the member has no version by their names. */
export function entriesMissing(differences: Uint8Array): Bitmap {
  return entriesWith(differences, Difference.missing | Difference.type);
}

/** The entries whose contents are needed and that the member has not seen by another name. */
export function entriesHadNowhere(differences: Uint8Array): Bitmap {
  return entriesWhere(
    differences,
    (difference) => (difference & NEEDS_CONTENTS) !== 0 && (difference & ELSEWHERE) === 0,
  );
}

/** The hard links that become files of their own. */
export function separateEntries(differences: Uint8Array): Bitmap {
  return entriesWith(differences, SEPARATE);
}

/** Whether only attributes differ: the member has the contents already. */
export function isOfAttributesAlone(difference: number): boolean {
  return (difference & NEEDS_CONTENTS) === 0;
}

function entriesWith(differences: Uint8Array, mask: number): Bitmap {
  return entriesWhere(differences, (difference) => (difference & mask) !== 0);
}

function entriesWhere(differences: Uint8Array, isMeant: (difference: number) => boolean): Bitmap {
  const bitmap = new Bitmap(differences.length);
  differences.forEach((difference, index) => {
    if (isMeant(difference)) bitmap.set(index);
  });
  return bitmap;
}

/** The names of the bits that are set. */
export function differenceNames(difference: number): string[] {
  return Object.entries(Difference)
    .filter(([, bit]) => (difference & bit) !== 0)
    .map(([name]) => name);
}
