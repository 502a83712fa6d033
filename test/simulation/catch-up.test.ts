import { test } from "node:test";
import { CatchUpWorld } from "./catch-up-world.ts";

const SEEDS = Number(process.env["CATCH_UP_SEEDS"] ?? 300);
const FIRST = Number(process.env["CATCH_UP_SEED"] ?? 1);

test("all hosts end with the last version of each path, and no path goes back", () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    try {
      new CatchUpWorld(seed).run();
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
});
