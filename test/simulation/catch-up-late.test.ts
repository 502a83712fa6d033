import assert from "node:assert/strict";
import { test } from "node:test";
import { type LateHosts, LateWorld } from "./catch-up-late.ts";

/** What it costs to bring one push to hosts that start one after the other, and how long they wait for it. */

type Start = LateHosts["startMs"];

const within =
  (ms: number): Start =>
  (_, below) =>
    below(ms);

/** A small push, and one of 1 GB over a gigabit link. */
const TRANSFERS_MS = [300, 9_000];

for (const count of [20, 40])
  for (const seconds of [1, 4, 8])
    test(`${count} hosts that were lost together and are back within ${seconds} s cost one push`, () => {
      for (const transferMs of TRANSFERS_MS)
        for (let seed = 1; seed <= 4; seed++) {
          const late = { count, startMs: within(seconds * 1_000), wereMembers: true, transferMs };
          const { times, longestMs } = new LateWorld(seed, late).bring();
          assert.equal(times, 1, `seed ${seed}: it was sent ${times} times`);
          // The first one waits for the last one.
          const mostMs = seconds * 1_000 + 1_500 + transferMs;
          assert.ok(longestMs <= mostMs, `seed ${seed}: one waited ${longestMs} ms`);
        }
    });

test("200 hosts that were lost together and are back within 8 s cost one push", () => {
  const late = { count: 200, startMs: within(8_000), wereMembers: true, transferMs: 9_000 };
  assert.equal(new LateWorld(1, late).bring().times, 1);
});

test("new hosts that come up within some seconds mostly cost one push", () => {
  let [sum, runs] = [0, 0];
  for (const count of [20, 40])
    for (const seconds of [1, 4, 8])
      for (let seed = 1; seed <= 8; seed++) {
        const late = { count, startMs: within(seconds * 1_000), wereMembers: false, transferMs: 300 };
        const { times } = new LateWorld(seed, late).bring();
        // Nobody has seen them before, so the first one cannot be told from one that comes alone.
        assert.ok(times <= 2, `seed ${seed}: it was sent ${times} times`);
        sum += times;
        runs++;
      }
  assert.ok(sum / runs <= 1.3, `it was sent ${(sum / runs).toFixed(2)} times in the middle`);
});

test("a host that comes alone does not wait for others", () => {
  for (const wereMembers of [true, false])
    for (let seed = 1; seed <= 10; seed++) {
      const late = { count: 1, startMs: () => 0, wereMembers, transferMs: 300 };
      const { times, longestMs } = new LateWorld(seed, late).bring();
      assert.equal(times, 1);
      assert.ok(longestMs <= 1_500, `seed ${seed}: ${longestMs} ms`);
    }
});

test("where one host comes each second for half a minute, nobody waits long, and few transfers serve them", () => {
  for (const wereMembers of [true, false])
    for (const transferMs of TRANSFERS_MS)
      for (let seed = 1; seed <= 4; seed++) {
        const late = { count: 30, startMs: (index: number) => index * 1_000, wereMembers, transferMs };
        const { times, longestMs } = new LateWorld(seed, late).bring();
        assert.ok(times <= 4, `seed ${seed}: ${times} transfers`);
        assert.ok(longestMs <= 11_000 + transferMs, `seed ${seed}: one waited ${longestMs} ms`);
      }
});
