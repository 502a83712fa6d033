import { test } from "node:test";
import {
  excludeScenarios,
  ownerScenarios,
  scriptScenarios,
  startHosts,
  targetScenarios,
} from "../support/command-scenarios.ts";
import { historyScenarios, hookScenarios } from "../support/record-scenarios.ts";
import { LoopbackFleet } from "../support/loopback.ts";

/** What msync does beside plain pushes, for an ordinary user. */

test("msync on the loopback network", async (context) => {
  const fleet = LoopbackFleet.create(3);
  context.after(() => fleet.destroy());
  await startHosts(fleet);
  await excludeScenarios(context, fleet);
  await targetScenarios(context, fleet);
  await ownerScenarios(context, fleet, false);
  await scriptScenarios(context, fleet);
  await historyScenarios(context, fleet);
  await hookScenarios(context, fleet, false);
});
