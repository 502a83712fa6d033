import assert from "node:assert/strict";
import { test } from "node:test";
import { below, type Random, SeededRandom } from "../../src/base/random.ts";
import { ReplayWindow } from "../../src/net/replay-window.ts";

const WINDOW = 1024n;
const HIGHEST = 0xffff_ffff_ffff_ffffn;

/** The same promise kept the simple way: everything that was ever seen is remembered. */
class NaiveWindow {
  highest = 0n;
  private readonly seen = new Set<bigint>();

  accept(counter: bigint): boolean {
    if (counter === 0n || counter <= this.highest - WINDOW || this.seen.has(counter)) return false;
    this.seen.add(counter);
    if (counter > this.highest) this.highest = counter;
    return true;
  }
}

const accepted = (window: ReplayWindow, counters: readonly bigint[]) =>
  counters.filter((counter) => window.accept(counter));

test("counters in their order are accepted, each once", () => {
  const window = new ReplayWindow();
  for (let counter = 1n; counter <= 5000n; counter++) {
    assert.ok(window.accept(counter));
    assert.ok(!window.accept(counter));
  }
});

test("counters out of order are accepted, each once", () => {
  const window = new ReplayWindow();
  assert.deepEqual(accepted(window, [5n, 3n, 4n, 3n, 1n, 5n, 2n, 6n, 1n]), [5n, 3n, 4n, 1n, 2n, 6n]);
});

test("counter 0 stands for nothing", () => {
  assert.ok(!new ReplayWindow().accept(0n));
});

test("what lies further back than the window is refused, seen or not", () => {
  const window = new ReplayWindow();
  assert.ok(window.accept(5000n));
  assert.ok(window.accept(5000n - WINDOW + 1n), "the oldest that can be told");
  assert.ok(!window.accept(5000n - WINDOW));
  assert.ok(!window.accept(1n));
});

test("a jump that is larger than the window forgets nothing that matters", () => {
  const window = new ReplayWindow();
  for (const counter of [1n, 1n + WINDOW, 1n + 1000n * WINDOW, 1n << 40n, HIGHEST - WINDOW, HIGHEST]) {
    assert.ok(window.accept(counter), `${counter}`);
    assert.ok(!window.accept(counter), `${counter} again`);
    if (counter > WINDOW) {
      assert.ok(window.accept(counter - 1n));
      assert.ok(!window.accept(counter - 1n));
    }
  }
});

test("the place of a counter that has left the window is free again", () => {
  const window = new ReplayWindow();
  for (const counter of [7n, 7n + WINDOW, 7n + 2n * WINDOW]) assert.ok(window.accept(counter));
});

test("random sequences are accepted as by a set that remembers everything", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new SeededRandom(seed);
    const [window, naive] = [new ReplayWindow(), new NaiveWindow()];
    for (let step = 0; step < 1000; step++) {
      const counter = nextCounter(random, naive.highest);
      assert.equal(window.accept(counter), naive.accept(counter), `seed ${seed}, step ${step}: ${counter}`);
    }
  }
});

/** Mostly near the highest so far, on both sides of it and of the window's far end. */
function nextCounter(random: Random, highest: bigint): bigint {
  const distances = [
    1 + below(random, 3),
    below(random, 40) - 20,
    below(random, 3000) - 1500,
    -1024 + below(random, 5) - 2,
    below(random, 50) === 0 ? random.u32() * 2 ** below(random, 20) : 1,
  ];
  const counter = highest + BigInt(distances[below(random, distances.length)] ?? 1);
  return counter < 0n ? 0n : counter > HIGHEST ? HIGHEST : counter;
}
