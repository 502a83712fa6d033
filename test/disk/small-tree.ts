import type { DirectoryHandle, Disk } from "../../src/tree/disk/disk.ts";
import type { MemoryDisk } from "./memory-disk.ts";

/** Small trees in words, for tests that list all states of one. */

/** More states than any small test has. */
const MOST_STATES = 10_000;

/** Creates a file with contents, and leaves nothing open. */
export function putFile(disk: Disk, directory: DirectoryHandle, name: string, text: string): void {
  const file = disk.makeFile(directory, name, 0o644);
  if (text !== "") disk.write(file, Buffer.from(text), 0);
  disk.closeFile(file);
}

/** A directory in words: `a:hello d/(b: c/())`; a zero byte is shown as 0. */
export function treeWords(disk: Disk, directory: DirectoryHandle): string {
  const words = disk
    .list(directory)
    .sort()
    .map((name) => {
      const stats = disk.stat(directory, name);
      if (stats?.isDirectory() === true)
        return `${name}/(${withDirectory(disk, directory, name, treeWords)})`;
      return `${name}:${stats?.isFile() === true ? textOf(disk, directory, name) : "special"}`;
    });
  return words.join(" ");
}

/** All states that a crash may leave, each once, in words. */
export function statesOf(disk: MemoryDisk, describe = treeWords): string[] {
  const states = new Set<string>();
  for (const state of disk.crashStates(MOST_STATES)) states.add(describe(state, state.openRoot("/")));
  return [...states].sort();
}

export function withDirectory<T>(
  disk: Disk,
  parent: DirectoryHandle,
  name: string,
  use: (disk: Disk, directory: DirectoryHandle) => T,
): T {
  const directory = disk.openDirectory(parent, name);
  try {
    return use(disk, directory);
  } finally {
    disk.closeDirectory(directory);
  }
}

function textOf(disk: Disk, directory: DirectoryHandle, name: string): string {
  const file = disk.openFile(directory, name, "read");
  const bytes = new Uint8Array(disk.statFile(file).size);
  disk.read(file, bytes, 0);
  disk.closeFile(file);
  return Buffer.from(bytes).toString("latin1").replaceAll("\0", "0");
}
