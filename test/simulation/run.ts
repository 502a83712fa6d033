import { runDurabilitySeed } from "../durability/loss-of-power.ts";
import { OracleError } from "./check.ts";
import { runUndoSeed } from "./undo-world.ts";
import { World } from "./world.ts";

/**
 * `make sim`: simulates fleets, one seed after the other, until stopped, or for SECONDS=, or just SEED=.
 * A failure prints its seed and the command that repeats it, and ends the run with status 1.
 */

/** One seed in so many also loses the power of one host at any call: a dozen pushes, as long as a fleet takes. */
const ALONE_EVERY = 4;

/** One seed in so many also takes pushes back: that takes a third of the time of a fleet. */
const UNDO_EVERY = 2;

/** Runs one seed; the sentence of what went wrong, or undefined. */
export function runSeed(seed: number): string | undefined {
  try {
    new World(seed).run();
    if (seed % ALONE_EVERY === 0) runDurabilitySeed(seed);
    if (seed % UNDO_EVERY === 1) runUndoSeed(seed);
    return undefined;
  } catch (error) {
    const text = error instanceof OracleError ? error.message : String((error as Error).stack);
    return `seed ${seed}: ${text}\nrepeat it with: make sim SEED=${seed}`;
  }
}

function main(): void {
  const only = process.env["SEED"];
  const endMs = process.env["SECONDS"] ? performance.now() + Number(process.env["SECONDS"]) * 1000 : Infinity;
  let seed = only ? Number(only) : Math.floor(Math.random() * 2 ** 31);
  let count = 0;
  do {
    const failure = runSeed(seed++);
    if (failure !== undefined) {
      console.log(failure);
      process.exit(1);
    }
    if (++count % 100 === 0) console.log(`${count} seeds, none failed`);
  } while (!only && performance.now() < endMs);
  console.log(`${count} seeds simulated, none failed`);
}

if (import.meta.main) main();
