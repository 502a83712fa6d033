import type { FileStats } from "../../src/sys/stat.ts";
import type { DirectoryHandle } from "../../src/tree/disk/disk.ts";
import type { Metadata } from "../../src/wire/metadata.ts";
import { joinPath, STAGING_NAME } from "../../src/wire/path-rules.ts";
import type { MemoryDisk } from "../disk/memory-disk.ts";
import { labelOfBytes } from "./contents.ts";

/** What a tree looks like: each path with a text of all that a transfer has to bring right; no text where nothing is. */
export type Picture = ReadonlyMap<string, string>;

/** Looks at the tree of a disk below its root, but for the staging area. No hook sees it. */
export function pictureOf(disk: MemoryDisk): Map<string, string> {
  return unseen(disk, () => {
    const picture = new Map<string, string>();
    const root = disk.openRoot("/");
    lookInto(disk, root, "", picture);
    disk.closeDirectory(root);
    picture.delete(STAGING_NAME);
    return picture;
  });
}

/** Whether something of a transfer is in the tree. */
export function hasStaging(disk: MemoryDisk): boolean {
  return unseen(disk, () => {
    const root = disk.openRoot("/");
    const isThere = disk.stat(root, STAGING_NAME) !== undefined;
    disk.closeDirectory(root);
    return isThere;
  });
}

/** Does something with a disk that none of its hooks is told of. */
export function unseen<T>(disk: MemoryDisk, look: () => T): T {
  const { before } = disk;
  disk.before = undefined;
  try {
    return look();
  } finally {
    disk.before = before;
  }
}

export function directoryText(mode: number): string {
  return `directory ${octal(mode)}`;
}

export function fileText({ mode, mtimeNs }: Pick<Metadata, "mode" | "mtimeNs">, label: string): string {
  return `file ${octal(mode)} ${mtimeNs / 1_000_000_000n} ${label}`;
}

export function symlinkText(target: string): string {
  return `link to ${target}`;
}

/** Where a file system can be synced only file by file, no call makes the mode of a FIFO durable. */
export function fifoText(): string {
  return "fifo";
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8);
}

function lookInto(
  disk: MemoryDisk,
  directory: DirectoryHandle,
  path: string,
  picture: Map<string, string>,
): void {
  for (const name of disk.list(directory)) {
    if (path === "" && name === STAGING_NAME) continue;
    const inner = joinPath(path, name);
    const stats = disk.stat(directory, name);
    if (stats === undefined) continue;
    picture.set(inner, textOf(disk, directory, name, stats));
    if (!stats.isDirectory()) continue;
    const handle = disk.openDirectory(directory, name);
    lookInto(disk, handle, inner, picture);
    disk.closeDirectory(handle);
  }
}

/** Times of directories are left out: what goes on in them changes these. */
function textOf(disk: MemoryDisk, directory: DirectoryHandle, name: string, stats: FileStats): string {
  if (stats.isDirectory()) return directoryText(stats.mode);
  if (stats.isSymbolicLink()) return symlinkText(disk.readLink(directory, name));
  if (!stats.isFile()) return fifoText();
  const file = disk.openFile(directory, name, "read");
  const bytes = new Uint8Array(stats.size);
  disk.read(file, bytes, 0);
  disk.closeFile(file);
  return fileText(stats, labelOfBytes(bytes));
}
