import assert from "node:assert/strict";
import { test } from "node:test";
import { StrangerBudget } from "../../src/net/stranger-budget.ts";

/** Takes as much as there is; how much that was. */
function takeAll(budget: StrangerBudget, ip: string, nowMs: number): number {
  for (let count = 0; ; count++) if (!budget.take(ip, nowMs)) return count;
}

test("a source has a share, which grows again with time and no further than at the start", () => {
  const budget = new StrangerBudget();
  assert.equal(takeAll(budget, "10.0.0.1", 0), 32);
  assert.equal(takeAll(budget, "10.0.0.1", 124), 0);
  assert.equal(takeAll(budget, "10.0.0.1", 125), 1);
  assert.equal(takeAll(budget, "10.0.0.1", 1125), 8);
  assert.equal(takeAll(budget, "10.0.0.1", 1_000_000), 32);
});

test("requests that are refused take nothing", () => {
  const budget = new StrangerBudget();
  takeAll(budget, "10.0.0.1", 0);
  for (let ms = 1; ms < 125; ms++) assert.equal(budget.take("10.0.0.1", ms), false);
  assert.equal(budget.take("10.0.0.1", 125), true);
});

test("the shares of the hosts of a network are apart", () => {
  const budget = new StrangerBudget();
  takeAll(budget, "10.0.0.1", 0);
  for (let host = 2; host < 255; host++) assert.equal(takeAll(budget, `10.0.0.${host}`, 0), 32);
});

test("the keys of a second are bounded, even if packets come from all addresses", () => {
  const budget = new StrangerBudget();
  const flood = (nowMs: number) => {
    let keys = 0;
    for (let third = 0; third < 256; third += 5)
      for (let last = 0; last < 256; last++) keys += takeAll(budget, `10.9.${third}.${last}`, nowMs);
    return keys;
  };
  flood(0);
  assert.equal(flood(1000), 2048);
});
