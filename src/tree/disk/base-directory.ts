/** Checks a base directory by its path. */
import fs from "node:fs";
import { bytesOfText } from "../../base/display.ts";
import type { FileStats } from "../../sys/stat.ts";
import { linuxDisk } from "./linux-disk.ts";

/** Why a base directory cannot be used, as a sentence, a byte string; undefined if it can. */
export function baseDirectoryProblem(base: string): string | undefined {
  const shown = bytesOfText(base);
  try {
    return fs.statSync(base).isDirectory() ? undefined : `the base directory ${shown} is not a directory`;
  } catch {
    return `the base directory ${shown} is missing`;
  }
}

/**
 * Whether a path leads to another directory than before, because a symbolic link in it was changed.
 *
 * @param real the directory to which it led before, as fs.realpathSync() gave it
 */
export function leadsElsewhere(given: string, real: string): boolean {
  try {
    return fs.realpathSync(given) !== real;
  } catch {
    // It is missing, or cannot be reached any more: opening it tells why.
    return false;
  }
}

/** Whether a path still leads to a directory that was opened by it; also if that cannot be found out. */
export function isStill(path: string, opened: FileStats): boolean {
  try {
    const directory = linuxDisk.openRoot(path);
    const { device, inode } = linuxDisk.statDirectory(directory);
    linuxDisk.closeDirectory(directory);
    return device === opened.device && inode === opened.inode;
  } catch {
    return true;
  }
}

/** The file system of a directory; undefined if the directory cannot be opened. */
export function deviceOfDirectory(path: string): number | undefined {
  try {
    const directory = linuxDisk.openRoot(path);
    const { device } = linuxDisk.statDirectory(directory);
    linuxDisk.closeDirectory(directory);
    return device;
  } catch {
    return undefined;
  }
}
