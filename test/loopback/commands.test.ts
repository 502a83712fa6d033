import { test } from "node:test";
import { LoopbackFleet } from "../support/loopback.ts";
import { runScenarios } from "../support/scenarios.ts";

/** What msync does beside plain pushes, for an ordinary user. */

test("msync on the loopback network", async (context) => {
  const fleet = LoopbackFleet.create(3);
  context.after(() => fleet.destroy());
  await runScenarios(context, fleet, false);
});
