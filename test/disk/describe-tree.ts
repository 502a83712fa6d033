import type { FileStats } from "../../src/sys/stat.ts";
import type { DirectoryHandle, Disk } from "../../src/tree/disk/disk.ts";

/** Earlier than every time of a clock today (2001), so that set times differ from those of the clock. */
const LARGEST_SET_TIME_NS = 1_000_000_000_000_000_000n;

/** Everything visible of a tree, one line for each entry. */
export function describeTree(disk: Disk, directory: DirectoryHandle, path = ""): string[] {
  let names: string[];
  try {
    names = disk.list(directory).sort();
  } catch (error) {
    return [`${path}: ${(error as NodeJS.ErrnoException).code}`];
  }
  return names.flatMap((name) => {
    const where = `${path}/${name.length > 3 ? "long" : name}`;
    return [
      `${where}: ${describeEntry(disk, directory, name)}`,
      ...describeBelow(disk, directory, name, where),
    ];
  });
}

/** @returns the stats that two disks can share: no inode numbers, and only times that were set */
export function describeStats(stats: FileStats): string {
  const time = stats.mtimeNs < LARGEST_SET_TIME_NS ? String(stats.mtimeNs) : "now";
  const size = stats.isDirectory() ? "" : `${stats.size} bytes `;
  return `${stats.mode.toString(8)} ${stats.uid}:${stats.gid} ${size}links ${stats.links} time ${time} device ${stats.deviceId}`;
}

function describeEntry(disk: Disk, directory: DirectoryHandle, name: string): string {
  const tell = (part: () => string) => {
    try {
      return part();
    } catch (error) {
      return String((error as NodeJS.ErrnoException).code);
    }
  };
  const stats = tell(() => describeStats(disk.stat(directory, name) ?? missing(name)));
  const attributes = tell(() =>
    attributesOf(disk, directory, name)
      .map((attribute) => `${attribute}=${hex(disk.readAttribute(directory, name, attribute))}`)
      .join(" "),
  );
  return `${stats} ${attributes}`;
}

function missing(name: string): never {
  throw Object.assign(new Error(name), { code: "ENOENT" });
}

/** Leaves out labels that a security module adds: no test has set them. */
function attributesOf(disk: Disk, directory: DirectoryHandle, name: string): string[] {
  return disk
    .listAttributes(directory, name)
    .filter((attribute) => attribute !== "security.selinux")
    .sort();
}

function describeBelow(disk: Disk, directory: DirectoryHandle, name: string, path: string): string[] {
  try {
    const stats = disk.stat(directory, name);
    if (stats?.isSymbolicLink() === true) return [`  -> ${disk.readLink(directory, name)}`];
    if (stats?.isFile() === true) return [`  ${contentsOf(disk, directory, name, stats.size)}`];
    if (stats?.isDirectory() !== true) return [];
    const inner = disk.openDirectory(directory, name);
    try {
      return describeTree(disk, inner, path);
    } finally {
      disk.closeDirectory(inner);
    }
  } catch (error) {
    return [`  ${(error as NodeJS.ErrnoException).code}`];
  }
}

function contentsOf(disk: Disk, directory: DirectoryHandle, name: string, sizeBytes: number): string {
  const file = disk.openFile(directory, name, "read");
  try {
    const bytes = new Uint8Array(sizeBytes + 1);
    return `${disk.read(file, bytes, 0)} ${checksum(bytes)}`;
  } finally {
    disk.closeFile(file);
  }
}

function checksum(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7);
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "none" : Buffer.from(bytes).toString("hex");
}
