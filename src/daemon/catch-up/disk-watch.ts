/** Notices that a full file system has space again, or that one which was read-only can be written. */
import fs from "node:fs";

/** Between two looks. They cost one system call, and only a host whose own disk is in its way looks. */
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
const FULL_REASONS: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "no-space", "no-inodes"]);

/** Reasons that may be over when the base directory can be written. */
const CLOSED_REASONS: ReadonlySet<string> = new Set(["EROFS", "EACCES", "EPERM", "ENOENT"]);

/** Looks at the file system of the base directory for as long as this host is behind because of it. */
export class DiskWatch {
  private readonly base: string;
  private readonly onBetter: () => void;
  private timer: NodeJS.Timeout | undefined;
  private isOver: () => Promise<boolean> = () => Promise.resolve(false);
  /** When the last attempt began: what was there before it staged anything. */
  private before: Space | undefined;
  /** A disk that hangs must not take one thread of Node's after the other. */
  private isLooking = false;

  /** @param onBetter called once when there is more space than before the last attempt, or when the base can be written again */
  constructor(base: string, onBetter: () => void) {
    this.base = base;
    this.onBetter = onBetter;
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

  /** An attempt has failed for a reason with this code: looks until it is over, if a look can tell. */
  begin(code: string): void {
    if (FULL_REASONS.has(code)) this.watch(() => this.hasMore());
    else if (CLOSED_REASONS.has(code)) this.watchWriting();
  }

  private watch(isOver: () => Promise<boolean>): void {
    this.stop();
    this.isOver = isOver;
    this.plan(FIRST_LOOK_MS);
  }

  /** If the base can be written now, the cause is another one. */
  private watchWriting(): void {
    let wasClosed = false;
    const look = async () => {
      const isOpen = await fs.promises.access(this.base, fs.constants.W_OK).then(
        () => true,
        () => false,
      );
      if (isOpen && !wasClosed) this.stop();
      wasClosed ||= !isOpen;
      return isOpen && wasClosed;
    };
    this.watch(look);
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
    const isOver = await this.isOver();
    // Stopped, or begun again, meanwhile.
    if (this.timer !== timer) return;
    if (!isOver) this.plan(LOOK_MS);
    else {
      this.stop();
      this.onBetter();
    }
  }

  private async hasMore(): Promise<boolean> {
    const now = await this.free();
    this.before ??= now;
    const { before } = this;
    if (now === undefined || before === undefined) return false;
    return now.bytes >= before.bytes + MORE_BYTES || now.inodes >= before.inodes + MORE_INODES;
  }

  private async free(): Promise<Space | undefined> {
    const stats = await fs.promises.statfs(this.base).catch(() => undefined);
    return stats === undefined ? undefined : { bytes: stats.bavail * stats.bsize, inodes: stats.ffree };
  }
}
