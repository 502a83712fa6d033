import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { Worker } from "node:worker_threads";
import { beginFile, collected, run, test as addTest } from "./collected-tests.ts";
import type { Answer, Measured, Plan, Request, Trial, Verdict } from "./messages.ts";
import * as switchboard from "./switchboard.ts";

/**
 * A process that judges mutants. It loads the changed sources with all mutants in them, and the tests; then it turns on one
 * mutant after the other and runs tests until one is red. Mutants of what runs while modules are loaded need a process of
 * their own, in which they are on from the start.
 */

/** Ends this process when a test runs past its time: the main thread may be in a loop that never ends. */
class Watchdog {
  private readonly deadline = new Float64Array(new SharedArrayBuffer(8));

  constructor() {
    const watch = `const { workerData } = require("node:worker_threads");
      setInterval(() => {
        if (workerData[0] > 0 && Date.now() > workerData[0]) process.kill(process.pid, "SIGKILL");
      }, 100);`;
    new Worker(watch, { eval: true, workerData: this.deadline }).unref();
  }

  start(mostMs: number): void {
    this.deadline[0] = Date.now() + mostMs;
  }

  stop(): void {
    this.deadline[0] = 0;
  }
}

function answer(message: Answer): void {
  process.send?.(message);
}

function useSources({ sources }: Plan): void {
  const tests = new URL("collected-tests.ts", import.meta.url).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "node:test" ? { url: tests, shortCircuit: true } : next(specifier, context),
    load: (url, context, next) => {
      const source = sources[url];
      return source === undefined
        ? next(url, context)
        : { format: "module-typescript", source, shortCircuit: true };
    },
  });
}

async function loadTests({ tests, seeds }: Plan): Promise<void> {
  for (const url of tests) {
    beginFile();
    await import(url);
  }
  if (seeds === 0) return;
  const simulation = new URL("../simulation/run.ts", import.meta.url).href;
  const { runSeed } = (await import(simulation)) as { runSeed: (seed: number) => string | undefined };
  for (let seed = 1; seed <= seeds; seed++) {
    addTest(`seed ${seed}`, () => {
      const failure = runSeed(seed);
      if (failure !== undefined) throw new Error(failure);
    });
  }
}

/** Errors that reach nobody, such as those of timers, are those of the running test. */
let failRunning: (error: unknown) => void = () => undefined;
process.on("uncaughtException", (error) => failRunning(error));
process.on("unhandledRejection", (error) => failRunning(error));

/** Runs one test; its error, or undefined. */
async function failureOf(test: number): Promise<string | undefined> {
  const elsewhere = new Promise<never>((_, reject) => (failRunning = reject));
  elsewhere.catch(() => undefined);
  try {
    await Promise.race([run(collected[test]!), elsewhere]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

async function measure(mutants: number): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const [index, { name }] of collected.entries()) {
    switchboard.recordHits(mutants);
    await failureOf(index);
    const hits = switchboard.takeHits();
    switchboard.limitCalls(Infinity);
    const began = performance.now();
    const failure = await failureOf(index);
    const durationMs = performance.now() - began;
    measured.push({ name, durationMs, calls: switchboard.countCalls(), hits, failure });
  }
  return measured;
}

async function judge(
  watchdog: Watchdog,
  mutant: number,
  trials: readonly Trial[],
  isStatic: boolean,
): Promise<Verdict> {
  for (const { test, mostMs, mostCalls } of trials) {
    switchboard.turnOn(mutant);
    switchboard.limitCalls(mostCalls);
    watchdog.start(mostMs);
    const failure = await failureOf(test);
    const hasHung = switchboard.hasHung();
    switchboard.limitCalls(Infinity);
    if (!isStatic) switchboard.turnOn(-1);
    if (failure === undefined && !hasHung) continue;
    const isSpoiled = isStatic || (await failureOf(test)) !== undefined;
    watchdog.stop();
    const by = `${collected[test]!.name}: ${hasHung ? "does not end" : failure}`;
    return { outcome: hasHung ? "time limit" : "caught", by, isSpoiled };
  }
  watchdog.stop();
  return { outcome: "survived", by: "", isSpoiled: isStatic };
}

async function main(): Promise<void> {
  const [planFile, activeText] = process.argv.slice(2) as [string, string];
  const plan = JSON.parse(readFileSync(planFile, "utf8")) as Plan;
  const active = Number(activeText);
  const watchdog = new Watchdog();
  switchboard.install();
  switchboard.turnOn(active);
  switchboard.recordHits(plan.mutants);
  if (active >= 0) watchdog.start(LOADING_MS);
  useSources(plan);
  try {
    await loadTests(plan);
  } catch (error) {
    answer({ kind: "failed", error: String(error) });
    return;
  }
  watchdog.stop();
  process.on("message", (request: Request) => {
    const reply: Promise<Answer> =
      request.kind === "measure"
        ? measure(plan.mutants).then((tests) => ({ kind: "measured", tests }))
        : judge(watchdog, request.mutant, request.trials, active >= 0).then((verdict) => ({
            kind: "judged",
            verdict,
          }));
    void reply.then(answer);
  });
  answer({ kind: "loaded", hits: switchboard.takeHits() });
}

/** Loading all sources and tests takes a second; a mutant that needs so much longer hangs. */
const LOADING_MS = 30_000;

await main();
