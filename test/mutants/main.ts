import { globSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Mutation } from "./mutations.ts";
import { report } from "./report.ts";
import { type Suite, suiteOf, USUAL_FILES } from "./suites.ts";
import { Survivors } from "./survivors.ts";
import { type Judged, judgeFiles } from "./trial.ts";

/**
 * `make mutants`: puts small faults into the sources, one at a time, and tells which of them no test notices.
 *
 * FILES='src/wire/*.ts src/base/*.ts' chooses files, SHARD=1/4 the first quarter of their mutants, SECONDS= how long it may
 * take, SEEDS= another number of seeds of the simulation, JOBS= of processes, MUTANT=file:line:column:kind one mutant (or some, with spaces between them),
 * SLOWEST_MS= leaves out tests that take longer: a first look at what they would have to catch alone.
 */

const ROOT = path.dirname(path.dirname(import.meta.dirname));

function setting(name: string): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}

/** The files that are asked for, by their suites. */
function chosenFiles(): Map<string, { suite: Suite; files: string[] }> {
  const named = setting("MUTANT")?.split(" ");
  const patterns =
    named?.map((one) => one.split(":")[0] ?? "") ?? setting("FILES")?.split(" ") ?? USUAL_FILES;
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).toSorted();
  const seeds = setting("SEEDS");
  const chosen = new Map<string, { suite: Suite; files: string[] }>();
  for (const file of new Set(files)) {
    const found = suiteOf(file);
    const suite = seeds === undefined || found.seeds === 0 ? found : { ...found, seeds: Number(seeds) };
    const known = chosen.get(suite.prefix) ?? { suite, files: [] };
    known.files.push(file);
    chosen.set(suite.prefix, known);
  }
  return chosen;
}

/** Whether a mutant is in the share that is asked for, or one of those that are. */
function chooser(): (mutation: Mutation, index: number) => boolean {
  const named = setting("MUTANT")?.split(" ");
  const [part, parts] = (setting("SHARD") ?? "1/1").split("/").map(Number) as [number, number];
  return ({ file, line, column, kind }, index) =>
    named?.includes(`${file}:${line}:${column}:${kind}`) ?? index % parts === part - 1;
}

/** Survivors are told of at once: a whole run takes long. */
function showProgress({ mutation, outcome }: Judged, left: number): void {
  const { file, line, column, kind, change } = mutation;
  if (outcome === "survived") console.error(`${left} left: ${file}:${line}:${column}:${kind} ${change}`);
}

async function main(): Promise<void> {
  const seconds = setting("SECONDS");
  const endMs = seconds === undefined ? Infinity : performance.now() + Number(seconds) * 1000;
  const jobs = Number(setting("JOBS") ?? os.availableParallelism());
  const slowestMs = Number(setting("SLOWEST_MS") ?? Infinity);
  const judged: Judged[] = [];
  for (const { suite, files } of chosenFiles().values()) {
    const common = { root: ROOT, isWanted: chooser(), jobs, endMs, slowestMs, onJudged: showProgress };
    judged.push(...(await judgeFiles({ ...common, suite, files })));
  }
  if (judged.length === 0) throw new Error("there is no such mutant");
  if (setting("MUTANT") !== undefined)
    for (const { mutation, outcome, by } of judged) console.log(`${mutation.change}\n  ${outcome}: ${by}`);
  const survivors = new Survivors(readFileSync(path.join(import.meta.dirname, "survivors.txt"), "utf8"));
  const { lines, isGood } = report(judged, survivors);
  console.log(lines.join("\n"));
  const isWhole = setting("MUTANT") === undefined && setting("SHARD") === undefined && seconds === undefined;
  const unused = survivors.unusedOf(new Set(isWhole ? judged.map(({ mutation }) => mutation.file) : []));
  for (const entry of unused) console.log(`no longer needed in the list of survivors: ${entry}`);
  if (!isGood) process.exitCode = 1;
}

await main();
