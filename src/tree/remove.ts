import fs from "node:fs";
import { entryPath } from "../sys/entry-path.ts";
import { errorCode, openDirectory } from "./directories.ts";

/** Removes an entry and, for a directory, all below it, whatever the bytes of the names. No link is followed. */
export function removeEntry(parent: number, name: string): void {
  const path = entryPath(parent, name);
  try {
    fs.unlinkSync(path);
    return;
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return;
    if (code !== "EISDIR" && code !== "EPERM") throw error;
  }
  emptyDirectory(parent, name);
  fs.rmdirSync(path);
}

function emptyDirectory(parent: number, name: string): void {
  makeAccessible(parent, name);
  const directory = openDirectory(parent, name);
  try {
    for (const child of namesIn(directory)) removeEntry(directory, child);
  } finally {
    fs.closeSync(directory);
  }
}

/** A staged directory may have got a final mode that shuts its own owner out. */
function makeAccessible(parent: number, name: string): void {
  const directory = openDirectory(parent, name);
  try {
    fs.chmodSync(`/proc/self/fd/${directory}`, 0o700);
  } finally {
    fs.closeSync(directory);
  }
}

/** The names in an open directory, as byte strings. */
export function namesIn(directory: number): string[] {
  return fs
    .readdirSync(`/proc/self/fd/${directory}`, { encoding: "buffer" })
    .map((name) => name.toString("latin1"));
}
