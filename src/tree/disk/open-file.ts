/** A file of a disk that is open for reading. */
import type { FileStats } from "../../sys/stat.ts";
import type { Disk, FileHandle } from "./disk.ts";
import type { ReadableFile } from "./tree-view.ts";

export class OpenFile implements ReadableFile {
  readonly handle: FileHandle;
  private readonly disk: Disk;

  constructor(disk: Disk, handle: FileHandle) {
    this.disk = disk;
    this.handle = handle;
  }

  stat(): FileStats {
    return this.disk.statFile(this.handle);
  }

  read(bytes: Uint8Array, offset: number): number {
    return this.disk.read(this.handle, bytes, offset);
  }

  nextData(offset: number): number | undefined {
    return this.disk.nextData(this.handle, offset);
  }

  nextHole(offset: number): number {
    return this.disk.nextHole(this.handle, offset);
  }

  /** The names of its extended attributes. */
  listAttributes(): string[] {
    return this.disk.listFileAttributes(this.handle);
  }

  /** Undefined if there is no such attribute. */
  readAttribute(attribute: string): Uint8Array | undefined {
    return this.disk.readFileAttribute(this.handle, attribute);
  }

  close(): void {
    this.disk.closeFile(this.handle);
  }
}
