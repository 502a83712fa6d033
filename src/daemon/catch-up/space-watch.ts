/** Notices that a full file system has space again. */
import fs from "node:fs";

/** Between two looks. They cost one system call, and only a host that is full looks. */
const LOOK_MS = 5_000;

/** So much more space, or so many more inodes, is worth an attempt: less may be a log that was rotated. */
const MORE_BYTES = 1024 * 1024;
const MORE_INODES = 10;

/** Looks at the file system of the base directory for as long as this host is behind because that is full. */
export class SpaceWatch {
  private readonly base: string;
  private readonly onSpace: () => void;
  private timer: NodeJS.Timeout | undefined;
  private before: { readonly bytes: number; readonly inodes: number } | undefined;

  /** @param onSpace called when there is more space */
  constructor(base: string, onSpace: () => void) {
    this.base = base;
    this.onSpace = onSpace;
  }

  /** Begins to look. */
  begin(): void {
    if (this.timer !== undefined) return;
    this.before = undefined;
    this.plan();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private plan(): void {
    this.timer = setTimeout(() => void this.look(), LOOK_MS).unref();
  }

  private async look(): Promise<void> {
    const stats = await fs.promises.statfs(this.base).catch(() => undefined);
    if (this.timer === undefined) return;
    const now = stats === undefined ? undefined : { bytes: stats.bavail * stats.bsize, inodes: stats.ffree };
    const { before = now } = this;
    if (now !== undefined && before !== undefined) {
      const hasMore = now.bytes >= before.bytes + MORE_BYTES || now.inodes >= before.inodes + MORE_INODES;
      this.before = hasMore
        ? now
        : { bytes: Math.min(before.bytes, now.bytes), inodes: Math.min(before.inodes, now.inodes) };
      if (hasMore) this.onSpace();
    }
    this.plan();
  }
}
