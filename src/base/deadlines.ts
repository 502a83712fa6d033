/** A few named points in time, of which the earliest matters. Times in milliseconds of a monotonic clock. */
export class Deadlines<Name extends string> {
  private readonly times = new Map<Name, number>();

  /** Sets or moves a deadline. */
  set(name: Name, atMs: number): void {
    this.times.set(name, atMs);
  }

  /** Sets a deadline unless an earlier one of that name is set already. */
  setNoLater(name: Name, atMs: number): void {
    const current = this.times.get(name);
    if (current === undefined || atMs < current) this.times.set(name, atMs);
  }

  clear(name: Name): void {
    this.times.delete(name);
  }

  clearAll(): void {
    this.times.clear();
  }

  isSet(name: Name): boolean {
    return this.times.has(name);
  }

  /** Takes a deadline that has passed: true once, and it is cleared. */
  take(name: Name, nowMs: number): boolean {
    const atMs = this.times.get(name);
    if (atMs === undefined || atMs > nowMs) return false;
    this.times.delete(name);
    return true;
  }

  /** The earliest deadline, or Infinity. */
  nextMs(): number {
    let earliest = Infinity;
    for (const atMs of this.times.values()) if (atMs < earliest) earliest = atMs;
    return earliest;
  }
}
