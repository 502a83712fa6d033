/** Names in open directories: linkat, renameat, unlinkat, mkdirat. */
import fs from "node:fs";
import { cStringAddress, otherCStringAddress } from "./c-string.ts";
import { entryPath } from "./entry-path.ts";
import { lastErrno, lazyFunction } from "./native.ts";
import { systemError } from "./system-error.ts";

/**
 * node:fs takes only paths, and a path to an entry of an open directory leads over /proc: with the work around it, that takes
 * longer than the change itself. Names are byte strings, and errors have the codes of node:fs.
 */

const AT_REMOVEDIR = 0x200;

const linkat = lazyFunction("int linkat(int, uintptr_t, int, uintptr_t, int)");
const renameat = lazyFunction("int renameat(int, uintptr_t, int, uintptr_t)");
const unlinkat = lazyFunction("int unlinkat(int, uintptr_t, int)");
const mkdirat = lazyFunction("int mkdirat(int, uintptr_t, uint32_t)");

/** Gives an entry a further name, in another directory or the same. A symbolic link is not followed. */
export function linkEntry(from: number, name: string, to: number, newName: string): void {
  const native = linkat();
  if (native === undefined) fs.linkSync(entryPath(from, name), entryPath(to, newName));
  else check("linkat", native(from, cStringAddress(name), to, otherCStringAddress(newName), 0));
}

/** Moves an entry; it replaces another one that has the new name. */
export function renameEntry(from: number, name: string, to: number, newName: string): void {
  const native = renameat();
  if (native === undefined) fs.renameSync(entryPath(from, name), entryPath(to, newName));
  else check("renameat", native(from, cStringAddress(name), to, otherCStringAddress(newName)));
}

/** Removes an entry that is no directory. */
export function unlinkEntry(directory: number, name: string): void {
  const native = unlinkat();
  if (native === undefined) fs.unlinkSync(entryPath(directory, name));
  else check("unlinkat", native(directory, cStringAddress(name), 0));
}

/** Removes an empty directory. */
export function removeDirectoryEntry(directory: number, name: string): void {
  const native = unlinkat();
  if (native === undefined) fs.rmdirSync(entryPath(directory, name));
  else check("unlinkat", native(directory, cStringAddress(name), AT_REMOVEDIR));
}

/** Makes a directory. */
export function makeDirectoryEntry(directory: number, name: string, mode: number): void {
  const native = mkdirat();
  if (native === undefined) fs.mkdirSync(entryPath(directory, name), mode);
  else check("mkdirat", native(directory, cStringAddress(name), mode));
}

function check(call: string, result: number): void {
  if (result !== 0) throw systemError(call, lastErrno());
}
