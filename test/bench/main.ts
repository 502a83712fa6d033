import path from "node:path";
import { namespaceProblem } from "../support/namespaces.ts";
import { measureDelay } from "./delay.ts";
import { installPeers } from "./installation.ts";
import { watchSignals } from "./interruption.ts";
import { measureMany } from "./many-entries.ts";
import { measureMemory } from "./memory.ts";
import { type BenchOptions, parseOptions } from "./options.ts";
import { contenders, tellingNames } from "./peers/contenders.ts";
import type { Contender } from "./peers/peer.ts";
import { writeCharts, writeReadmes } from "./report.ts";
import * as kept from "./results.ts";
import { type Figure, measureScenario } from "./rounds.ts";
import { measureScale } from "./scale.ts";
import { scenarios, title } from "./scenario.ts";
import {
  cpuTable,
  delayLine,
  manyLine,
  memoryTable,
  requirementTable,
  scaleTable,
  scenarioTable,
} from "./tables.ts";

/**
 * `make bench`: how long makuosan and others take to bring the same files to many hosts, in turns in one run, on
 * tmpfs in network namespaces. What arrived is compared. The figures of one machine mean little; their ratios do.
 */

async function main(): Promise<void> {
  const options: BenchOptions = parseOptions(process.argv.slice(2));
  const { results: file } = options;
  const results: kept.Results = file === undefined ? kept.emptyResults() : kept.loadResults(file);
  if (!options.measures.includes("none")) {
    const problem: string | undefined = (await namespaceProblem()) ?? (await installPeers());
    if (problem !== undefined) {
      console.log(`skipped: ${problem}`);
      return;
    }
    watchSignals();
    await measureAll(options, results, () => {
      if (file !== undefined) kept.saveResults(file, results);
    });
  }
  printSummary(results);
  if (file !== undefined) writeCharts(path.dirname(file), results);
  if (options.readme) writeReadmes(results);
}

function printSummary(results: kept.Results): void {
  const parts: string[] = [
    cpuTable(results),
    memoryTable(results),
    delayLine(results),
    manyLine(results),
    scaleTable(results),
    requirementTable(results),
  ];
  console.log(parts.filter((part) => part !== "").join("\n\n"));
}

async function measureAll(options: BenchOptions, results: kept.Results, keep: () => void): Promise<void> {
  const origin: kept.Origin = await kept.origin();
  if (options.measures.includes("delay")) {
    process.stderr.write("delay of one small file\n");
    results.delay = { origin, ms: await measureDelay() };
    keep();
  }
  if (options.measures.includes("memory")) {
    process.stderr.write(`memory, with one large file and with ${options.entries} empty ones\n`);
    results.memory = { origin, results: await measureMemory(options.entries) };
    keep();
  }
  if (options.measures.includes("many")) {
    process.stderr.write(`${options.entries} files with nothing new\n`);
    results.many = { origin, result: await measureMany(options.entries) };
    keep();
  }
  if (options.measures.includes("scale")) {
    process.stderr.write("simulated fleets of 100 and 1,000 members\n");
    results.scale = { origin, results: measureScale() };
    keep();
  }
  if (!options.measures.includes("times")) return;
  for (const scenario of scenarios(options.scenarios)) {
    process.stderr.write(`${title(scenario)}\n`);
    const taking: Contender[] = contenders(
      options.peers ?? tellingNames(scenario),
      scenario,
      options.hasAllRates,
    );
    const figures: Figure[] = await measureScenario(scenario, taking, options.rounds);
    const result: kept.ScenarioResult = { scenario, origin, figures };
    console.log(`\n${scenarioTable(result)}\n`);
    kept.addScenario(results, result);
    keep();
  }
}

await main();
