/** Says how a file is, as far as its inode tells, in a few bytes. */
import type { Metadata, Owner } from "../../wire/metadata.ts";
import { HASH_BYTES, hashPath } from "./path-set.ts";

/** The owners of the last file, and their hash: most files of a tree have the same ones. */
const last = { user: "", group: "", low: 0, high: 0 };
const view = new DataView(new ArrayBuffer(HASH_BYTES));

/**
 * Writes a hash of a file's size, time, mode and owner to `bytes`, at an offset: HASH_BYTES of them. It tells whether a file was
 * changed by accident; who wants to can set all of these.
 *
 * @param sizeBytes of the file
 */
export function writeLikeness(
  { mode, mtimeNs, user, group }: Metadata,
  sizeBytes: number,
  bytes: DataView,
  offset: number,
): void {
  useOwners(nameOf(user), nameOf(group));
  let { low, high } = last;
  const time = BigInt.asUintN(64, mtimeNs);
  for (const part of [
    sizeBytes,
    sizeBytes / 2 ** 32,
    Number(time & 0xffff_ffffn),
    Number(time >> 32n),
    mode,
  ]) {
    low = mix(low ^ part, 0x9e3779b1);
    high = mix(high ^ part, 0x85ebca6b);
  }
  bytes.setUint32(offset, low, true);
  bytes.setUint32(offset + 4, high, true);
}

/** Each bit of the product, and of its upper half, depends on the bits of the value. */
function mix(value: number, factor: number): number {
  const product = Math.imul(value, factor);
  return product ^ (product >>> 15);
}

function useOwners(user: string, group: string): void {
  if (last.user === user && last.group === group) return;
  hashPath(`${user} ${group}`, view, 0);
  Object.assign(last, { user, group, low: view.getUint32(0, true), high: view.getUint32(4, true) });
}

/** Hosts tell owners by name where there is one. */
function nameOf({ id, name }: Owner): string {
  return name === "" ? `${id}` : name;
}
