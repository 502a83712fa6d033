import assert from "node:assert/strict";
import type { SimulatedNode } from "./catch-up-versions.ts";
import { CatchUpWorld } from "./catch-up-world.ts";

/** Hosts that lack the same push and start one after the other, and what it costs to bring it to them. */

export interface LateHosts {
  /** How many there are, beside the two that are up. */
  readonly count: number;
  /** When each of them starts, in milliseconds. */
  readonly startMs: (index: number, below: (bound: number) => number) => number;
  /** Whether they were members before, and were lost together; if not, they are new. */
  readonly wereMembers: boolean;
  /** How long one transfer takes. */
  readonly transferMs: number;
}

/** What has come of it. */
export interface Brought {
  /** How many times the push went over the network. */
  readonly times: number;
  /** How long the last start of a host lay back when it had the push, for the host that has waited longest. */
  readonly longestMs: number;
}

export class LateWorld extends CatchUpWorld {
  private readonly late: LateHosts;

  constructor(seed: number, late: LateHosts) {
    super(seed, undefined, 2 + late.count);
    this.late = late;
    this.isCalm = true;
  }

  protected override transferMs(): number {
    return this.late.transferMs;
  }

  bring(): Brought {
    const { count, startMs, wereMembers } = this.late;
    const [first] = this.nodes as [SimulatedNode];
    const others = this.nodes.slice(2);
    // Those that are new are up for no time.
    if (wereMembers) this.pass(40_000);
    for (const node of others) {
      node.isUp = false;
      this.leave(node);
    }
    if (!wereMembers) this.pass(40_000);
    first.tree.set("a", { publication: undefined, isDeleted: false });
    this.push(first, ["a"], false);
    const published = this.published.at(-1);
    this.pass(60_000);
    const begunMs = this.nowMs;
    const startedMs = new Map<SimulatedNode, number>();
    const hasMs = new Map<SimulatedNode, number>();
    others.forEach((node, index) => {
      const atMs = begunMs + startMs(index, (bound) => this.below(bound));
      startedMs.set(node, atMs);
      this.planned.push({ atMs, run: () => this.boot(node, false) });
    });
    while (hasMs.size < count) {
      assert.ok(this.nowMs - begunMs < 10 * 60_000, "somebody waits for ever");
      this.pass(50);
      for (const node of others)
        if (node.tree.get("a")?.publication === published && !hasMs.has(node)) hasMs.set(node, this.nowMs);
    }
    this.calm();
    const longestMs = Math.max(...others.map((node) => hasMs.get(node)! - startedMs.get(node)!));
    return { times: this.served, longestMs };
  }
}
