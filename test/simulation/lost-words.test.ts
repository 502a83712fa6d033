import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControlMessage } from "../../src/wire/message.ts";
import { MeanWorld } from "./mean-world.ts";

/** Every message about logs has somebody who repeats it, or makes another take its place: PROTOCOL.md 3. */

type Type = "log" | "fetch" | "piece" | "ask" | "answer" | "served";
const TYPES: readonly Type[] = ["log", "fetch", "piece", "ask", "answer", "served"];

/** Which messages of a type get lost. */
const LOSSES = {
  "the first one": { count: 1, forMs: Infinity },
  "the first three": { count: 3, forMs: Infinity },
  "all for 30 s": { count: Infinity, forMs: 30_000 },
  "all for 3 minutes": { count: Infinity, forMs: 180_000 },
};
type Loss = (typeof LOSSES)[keyof typeof LOSSES];

class FewHosts extends MeanWorld {
  /** @param size how many hosts */
  constructor(seed: number, size: number) {
    super(seed, size);
    for (const node of this.nodes) node.excludes = new Set();
    this.isCalm = true;
    this.serveMs = 100;
    this.pass(40_000);
  }

  /** The last host is away for a push, and comes back. */
  comeLate(): void {
    const late = this.nodes.at(-1)!;
    late.isUp = false;
    this.leave(late);
    this.pushOne();
    this.pass(3_000);
    this.boot(late, false);
  }

  /** The last host hears nothing for some time, in which others push. They hear it, and do not miss it. */
  hearNothing(forMs: number): void {
    const late = this.nodes.at(-1)!;
    this.deafen(late, 1);
    this.pushOne();
    this.pass(forMs);
    this.heal();
  }

  private pushOne(): void {
    const first = this.nodes[0]!;
    first.tree.set("a", { publication: undefined, isDeleted: false });
    this.push(first, ["a"], false);
    // It says so at its time; the transfer itself has no loss here.
  }

  /** From now on, messages of one type get lost. */
  lose(type: Type, { count, forMs }: Loss): void {
    let left = count;
    let untilMs: number | undefined;
    this.drops = (message: ControlMessage) => {
      if (message.type !== type || left === 0) return false;
      untilMs ??= this.nowMs + forMs;
      if (this.nowMs >= untilMs) return false;
      left--;
      return true;
    };
  }

  /** @returns how long it takes until all have the same and lack nothing, in milliseconds */
  settle(mostMs: number): number {
    const fromMs = this.nowMs;
    while (!this.isEqual() && this.nowMs - fromMs < mostMs) this.pass(100);
    return this.nowMs - fromMs;
  }
}

for (const size of [2, 4]) {
  for (const type of TYPES) {
    for (const [name, loss] of Object.entries(LOSSES)) {
      test(`one of ${size} hosts that was away gets what it missed, though ${name} of ${type} get lost`, () => {
        for (let seed = 1; seed <= 5; seed++) {
          const world = new FewHosts(seed, size);
          world.lose(type, loss);
          world.comeLate();
          const lostMs = Number.isFinite(loss.forMs) ? loss.forMs : 0;
          const tookMs = world.settle(20 * 60_000);
          // A question waits for a minute at first when nobody has answered, then for two.
          assert.ok(tookMs <= lostMs + 130_000, `seed ${seed}: ${tookMs} ms`);
        }
      });
    }
  }
}

test("a host that has heard nothing for some time gets what was pushed meanwhile", () => {
  for (const size of [2, 3, 5]) {
    for (const forMs of [5_000, 15_000, 30_000, 45_000, 55_000, 90_000]) {
      for (let seed = 1; seed <= 5; seed++) {
        const world = new FewHosts(seed, size);
        world.hearNothing(forMs);
        // With the first ALIVE.
        const tookMs = world.settle(10 * 60_000);
        assert.ok(tookMs <= 30_000, `${size} hosts, seed ${seed}: ${tookMs} ms after ${forMs} ms`);
      }
    }
  }
});
