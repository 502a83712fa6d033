import { below, fraction, type Random } from "../../src/base/random.ts";
import type { DirectoryHandle, FileHandle } from "../../src/tree/disk/disk.ts";
import { removeEntry } from "../../src/tree/disk/remove.ts";
import type { MemoryDisk } from "../disk/memory-disk.ts";
import { labelOf, labelOfBytes, piecesOf, type Version, type Versions } from "./contents.ts";
import { unseen } from "./picture.ts";

/** What people and programs of a host do to its tree, beside all transfers. */

/** Where many hosts have something, and not all of them the same: directories to one of them are files to another. */
const SHARED_DIRECTORIES = ["s", "s/d", "s/e", "s/d/x"] as const;
const SHARED_NAMES = ["a", "b", "c", "d", "e", "x"] as const;
const MODES = [0o644, 0o600, 0o755, 0o640] as const;

export function drawSharedPath(random: Random): string {
  return `${pick(random, SHARED_DIRECTORIES)}/${pick(random, SHARED_NAMES)}`;
}

/** A path in a directory that only one transfer sends; some names are long, so that few of them fill a message. */
export function drawOwnPath(random: Random, directory: string): string {
  const name = `f${below(random, 30)}`;
  const tail = fraction(random) < 0.1 ? "-".repeat(200) : "";
  return fraction(random) < 0.5
    ? `${directory}/${name}${tail}`
    : `${directory}/d${below(random, 3)}/${name}${tail}`;
}

/** A file that is the same on several hosts at first. */
export interface CommonFile {
  readonly path: string;
  readonly version: Version;
  readonly mtimeNs: bigint;
}

/** Draws what all hosts of a fleet have at first. */
export function drawCommonFiles(random: Random, versions: Versions): CommonFile[] {
  return Array.from({ length: 1 + below(random, 8) }, () => {
    const version = versions.draw(0.5);
    return { path: drawSharedPath(random), version, mtimeNs: versions.timeFor(labelOf(version)) };
  });
}

export class LocalEdits {
  private readonly disk: MemoryDisk;
  private readonly random: Random;
  private readonly versions: Versions;

  constructor(disk: MemoryDisk, random: Random, versions: Versions) {
    this.disk = disk;
    this.random = random;
    this.versions = versions;
  }

  /** Does something to each of these paths, of any kind. */
  edit(paths: readonly string[]): void {
    unseen(this.disk, () => {
      for (const path of paths) this.editOne(path);
    });
  }

  /** Makes a file, or a new one in its place. */
  put(path: string): void {
    unseen(this.disk, () => this.inParent(path, (parent, name) => this.write(parent, name, false)));
  }

  /** Makes files that other hosts have as well. */
  putAll(files: readonly CommonFile[]): void {
    unseen(this.disk, () => {
      for (const { path, version, mtimeNs } of files)
        this.inParent(path, (parent, name) => {
          removeIfThere(this.disk, parent, name);
          this.fill(this.disk.makeFile(parent, name, 0o644), version, mtimeNs);
        });
    });
  }

  /** Writes new contents over those of a file, where there is one: the file stays the same one. */
  overwrite(path: string): void {
    unseen(this.disk, () =>
      this.inParent(path, (parent, name) => {
        if (this.disk.stat(parent, name)?.isFile() === true) this.write(parent, name, true);
      }),
    );
  }

  private editOne(path: string): void {
    const chance = fraction(this.random);
    this.inParent(path, (parent, name) => {
      const isFile = this.disk.stat(parent, name)?.isFile() === true;
      if (isFile && chance < 0.2) this.changeMode(parent, name);
      else if (isFile && chance < 0.3) this.touch(parent, name);
      else if (isFile && chance < 0.4) this.link(parent, name);
      else if (chance < 0.5) this.makeOther(parent, name);
      else if (chance < 0.55) this.move(parent, name);
      else if (chance < 0.6) removeIfThere(this.disk, parent, name);
      else this.write(parent, name, fraction(this.random) < 0.3);
    });
  }

  private write(parent: DirectoryHandle, name: string, isInPlace: boolean): void {
    const { disk } = this;
    const isFile = disk.stat(parent, name)?.isFile() === true;
    if (!isFile || !isInPlace) removeIfThere(disk, parent, name);
    const file =
      isFile && isInPlace ? disk.openFile(parent, name, "write") : disk.makeFile(parent, name, 0o644);
    const version = this.versions.draw();
    this.fill(file, version, this.versions.timeFor(labelOf(version)));
  }

  private fill(file: FileHandle, version: Version, mtimeNs: bigint): void {
    const { disk } = this;
    disk.truncate(file, 0);
    for (const { offset, bytes } of piecesOf(version)) disk.write(file, bytes, offset);
    disk.setFileTime(file, mtimeNs);
    disk.closeFile(file);
  }

  private changeMode(parent: DirectoryHandle, name: string): void {
    const file = this.disk.openFile(parent, name, "read");
    this.disk.setFileMode(file, pick(this.random, MODES));
    this.disk.closeFile(file);
  }

  /** The same contents get another time. */
  private touch(parent: DirectoryHandle, name: string): void {
    const file = this.disk.openFile(parent, name, "read");
    const bytes = new Uint8Array(this.disk.statFile(file).size);
    this.disk.read(file, bytes, 0);
    this.disk.setFileTime(file, this.versions.timeFor(labelOfBytes(bytes)));
    this.disk.closeFile(file);
  }

  private link(parent: DirectoryHandle, name: string): void {
    const other = pick(this.random, SHARED_NAMES);
    if (other === name) return;
    removeIfThere(this.disk, parent, other);
    this.disk.link(parent, name, parent, other);
  }

  /** A file gets another name. */
  private move(parent: DirectoryHandle, name: string): void {
    const other = pick(this.random, SHARED_NAMES);
    if (other === name || this.disk.stat(parent, name)?.isFile() !== true) return;
    removeIfThere(this.disk, parent, other);
    this.disk.rename(parent, name, parent, other);
  }

  private makeOther(parent: DirectoryHandle, name: string): void {
    removeIfThere(this.disk, parent, name);
    const chance = fraction(this.random);
    if (chance < 0.5) this.disk.makeSymlink(parent, name, `to-${below(this.random, 100)}`);
    else if (chance < 0.7) this.disk.makeSpecial(parent, name, "fifo", 0o644, { major: 0, minor: 0 });
    else this.disk.makeDirectory(parent, name, pick(this.random, [0o755, 0o700]));
  }

  /** Makes the way to a path, over whatever is on it. */
  private inParent(path: string, use: (parent: DirectoryHandle, name: string) => void): void {
    const { disk } = this;
    const names = path.split("/");
    let directory = disk.openRoot("/");
    for (const name of names.slice(0, -1)) {
      if (disk.stat(directory, name)?.isDirectory() !== true) {
        removeIfThere(disk, directory, name);
        disk.makeDirectory(directory, name, 0o755);
      }
      const next = disk.openDirectory(directory, name);
      disk.closeDirectory(directory);
      directory = next;
    }
    use(directory, names.at(-1) ?? "");
    disk.closeDirectory(directory);
  }
}

export function pick<T>(random: Random, of: readonly T[]): T {
  return of[below(random, of.length)] as T;
}

function removeIfThere(disk: MemoryDisk, parent: DirectoryHandle, name: string): void {
  if (disk.stat(parent, name) !== undefined) removeEntry(disk, parent, name);
}
