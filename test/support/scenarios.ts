import type { TestContext } from "node:test";
import {
  type CommandFleet,
  consoleScenarios,
  excludeScenarios,
  ownerScenarios,
  startHosts,
  targetScenarios,
} from "./command-scenarios.ts";
import { checkScenarios, deleteScenarios, specialScenarios } from "./delete-scenarios.ts";
import { scriptScenarios } from "./script-scenarios.ts";
import { historyScenarios, hookScenarios } from "./record-scenarios.ts";

/** All tests of msync beyond plain pushes, one after another; `isRoot` says whether the daemons run as root. */
export async function runScenarios(
  context: TestContext,
  fleet: CommandFleet,
  isRoot: boolean,
): Promise<void> {
  await startHosts(fleet);
  await excludeScenarios(context, fleet);
  await targetScenarios(context, fleet);
  await ownerScenarios(context, fleet, isRoot);
  await consoleScenarios(context, fleet);
  await deleteScenarios(context, fleet, isRoot);
  await checkScenarios(context, fleet, isRoot);
  await specialScenarios(context, fleet, isRoot);
  await scriptScenarios(context, fleet);
  await historyScenarios(context, fleet);
  await hookScenarios(context, fleet, isRoot);
}
