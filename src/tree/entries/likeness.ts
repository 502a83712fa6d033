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
  // In this way the time becomes two numbers without a BigInt for each step.
  view.setBigInt64(0, mtimeNs, true);
  const [timeLow, timeHigh] = [view.getUint32(0, true), view.getUint32(4, true)];
  bytes.setUint32(offset, mixed(last.low, 0x9e3779b1, sizeBytes, timeLow, timeHigh, mode), true);
  bytes.setUint32(offset + 4, mixed(last.high, 0x85ebca6b, sizeBytes, timeLow, timeHigh, mode), true);
}

function mixed(
  start: number,
  factor: number,
  sizeBytes: number,
  timeLow: number,
  timeHigh: number,
  mode: number,
): number {
  let hash = mix(start ^ sizeBytes, factor);
  hash = mix(hash ^ (sizeBytes / 2 ** 32), factor);
  hash = mix(hash ^ timeLow, factor);
  hash = mix(hash ^ timeHigh, factor);
  return mix(hash ^ mode, factor);
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
