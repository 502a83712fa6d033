/** The paths that a transfer changes, in a file for the hooks. */
import type { DirectoryHandle, Disk, FileHandle } from "../disk/disk.ts";
import { writeAll } from "./write-all.ts";

/** Collects about a thousand paths for each call of the kernel. */
const BUFFER_BYTES = 64 * 1024;

/** The paths that a transfer changes, in a file. A NUL follows each path, because no name can contain it. */
export class ChangeList {
  private readonly disk: Disk;
  private readonly openDirectory: () => DirectoryHandle;
  private readonly name: string;
  private readonly file: FileHandle;
  private sizeBytes = 0;
  private isOpen = true;
  private buffered: string[] = [];
  private bufferedBytes = 0;

  /**
   * @param directory where the file is created, readable by its owner only
   * @param name of the file
   */
  constructor(disk: Disk, directory: () => DirectoryHandle, name: string) {
    this.disk = disk;
    this.openDirectory = directory;
    this.name = name;
    this.file = disk.makeFile(directory(), name, 0o600);
  }

  add(path: string): void {
    this.buffered.push(path, "\0");
    this.bufferedBytes += path.length + 1;
    if (this.bufferedBytes >= BUFFER_BYTES) this.flush();
  }

  /**
   * Completes the list.
   *
   * @param isChanged says of each path whether it changes after all; undefined if all paths of the list do
   */
  finish(isChanged?: (path: string) => boolean): void {
    this.flush();
    if (isChanged === undefined) {
      this.close();
      return;
    }
    this.disk.unlink(this.openDirectory(), this.name);
    const changed = new ChangeList(this.disk, this.openDirectory, this.name);
    try {
      for (const path of this.read()) if (isChanged(path)) changed.add(path);
      this.close();
      changed.finish();
    } finally {
      changed.close();
    }
  }

  /** Closes it in any case; a second call has no effect. */
  close(): void {
    if (this.isOpen) this.disk.closeFile(this.file);
    this.isOpen = false;
  }

  private flush(): void {
    const bytes = Buffer.from(this.buffered.join(""), "latin1");
    writeAll(this.disk, this.file, bytes, this.sizeBytes);
    this.sizeBytes += bytes.length;
    this.buffered = [];
    this.bufferedBytes = 0;
  }

  private *read(): Generator<string> {
    const buffer = Buffer.alloc(BUFFER_BYTES);
    let rest = "";
    for (let offset = 0; ;) {
      const bytes = this.disk.read(this.file, buffer, offset);
      if (bytes === 0) return;
      offset += bytes;
      const paths = (rest + buffer.toString("latin1", 0, bytes)).split("\0");
      rest = paths.pop() ?? "";
      yield* paths;
    }
  }
}
