/** Bounds how much a member reads of its own files to find in them contents that come. */
import type { FileStats } from "../../sys/stat.ts";
import type { Disk, FileHandle } from "../disk/disk.ts";
import { OpenFile } from "../disk/open-file.ts";

/**
 * How often a file may be read for one transfer, on average. A file with other places than before is read once for the chunks that
 * are found, once where they would have been, and once to divide it; and of eight files that are alike, half are read in vain for each
 * that comes.
 */
const READS = 4;

/** Most files that are remembered: a bound on memory, some 10 MB. Further ones share what the others leave. */
const MOST_FILES = 256 * 1024;

/**
 * How much of its own files a member reads for one transfer to find contents in them. A few bytes of a chunk or a digest make it read
 * megabytes, so a sender that lies must not tell as many as it likes (PROTOCOL.md 5.2.7). The sender sends all that the member does
 * not look for.
 */
export class ReadAllowance {
  private readonly files = new Set<bigint>();
  /** How much may be read until another file is opened for the first time, in bytes. */
  leftBytes = 0;

  /**
   * A file is going to be read.
   *
   * @param size the only size at which it is of use, if there is one
   * @returns the same file, which seems to end where nothing more of it may be read; undefined if it is of no use
   */
  admit(file: OpenFile, disk: Disk, size?: number): OpenFile | undefined {
    const stats = file.stat();
    if (!stats.isFile() || (size !== undefined && stats.size !== size)) return undefined;
    this.addFile(stats);
    return this.bounded(disk, file.handle);
  }

  /** A file that has the contents of another one which was admitted. */
  bounded(disk: Disk, handle: FileHandle): OpenFile {
    return new BoundedFile(disk, handle, this);
  }

  private addFile({ inode, size }: FileStats): void {
    if (this.files.has(inode) || this.files.size >= MOST_FILES) return;
    this.files.add(inode);
    this.leftBytes += READS * size;
  }
}

class BoundedFile extends OpenFile {
  private readonly allowance: ReadAllowance;

  constructor(disk: Disk, handle: FileHandle, allowance: ReadAllowance) {
    super(disk, handle);
    this.allowance = allowance;
  }

  override read(bytes: Uint8Array, offset: number): number {
    const { allowance } = this;
    if (allowance.leftBytes === 0) return 0;
    const allowed = bytes.length <= allowance.leftBytes ? bytes : bytes.subarray(0, allowance.leftBytes);
    const count = super.read(allowed, offset);
    allowance.leftBytes -= count;
    return count;
  }
}
