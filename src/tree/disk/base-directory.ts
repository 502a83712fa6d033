/** Checks a base directory by its path. */
import fs from "node:fs";
import { bytesOfText } from "../../base/display.ts";
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
