import { test } from "node:test";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { runScenarios } from "../support/scenarios.ts";

/** What msync does beside plain pushes, between daemons that are root. */

const skip = await namespaceProblem();

test("msync between network namespaces", skip === undefined ? {} : { skip }, async (context) => {
  const fleet = await NamespaceFleet.create({ hosts: 3 });
  context.after(() => fleet.destroy());
  await runScenarios(context, fleet, true);
});
