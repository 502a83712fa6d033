import { namespaceProblem } from "../support/namespaces.ts";
import { installPeers } from "./installation.ts";
import { watchSignals } from "./interruption.ts";
import { type BenchOptions, parseOptions } from "./options.ts";
import { contenders } from "./peers/contenders.ts";
import {
  addScenario,
  emptyResults,
  loadResults,
  type Origin,
  origin,
  type Results,
  saveResults,
} from "./results.ts";
import { measureScenario } from "./rounds.ts";
import { scenarios, title } from "./scenario.ts";
import { scenarioTable } from "./tables.ts";

/**
 * `make bench`: how long makuosan and others take to bring the same files to many hosts, in turns in one run, on
 * tmpfs in network namespaces. What arrived is compared. The figures of one machine mean little; their ratios do.
 */

async function main(): Promise<void> {
  const options: BenchOptions = parseOptions(process.argv.slice(2));
  const problem: string | undefined = (await namespaceProblem()) ?? (await installPeers());
  if (problem !== undefined) {
    console.log(`skipped: ${problem}`);
    return;
  }
  watchSignals();
  const results: Results = options.results === undefined ? emptyResults() : loadResults(options.results);
  await measureTimes(options, results, await origin());
}

async function measureTimes(options: BenchOptions, results: Results, from: Origin): Promise<void> {
  for (const scenario of scenarios(options.scenarios)) {
    process.stderr.write(`${title(scenario)}\n`);
    const figures = await measureScenario(scenario, contenders(options.peers, scenario), options.rounds);
    const result = { scenario, origin: from, figures };
    console.log(`\n${scenarioTable(result)}\n`);
    addScenario(results, result);
    if (options.results !== undefined) saveResults(options.results, results);
  }
}

await main();
