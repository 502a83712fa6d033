import { test } from "node:test";
import { runDurabilitySeed } from "./loss-of-power.ts";

/** Chosen for the time of the test. */
const SEEDS = 60;

test(`${SEEDS} random pushes that lose power, or meet a disk that fails, leave a tree that is wholly old or wholly new`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      runDurabilitySeed(seed);
    } catch (error) {
      (error as Error).message = `seed ${seed}: ${(error as Error).message}`;
      throw error;
    }
  }
});
