import fs from "node:fs";
import os from "node:os";
import { run } from "../support/processes.ts";
import type { ManyResult } from "./many-entries.ts";
import type { MemoryResult } from "./memory.ts";
import { type Figure, medianMs } from "./rounds.ts";
import type { ScaleResult } from "./scale.ts";
import { type Scenario, title } from "./scenario.ts";

/** The state of the program and of the machine that a figure belongs to. */
export interface Origin {
  readonly commit: string;
  readonly date: string;
}

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly origin: Origin;
  readonly figures: readonly Figure[];
}

/** All that was measured, as it is kept in a file. */
export interface Results {
  machine: string;
  scenarios: ScenarioResult[];
  memory?: { readonly origin: Origin; readonly results: readonly MemoryResult[] };
  /** Very many files that are there already. */
  many?: { readonly origin: Origin; readonly result: ManyResult };
  /** Simulated fleets. */
  scale?: { readonly origin: Origin; readonly results: readonly ScaleResult[] };
  /** One time for each push of a small file. */
  delay?: { readonly origin: Origin; readonly ms: readonly number[] };
}

export function emptyResults(): Results {
  const [cpu] = os.cpus();
  const memoryGiB: number = Math.round(os.totalmem() / 2 ** 30);
  return {
    machine: `${os.cpus().length} CPUs (${cpu?.model.trim() ?? "unknown"}), ${memoryGiB} GiB, Linux ${os.release()}`,
    scenarios: [],
  };
}

/** What the program is built from; the benchmark itself and the documents do not count. */
const PROGRAM: readonly string[] = ["src", "package.json", "package-lock.json", "scripts/build.ts"];

/** The commit that last changed the program, marked where files differ from it. */
export async function origin(): Promise<Origin> {
  const { stdout } = await run("git", ["log", "-1", "--format=%h", "--abbrev=10", "--", ...PROGRAM]);
  const isChanged: boolean = (await run("git", ["diff", "--quiet", "HEAD", "--", ...PROGRAM])).status === 1;
  const commit: string = `${stdout.trim() || "unknown"}${isChanged ? "-dirty" : ""}`;
  return { commit, date: new Date().toISOString().slice(0, 16) };
}

/**
 * Adds a result in place of an older one of the same scenario. What others showed in that stays, if it is of the same
 * commit: a long table can be measured a few contenders at a time.
 */
export function addScenario(results: Results, result: ScenarioResult): void {
  const key: string = title(result.scenario);
  const index: number = results.scenarios.findIndex((one) => title(one.scenario) === key);
  const older: ScenarioResult | undefined = results.scenarios[index];
  if (older === undefined) results.scenarios.push(result);
  else results.scenarios[index] = { ...result, figures: [...othersOf(older, result), ...result.figures] };
}

function othersOf(older: ScenarioResult, { origin: { commit }, figures }: ScenarioResult): Figure[] {
  if (older.origin.commit !== commit) return [];
  return older.figures.filter((one) => !figures.some(({ contender }) => contender === one.contender));
}

export function loadResults(file: string): Results {
  if (!fs.existsSync(file)) return emptyResults();
  return JSON.parse(fs.readFileSync(file, "utf8")) as Results;
}

export function saveResults(file: string, results: Results): void {
  const temporary: string = `${file}.new`;
  fs.writeFileSync(temporary, `${JSON.stringify(results, null, 1)}\n`);
  fs.renameSync(temporary, file);
}

/** What a contender showed in a scenario; undefined where that was not measured or went wrong. */
export function figureOf(results: Results, scenario: Scenario, contender: string): Figure | undefined {
  const found: ScenarioResult | undefined = results.scenarios.find(
    (one) => title(one.scenario) === title(scenario),
  );
  const figure: Figure | undefined = found?.figures.find((one) => one.contender === contender);
  return figure === undefined || figure.costs.length === 0 ? undefined : figure;
}

/** The median time of a contender in a scenario, in milliseconds. */
export function timeOf(results: Results, scenario: Scenario, contender: string): number | undefined {
  const figure: Figure | undefined = figureOf(results, scenario, contender);
  return figure === undefined ? undefined : medianMs(figure.costs);
}
