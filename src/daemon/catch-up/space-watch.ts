/** Notices that a full file system has space again. */
import fs from "node:fs";

/** Between two looks. They cost one system call, and only a host that is full looks. */
const LOOK_MS = 5_000;

/** By then, an attempt that has failed has given its space back. */
const FIRST_LOOK_MS = 500;

/** So much more space, or so many more inodes, is worth an attempt: less may be a log that was rotated. */
const MORE_BYTES = 1024 * 1024;
const MORE_INODES = 10;

/** The free space of a file system. */
interface Space {
  readonly bytes: number;
  readonly inodes: number;
}

/** Reasons that are over when there is more space. */
export const FULL_REASONS: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "no-space", "no-inodes"]);

/** Looks at the file system of the base directory for as long as this host is behind because that is full. */
export class SpaceWatch {
  private readonly base: string;
  private readonly onSpace: () => void;
  private timer: NodeJS.Timeout | undefined;
  /** When the last attempt began: what was there before it staged anything. */
  private before: Space | undefined;
  /** A disk that hangs must not take one thread of Node's after the other. */
  private isLooking = false;

  /** @param onSpace called once when there is more space than before the last attempt */
  constructor(base: string, onSpace: () => void) {
    this.base = base;
    this.onSpace = onSpace;
  }

  /** A transfer begins, which may fail because there is no space. */
  noteAttempt(): void {
    if (this.isLooking) return;
    this.isLooking = true;
    void this.free().then((space) => {
      this.isLooking = false;
      this.before = space;
    });
  }

  /** An attempt has failed: looks until there is more space. */
  begin(): void {
    this.stop();
    this.plan(FIRST_LOOK_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private plan(delayMs: number): void {
    this.timer = setTimeout(() => void this.look(), delayMs).unref();
  }

  private async look(): Promise<void> {
    const { timer } = this;
    const now = await this.free();
    // Stopped, or begun again, meanwhile.
    if (this.timer !== timer) return;
    this.before ??= now;
    const { before } = this;
    const hasMore =
      now !== undefined &&
      before !== undefined &&
      (now.bytes >= before.bytes + MORE_BYTES || now.inodes >= before.inodes + MORE_INODES);
    if (!hasMore) this.plan(LOOK_MS);
    else {
      this.stop();
      this.onSpace();
    }
  }

  private async free(): Promise<Space | undefined> {
    const stats = await fs.promises.statfs(this.base).catch(() => undefined);
    return stats === undefined ? undefined : { bytes: stats.bavail * stats.bsize, inodes: stats.ffree };
  }
}
