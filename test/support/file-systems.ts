import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

/** File systems for tests: images on loop devices, mounted for one test. */

/** How one is made and mounted. */
interface Kind {
  /** The program that makes it, with its options; undefined for one without an image. */
  readonly make: readonly string[] | undefined;
  readonly mount: readonly string[];
  readonly sizeMb: number;
}

/** XFS refuses images below 300 MB, btrfs below some 110 MB; the files are sparse. */
const KINDS = {
  tmpfs: { make: undefined, mount: ["-t", "tmpfs", "-o", "size=64m", "tmpfs"], sizeMb: 0 },
  ext4: { make: ["mkfs.ext4", "-q"], mount: ["-t", "ext4"], sizeMb: 64 },
  "ext4 without types": {
    make: ["mkfs.ext4", "-q", "-O", "^filetype"],
    mount: ["-t", "ext4"],
    sizeMb: 64,
  },
  "ext4 with whole seconds": {
    make: ["mkfs.ext4", "-q", "-I", "128"],
    mount: ["-t", "ext4"],
    sizeMb: 64,
  },
  xfs: { make: ["mkfs.xfs", "-q"], mount: ["-t", "xfs"], sizeMb: 320 },
  "xfs without types": {
    make: ["mkfs.xfs", "-q", "-m", "crc=0", "-n", "ftype=0"],
    mount: ["-t", "xfs"],
    sizeMb: 320,
  },
  /** Room for clones of images. */
  "xfs for images": { make: ["mkfs.xfs", "-q", "-m", "reflink=1"], mount: ["-t", "xfs"], sizeMb: 8192 },
  btrfs: { make: ["mkfs.btrfs", "-q"], mount: ["-t", "btrfs"], sizeMb: 128 },
  "ext4 that ignores case": {
    make: ["mkfs.ext4", "-q", "-O", "casefold", "-E", "encoding=utf8"],
    mount: ["-t", "ext4"],
    sizeMb: 64,
  },
  overlayfs: { make: undefined, mount: [], sizeMb: 0 },
  // Room for plenty of bytes, and for few files.
  "tmpfs with few inodes": {
    make: undefined,
    mount: ["-t", "tmpfs", "-o", "size=64m,nr_inodes=40", "tmpfs"],
    sizeMb: 0,
  },
  "ext4 with few inodes": {
    make: ["mkfs.ext4", "-q", "-N", "32"],
    mount: ["-t", "ext4"],
    sizeMb: 16,
  },
} as const satisfies Record<string, Kind>;

export type FileSystem = keyof typeof KINDS;

/** Those that have room for any tree. */
export const FILE_SYSTEMS = (Object.keys(KINDS) as FileSystem[]).filter(
  (name) => !/inodes|images/.test(name),
);

/** Why this host cannot have a file system. */
export interface Skipped {
  readonly skip: string;
}

/** A file system that is mounted, until it is closed. */
export interface Mounted {
  /** Where it is mounted; its user may be root only. */
  readonly root: string;
  close(): void;
}

/**
 * Mounts a new file system.
 *
 * @param fillLower fills the lower layer of an overlay, which is empty otherwise
 */
export function mountFileSystem(name: FileSystem, fillLower?: (lower: string) => void): Mounted | Skipped {
  if (process.getuid?.() !== 0) return { skip: "only root can mount" };
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-fs-"));
  const root = path.join(directory, "root");
  fs.mkdirSync(root);
  const problem = mount(name, directory, root, fillLower);
  const close = () => {
    // A test that has failed may have left something open: that must not hide its failure.
    if (problem === undefined) run("umount", "-R", "-l", root);
    if (name === "overlayfs") run("umount", "-l", path.join(directory, "layers"));
    fs.rmSync(directory, { recursive: true, force: true });
  };
  if (problem === undefined) return { root, close };
  close();
  return { skip: `${name}: ${problem}` };
}

/**
 * Mounts a new file system for some work, and unmounts it afterwards.
 *
 * @param work gets the mount point
 * @returns the result of the work, or why this host cannot have the file system
 */
export function withFileSystem<T>(name: FileSystem, work: (root: string) => T): T | Skipped {
  const mounted = mountFileSystem(name);
  if ("skip" in mounted) return mounted;
  try {
    return work(mounted.root);
  } finally {
    mounted.close();
  }
}

/** @returns why it cannot be mounted */
function mount(
  name: FileSystem,
  directory: string,
  root: string,
  fillLower?: (lower: string) => void,
): string | undefined {
  if (name === "overlayfs") return mountOverlay(directory, root, fillLower);
  if (KINDS[name].make === undefined) return run("mount", ...KINDS[name].mount, root);
  const image = path.join(directory, "image");
  return makeImage(name, image) ?? mountImage(name, image, root);
}

/**
 * Makes a file system in a new file.
 *
 * @returns why that is not possible
 */
export function makeImage(name: FileSystem, image: string): string | undefined {
  const { make, sizeMb } = KINDS[name];
  if (make === undefined) return "it has no image";
  fs.closeSync(fs.openSync(image, "w"));
  fs.truncateSync(image, sizeMb * 2 ** 20);
  const [program, ...rest] = make;
  return run(program, ...rest, image);
}

/** @returns why it cannot be mounted */
export function mountImage(name: FileSystem, image: string, root: string): string | undefined {
  return run("mount", ...KINDS[name].mount, "-o", "loop", image, root);
}

/** Its layers are on a file system in memory. Directories of the lower layer cannot be renamed there. */
function mountOverlay(
  directory: string,
  root: string,
  fillLower?: (lower: string) => void,
): string | undefined {
  const layers = path.join(directory, "layers");
  fs.mkdirSync(layers);
  const problem = run("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", layers);
  if (problem !== undefined) return problem;
  const [lower, upper, work] = ["lower", "upper", "work"].map((one) => path.join(layers, one)) as [
    string,
    string,
    string,
  ];
  for (const layer of [lower, upper, work]) fs.mkdirSync(layer);
  fillLower?.(lower);
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},redirect_dir=off`;
  return run("mount", "-t", "overlay", "overlay", "-o", options, root);
}

/** @returns the first line of a program's complaint; undefined if it succeeded */
export function run(program: string, ...options: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(program, options, { encoding: "utf8" });
  if (status === 0) return undefined;
  return error === undefined
    ? `${program}: ${stderr.trim().split("\n")[0] ?? ""}`
    : `there is no ${program} here`;
}
