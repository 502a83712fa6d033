/** A time at which something has to be done, in milliseconds of a monotonic clock. */
export class Deadline {
  private dueMs = Infinity;

  /** Infinity while it is not set. */
  get atMs(): number {
    return this.dueMs;
  }

  get isSet(): boolean {
    return this.dueMs !== Infinity;
  }

  /** Sets it, or moves it if it is set already. */
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

  /** True once when the deadline has passed; it is cleared then. */
  take(nowMs: number): boolean {
    if (this.dueMs > nowMs) return false;
    this.dueMs = Infinity;
    return true;
  }
}
