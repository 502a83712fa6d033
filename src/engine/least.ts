/** The least of many numbers of which one changes at a time. */

/**
 * A tournament among many numbers, in which each change only plays its own matches again. With a thousand members,
 * looking at all of them for each report would be too slow.
 */
export class Least {
  private readonly leaves: number;
  /** A tree in an array: the children of node i are 2i and 2i + 1, and node 1 holds the least of all. */
  private readonly tree: Float64Array;

  constructor(count: number, initial: number) {
    this.leaves = 2 ** Math.ceil(Math.log2(Math.max(1, count)));
    this.tree = new Float64Array(2 * this.leaves).fill(Infinity);
    for (let index = 0; index < count; index++) this.set(index, initial);
  }

  /** The least number; Infinity where all have been taken out. */
  get value(): number {
    return this.tree[1] as number;
  }

  /** Changes one number; Infinity takes it out. */
  set(index: number, value: number): void {
    const { tree } = this;
    let node = this.leaves + index;
    tree[node] = value;
    while (node > 1) {
      node >>= 1;
      const least = Math.min(tree[2 * node] as number, tree[2 * node + 1] as number);
      if (tree[node] === least) return;
      tree[node] = least;
    }
  }
}
