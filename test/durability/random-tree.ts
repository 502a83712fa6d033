import { below, fraction, type Random } from "../../src/base/random.ts";
import type { DirectoryHandle, Disk } from "../../src/tree/disk/disk.ts";
import { removeEntry } from "../../src/tree/disk/remove.ts";
import { ITSELF } from "../../src/tree/disk/disk.ts";
import { withDirectory } from "../disk/small-tree.ts";

/** Random trees and random changes of them: all types, hard links, attributes, and types that change. */

const NAMES = ["a", "b", "c", "d", "e"];
/** Deep enough for directories in directories that change their type. */
const DEEPEST = 3;
/** More than a block holds, so that some files need several. */
const LARGEST_BYTES = 90_000;
/** Earlier than all times of a test's clock. */
const LATEST_SECONDS = 900_000_000;

/** Fills a directory with entries. */
export function growTree(disk: Disk, directory: DirectoryHandle, random: Random, depth = 0): void {
  for (const name of NAMES) if (fraction(random) < 0.6) makeEntry(disk, directory, name, random, depth);
}

/** Changes some entries of a tree, removes some, adds others, and gives one another name. */
export function changeTree(disk: Disk, directory: DirectoryHandle, random: Random, depth = 0): void {
  const [from = "", to = ""] = [NAMES[below(random, NAMES.length)], NAMES[below(random, NAMES.length)]];
  if (disk.stat(directory, from) !== undefined && disk.stat(directory, to) === undefined)
    disk.rename(directory, from, directory, to);
  for (const name of NAMES) {
    const stats = disk.stat(directory, name);
    const chance = fraction(random);
    if (chance < 0.25 || stats === undefined) {
      if (stats !== undefined) removeEntry(disk, directory, name);
      if (fraction(random) < 0.5) makeEntry(disk, directory, name, random, depth);
    } else if (stats.isDirectory()) {
      withDirectory(disk, directory, name, (_, inner) => changeTree(disk, inner, random, depth + 1));
      if (chance < 0.5) setDirectory(disk, directory, name, random);
    } else if (stats.isFile() && chance < 0.5) {
      const file = disk.openFile(directory, name, "write");
      if (chance < 0.4) disk.setFileMode(file, 0o600 + below(random, 0o200));
      disk.setFileTime(file, timeOf(random));
      disk.closeFile(file);
    }
  }
}

function makeEntry(
  disk: Disk,
  directory: DirectoryHandle,
  name: string,
  random: Random,
  depth: number,
): void {
  const chance = fraction(random);
  if (chance < 0.3 && depth < DEEPEST) {
    disk.makeDirectory(directory, name, 0o755);
    withDirectory(disk, directory, name, (_, inner) => growTree(disk, inner, random, depth + 1));
    setDirectory(disk, directory, name, random);
  } else if (chance < 0.4) {
    disk.makeSymlink(directory, name, `target${below(random, 9)}`);
    disk.setTime(directory, name, timeOf(random));
  } else if (chance < 0.45) {
    disk.makeSpecial(directory, name, "fifo", 0o640, { major: 0, minor: 0 });
    disk.setTime(directory, name, timeOf(random));
  } else if (chance < 0.55 && hasOther(disk, directory, name)) {
    const other = NAMES.find((one) => one !== name && disk.stat(directory, one)?.isFile() === true);
    disk.link(directory, other ?? "", directory, name);
  } else makeFile(disk, directory, name, random);
}

function hasOther(disk: Disk, directory: DirectoryHandle, name: string): boolean {
  return NAMES.some((one) => one !== name && disk.stat(directory, one)?.isFile() === true);
}

function makeFile(disk: Disk, directory: DirectoryHandle, name: string, random: Random): void {
  const size = fraction(random) < 0.8 ? below(random, 200) : below(random, LARGEST_BYTES);
  const file = disk.makeFile(directory, name, 0o600);
  const first = below(random, 256);
  disk.write(
    file,
    Uint8Array.from({ length: size }, (_, index) => first + index * 7),
    0,
  );
  disk.setFileMode(file, 0o600 + below(random, 0o200));
  disk.setFileTime(file, timeOf(random));
  disk.closeFile(file);
  if (fraction(random) < 0.2) disk.setAttribute(directory, name, "user.x", Uint8Array.of(below(random, 256)));
}

function setDirectory(disk: Disk, directory: DirectoryHandle, name: string, random: Random): void {
  withDirectory(disk, directory, name, (_, inner) => {
    disk.setMode(inner, ITSELF, 0o700 + below(random, 0o100));
    disk.setTime(inner, ITSELF, timeOf(random));
  });
}

function timeOf(random: Random): bigint {
  return BigInt(1 + below(random, LATEST_SECONDS)) * 1_000_000_000n + BigInt(below(random, 1_000_000_000));
}
