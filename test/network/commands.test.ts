import { test } from "node:test";
import {
  excludeScenarios,
  ownerScenarios,
  scriptScenarios,
  startHosts,
  targetScenarios,
} from "../support/command-scenarios.ts";
import { historyScenarios, hookScenarios } from "../support/record-scenarios.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";

/** What msync does beside plain pushes, between daemons that are root. */

const skip = await namespaceProblem();

test("msync between network namespaces", skip === undefined ? {} : { skip }, async (context) => {
  const fleet = await NamespaceFleet.create({ hosts: 3 });
  context.after(() => fleet.destroy());
  await startHosts(fleet);
  await excludeScenarios(context, fleet);
  await targetScenarios(context, fleet);
  await ownerScenarios(context, fleet, true);
  await scriptScenarios(context, fleet);
  await historyScenarios(context, fleet);
  await hookScenarios(context, fleet, true);
});
