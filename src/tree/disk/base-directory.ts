/** Checks a base directory by its path. */
import fs from "node:fs";
import { linuxDisk } from "./linux-disk.ts";

/** Why a base directory cannot be used, as a sentence; undefined if it can. */
export function baseDirectoryProblem(base: string): string | undefined {
  try {
    return fs.statSync(base).isDirectory() ? undefined : `the base directory ${base} is not a directory`;
  } catch {
    return `the base directory ${base} is missing`;
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
