/** Measures the disk of the base directory: its room, and whether it takes a file. */
import fs from "node:fs";
import type { DiskCondition } from "../../wire/examination-messages.ts";
import { O_TMPFILE } from "../../sys/native.ts";

/** What is said of a disk that does not answer. */
export const UNKNOWN_DISK: DiskCondition = {
  isKnown: false,
  isWritable: false,
  freeBytes: 0,
  allBytes: 0,
  freeInodes: 0,
  allInodes: 0,
};

/** How long an answer of the disk is taken as that of now: several hosts may ask in the same moment. */
const FRESH_MS = 100;

/** How long a question waits for the disk. The asking host waits longer for its answer. */
const PATIENCE_MS = 300;

/**
 * Asks the disk of the base directory how it is. A disk that hangs keeps one question waiting, and no thread but that of the
 * question.
 */
export class DiskFacts {
  private readonly base: string;
  private looking: Promise<void> | undefined;
  private last = UNKNOWN_DISK;
  private lastMs = -Infinity;

  /** @param base the path of the base directory */
  constructor(base: string) {
    this.base = base;
  }

  /** How the disk is now; not known if it does not answer at once. */
  async current(): Promise<DiskCondition> {
    if (performance.now() - this.lastMs < FRESH_MS) return this.last;
    this.looking ??= this.look().finally(() => (this.looking = undefined));
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<DiskCondition>((resolve) => {
      timer = setTimeout(() => resolve(UNKNOWN_DISK), PATIENCE_MS);
    });
    const answer = this.looking.then(() => this.last);
    return Promise.race([answer, patience]).finally(() => clearTimeout(timer));
  }

  private async look(): Promise<void> {
    const isWritable = await canWrite(this.base);
    try {
      const { bsize, bavail, blocks, ffree, files } = await fs.promises.statfs(this.base);
      this.last = {
        isKnown: true,
        isWritable,
        freeBytes: bavail * bsize,
        allBytes: blocks * bsize,
        freeInodes: ffree,
        allInodes: files,
      };
    } catch {
      this.last = { ...UNKNOWN_DISK, isKnown: true };
    }
    this.lastMs = performance.now();
  }
}

/** Writes a byte into a file without a name: no directory changes by that. */
async function canWrite(base: string): Promise<boolean> {
  try {
    const file = await fs.promises.open(base, O_TMPFILE | fs.constants.O_RDWR, 0o600);
    try {
      await file.write(Buffer.from([0]));
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EOPNOTSUPP" && code !== "EISDIR") return false;
    return fs.promises.access(base, fs.constants.W_OK | fs.constants.X_OK).then(
      () => true,
      () => false,
    );
  }
}
