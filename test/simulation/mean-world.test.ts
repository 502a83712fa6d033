import assert from "node:assert/strict";
import { test } from "node:test";
import { MeanWorld } from "./mean-world.ts";

/** `MEAN_SEED=9 MEAN_SEEDS=1` repeats one seed. */
const SEEDS = Number(process.env["MEAN_SEEDS"] ?? 200);
const FIRST = Number(process.env["MEAN_SEED"] ?? 1);

function runSeed(seed: number): boolean {
  const world = new MeanWorld(seed);
  try {
    world.run();
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
  }
  return world.wereEqual;
}

test("hosts with other names, patterns, targets and troubles end with the last version that is for them", () => {
  let equal = 0;
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) if (runSeed(seed)) equal++;
  // In the others, nobody can bring what is lacked: its only disk was lost, or its files were changed by hand.
  if (SEEDS >= 100) assert.ok(equal > SEEDS / 2, `only ${equal} of ${SEEDS} ended with equal trees`);
});

test("new seeds keep all promises, too", () => {
  const first = 1000 + Math.floor(Math.random() * 2 ** 31);
  for (let seed = first; seed < first + 50; seed++) runSeed(seed);
});

/** Seeds of faults that were found, by the rule that they have broken. */
const FOUND = {
  "a push for others says nothing of a host that has got an earlier one after it": [1117, 3304, 2903],
  "what is brought to several leaves alone a push for others that one of them has": [40000392, 40006689],
  "a push that the log has left out is in the way of what is brought to those whom it was not for": [
    40001090,
  ],
  "nodes that know the same pushes have the same log": [1094],
  "a log that has changed meanwhile is read again, also after a late answer": [1760],
  "a push is not brought without a later one that has replaced a part of it": [1250, 40002296],
};

for (const [rule, seeds] of Object.entries(FOUND))
  test(rule, () => {
    for (const seed of seeds) runSeed(seed);
  });
