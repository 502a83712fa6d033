/** Virtual time: runs events when they are due. Two events at the same time run in the order of their creation. */
export class Schedule {
  nowMs = 0;
  private readonly heap: { atMs: number; order: number; run: () => void }[] = [];
  private orders = 0;

  after(delayMs: number, run: () => void): void {
    const item = { atMs: this.nowMs + delayMs, order: this.orders++, run };
    let index = this.heap.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.isBefore(index, parent)) break;
      this.swap(index, parent);
      index = parent;
    }
  }

  /** When the next event is due. */
  nextMs(): number {
    return this.heap[0]?.atMs ?? Infinity;
  }

  /** Moves the clock to the next event and runs it; false if no event is left. */
  step(): boolean {
    const first = this.heap[0];
    if (first === undefined) return false;
    const last = this.heap.pop()!;
    if (this.heap.length > 0) {
      this.heap[0] = last;
      this.sink(0);
    }
    this.nowMs = first.atMs;
    first.run();
    return true;
  }

  private sink(start: number): void {
    for (let index = start; ;) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < this.heap.length && this.isBefore(child, least)) least = child;
      }
      if (least === index) return;
      this.swap(index, least);
      index = least;
    }
  }

  private isBefore(a: number, b: number): boolean {
    const one = this.heap[a]!;
    const other = this.heap[b]!;
    return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
  }

  private swap(a: number, b: number): void {
    [this.heap[a], this.heap[b]] = [this.heap[b]!, this.heap[a]!];
  }
}
