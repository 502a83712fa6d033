/** Gathers changed paths until it is time to push them. */

/** No change for so long: a program that writes several files is mostly done. */
const QUIET_MS = 200;

/** A path waits no longer than this, although changes go on. */
const MOST_MS = 2_000;

/** With more paths than that, one comparison of everything is cheaper, and the request stays far below its limit. */
const MOST_PATHS = 10_000;
const MOST_BYTES = 1024 * 1024;

/** What is to be pushed at once. */
export interface Batch {
  /** Sorted; none for everything. */
  readonly paths: readonly string[];
  readonly isAll: boolean;
}

/** Paths that wait for a push. Times are in milliseconds of a clock that only goes forward. */
export class ChangeSet {
  private readonly paths = new Set<string>();
  private bytes = 0;
  private isAll = false;
  private firstMs = Infinity;
  private lastMs = -Infinity;
  /** A push that failed is not repeated before. */
  private restUntilMs = -Infinity;

  get isEmpty(): boolean {
    return this.paths.size === 0 && !this.isAll;
  }

  add(path: string, nowMs: number): void {
    this.note(nowMs);
    if (this.isAll || this.paths.has(path)) return;
    this.paths.add(path);
    this.bytes += path.length;
    if (this.paths.size > MOST_PATHS || this.bytes > MOST_BYTES) this.addAll(nowMs);
  }

  /** Everything has to be compared. */
  addAll(nowMs: number): void {
    this.note(nowMs);
    this.clear();
    this.isAll = true;
  }

  /** When a push is due; Infinity if nothing waits. */
  dueMs(): number {
    if (this.isEmpty) return Infinity;
    return Math.max(this.restUntilMs, Math.min(this.lastMs + QUIET_MS, this.firstMs + MOST_MS));
  }

  /** Takes out all that waits. */
  take(): Batch {
    const { isAll } = this;
    const paths = isAll ? [] : [...this.paths].sort();
    this.clear();
    this.isAll = false;
    this.firstMs = Infinity;
    return { paths, isAll };
  }

  /** Puts a batch back whose push has failed; it is due again after a while, and at once with any further change. */
  giveBack(batch: Batch, nowMs: number, afterMs: number): void {
    const hadNone = this.isEmpty;
    if (batch.isAll) this.addAll(nowMs);
    for (const path of batch.paths) this.add(path, nowMs);
    if (hadNone) this.restUntilMs = nowMs + afterMs;
  }

  private note(nowMs: number): void {
    this.restUntilMs = -Infinity;
    this.firstMs = Math.min(this.firstMs, nowMs);
    this.lastMs = nowMs;
  }

  private clear(): void {
    this.paths.clear();
    this.bytes = 0;
  }
}
