import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { instrument } from "./instrument.ts";
import { Judge, trialsOf, verdictOfEnd } from "./judges.ts";
import type { Measured, Outcome, Plan, Verdict } from "./messages.ts";
import type { Mutation } from "./mutations.ts";
import type { Suite } from "./suites.ts";

/** Judges the mutants of some files by the tests of one suite. */

export interface Judged {
  readonly mutation: Mutation;
  readonly outcome: Outcome;
  /** The test that caught it, with its error. */
  readonly by: string;
}

export interface TrialOptions {
  readonly root: string;
  readonly suite: Suite;
  readonly files: readonly string[];
  /** Whether a mutant is to be judged. */
  readonly isWanted: (mutation: Mutation, index: number) => boolean;
  /** Processes at a time. */
  readonly jobs: number;
  /** No mutant is begun after this, by performance.now(). */
  readonly endMs: number;
  /** Tests that take longer than this do not judge. */
  readonly slowestMs: number;
  /** Told of each mutant, and how many are still to be judged. */
  readonly onJudged: (judged: Judged, left: number) => void;
}

/** Where the mutants stand and what is known of the tests. */
interface Docket {
  readonly planFile: string;
  readonly tests: readonly Measured[];
  readonly slowestMs: number;
  /** Mutants that are come by while modules are loaded. */
  readonly early: ReadonlySet<number>;
}

/**
 * Judges mutants.
 *
 * @returns those that were judged before the time was over
 * @throws where a test is red without any mutant
 */
export async function judgeFiles(options: TrialOptions): Promise<Judged[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "mutants-"));
  try {
    const { plan, mutations } = planOf(options);
    const planFile = path.join(folder, "plan.json");
    writeFileSync(planFile, JSON.stringify(plan));
    const wanted = [...mutations.entries()].filter(([index, one]) => options.isWanted(one, index));
    if (wanted.length === 0) return [];
    const docket = await readDocket(planFile, options.slowestMs);
    const queue = sorted(wanted, docket);
    const judged: Judged[] = [];
    const work = async (): Promise<void> => {
      const bench = new Bench(docket);
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (performance.now() > options.endMs) break;
        const [index, mutation] = next;
        const { outcome, by } = await bench.judge(index);
        judged.push({ mutation, outcome, by });
        options.onJudged({ mutation, outcome, by }, wanted.length - judged.length);
      }
      bench.close();
    };
    await Promise.all(Array.from({ length: options.jobs }, work));
    return judged;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function planOf({ root, suite, files }: TrialOptions): { plan: Plan; mutations: Mutation[] } {
  const sources: Record<string, string> = {};
  const mutations: Mutation[] = [];
  const urlOf = (file: string) => pathToFileURL(path.join(root, file)).href;
  for (const file of files) {
    const text = readFileSync(path.join(root, file), "utf8");
    const instrumented = instrument(file, text, mutations.length);
    sources[urlOf(file)] = instrumented.text;
    mutations.push(...instrumented.mutations);
  }
  const tests = suite.tests.flatMap((pattern) => globSync(pattern, { cwd: root }).toSorted());
  const plan = { sources, mutants: mutations.length, tests: tests.map(urlOf), seeds: suite.seeds };
  return { plan, mutations };
}

/** Runs all tests once without a mutant, to know what they come by and how long they take. */
async function readDocket(planFile: string, slowestMs: number): Promise<Docket> {
  const judge = new Judge(planFile);
  try {
    const loaded = await judge.loaded();
    if (loaded.kind !== "loaded") throw new Error(`the tests cannot be loaded: ${JSON.stringify(loaded)}`);
    const tests = await judge.measure();
    const red = tests.find(({ failure }) => failure !== undefined);
    if (red !== undefined) throw new Error(`'${red.name}' is red without any mutant: ${red.failure}`);
    return { planFile, tests, slowestMs, early: new Set(loaded.hits) };
  } finally {
    judge.stop();
  }
}

/** Those that need a process of their own come last. */
function sorted(wanted: readonly [number, Mutation][], { early }: Docket): [number, Mutation][] {
  return [...wanted.filter(([index]) => !early.has(index)), ...wanted.filter(([index]) => early.has(index))];
}

/** Judges one mutant after the other, in one process as long as none spoils it. */
class Bench {
  private readonly docket: Docket;
  private present: Judge | undefined;

  constructor(docket: Docket) {
    this.docket = docket;
  }

  async judge(mutant: number): Promise<Verdict> {
    const { tests, early, slowestMs } = this.docket;
    if (early.has(mutant)) return this.judgeAlone(mutant);
    const trials = trialsOf(tests, slowestMs, ({ hits }) => hits.includes(mutant));
    if (trials.length === 0) return { outcome: "survived", by: "", isSpoiled: false };
    const isFresh = this.present === undefined;
    this.present ??= await this.begin();
    const verdict = await this.present.judge(mutant, trials);
    if (!verdict.isSpoiled) return verdict;
    this.close();
    // The one before may have spoiled the process; a verdict of a fresh one holds.
    return isFresh || verdict.outcome === "time limit" ? verdict : this.judge(mutant);
  }

  close(): void {
    this.present?.stop();
    this.present = undefined;
  }

  /** What runs while modules are loaded may matter to every test. */
  private async judgeAlone(mutant: number): Promise<Verdict> {
    const judge = new Judge(this.docket.planFile, mutant);
    try {
      const loaded = await judge.loaded();
      if (loaded.kind !== "loaded") return verdictOfEnd(loaded);
      return await judge.judge(
        mutant,
        trialsOf(this.docket.tests, this.docket.slowestMs, () => true),
      );
    } finally {
      judge.stop();
    }
  }

  private async begin(): Promise<Judge> {
    const judge = new Judge(this.docket.planFile);
    const loaded = await judge.loaded();
    if (loaded.kind !== "loaded") throw new Error(`the tests cannot be loaded: ${JSON.stringify(loaded)}`);
    return judge;
  }
}
