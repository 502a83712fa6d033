import type { DirectoryHandle, Disk, FileHandle } from "../../src/tree/disk/disk.ts";

/** Few handles, so that calls meet. */
const MOST_HANDLES = 6;

/** A call that any disk can make; its answer is everything that a caller learns, in words. */
export interface Call {
  readonly words: string;
  run(player: Player): string;
}

/** Makes calls on a disk, and keeps the handles that they opened, in places that are the same for all disks. */
export class Player {
  readonly disk: Disk;
  readonly directories: DirectoryHandle[];
  readonly files: FileHandle[] = [];

  constructor(disk: Disk, root: string) {
    this.disk = disk;
    this.directories = [disk.openRoot(root)];
  }

  play(call: Call): string {
    try {
      return call.run(this);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (typeof code !== "string") throw error;
      return code;
    }
  }

  directory(place: number): DirectoryHandle {
    const handle = this.directories[place % this.directories.length];
    if (handle === undefined) throw new Error("the root is always open");
    return handle;
  }

  /** Keeps a handle, and closes the one that had its place. */
  keepDirectory(handle: DirectoryHandle, place: number): void {
    if (this.directories.length < MOST_HANDLES) this.directories.push(handle);
    else {
      const index = 1 + (place % (MOST_HANDLES - 1));
      this.disk.closeDirectory(this.directory(index));
      this.directories[index] = handle;
    }
  }

  keepFile(handle: FileHandle, place: number): void {
    if (this.files.length < MOST_HANDLES) this.files.push(handle);
    else {
      const index = place % MOST_HANDLES;
      const old = this.files[index];
      if (old !== undefined) this.disk.closeFile(old);
      this.files[index] = handle;
    }
  }

  withFile(place: number, use: (file: FileHandle) => string): string {
    const file = this.files[place % Math.max(1, this.files.length)];
    return file === undefined ? "no file is open" : use(file);
  }

  close(): void {
    for (const file of this.files) this.disk.closeFile(file);
    for (const directory of this.directories) this.disk.closeDirectory(directory);
  }
}
