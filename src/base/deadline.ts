/** A point in time at which something is to be done, in milliseconds of a monotonic clock. */
export class Deadline {
  private dueMs = Infinity;

  /** When it is; Infinity while it is not set. */
  get atMs(): number {
    return this.dueMs;
  }

  get isSet(): boolean {
    return this.dueMs !== Infinity;
  }

  /** Sets or moves it. */
  set(atMs: number): void {
    this.dueMs = atMs;
  }

  /** Sets it, unless it is set to an earlier time already. */
  setNoLater(atMs: number): void {
    if (atMs < this.dueMs) this.dueMs = atMs;
  }

  clear(): void {
    this.dueMs = Infinity;
  }

  /** Takes it when it has passed: true once, and it is cleared. */
  take(nowMs: number): boolean {
    if (this.dueMs > nowMs) return false;
    this.dueMs = Infinity;
    return true;
  }
}
