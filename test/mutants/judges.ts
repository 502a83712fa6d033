import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import type { Answer, Measured, Request, Trial, Verdict } from "./messages.ts";

/** Longest time for loading the sources and all tests, and for running each of the latter twice. */
const LOADING_MS = 60_000;
const MEASURING_MS = 1_800_000;

/** A test hangs after so many times what it needs without a mutant, and some. */
const TIMES = 10;
const SPARE_MS = 3_000;
const SPARE_CALLS = 100_000;

/** A process that judges mutants; see judge.ts. */
export class Judge {
  private readonly child: ChildProcess;
  private waiting: ((answer: Answer) => void) | undefined;
  private early: Answer | undefined;
  private hasEnded = false;

  /** @param active the mutant that is on from the start; -1 for none */
  constructor(planFile: string, active = -1) {
    this.child = fork(path.join(import.meta.dirname, "judge.ts"), [planFile, String(active)], {
      execArgv: ["--max-old-space-size=1500", "--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    this.child.on("message", (message) => this.take(message as Answer));
    this.child.on("exit", (code, signal) => {
      this.hasEnded = true;
      // The watchdog kills; a process without memory aborts.
      this.take({
        kind: "failed",
        error: signal === "SIGKILL" ? TIME_IS_UP : `ended with ${signal ?? code}`,
      });
    });
  }

  /** Waits until the tests are loaded. */
  loaded(): Promise<Answer> {
    return this.next(LOADING_MS);
  }

  /** Runs all tests without a mutant. */
  async measure(): Promise<readonly Measured[]> {
    const answer = await this.ask({ kind: "measure" }, MEASURING_MS);
    if (answer.kind !== "measured") throw new Error(`the tests cannot be run: ${JSON.stringify(answer)}`);
    return answer.tests;
  }

  /** Judges one mutant. After an answer that says so, this process is of no more use. */
  async judge(mutant: number, trials: readonly Trial[]): Promise<Verdict> {
    const mostMs = trials.reduce((sum, trial) => sum + trial.mostMs, LOADING_MS);
    const answer = await this.ask({ kind: "judge", mutant, trials }, mostMs);
    return answer.kind === "judged" ? answer.verdict : verdictOfEnd(answer);
  }

  stop(): void {
    if (!this.hasEnded) this.child.kill("SIGKILL");
  }

  private ask(request: Request, mostMs: number): Promise<Answer> {
    if (!this.hasEnded) this.child.send(request, () => undefined);
    return this.next(mostMs);
  }

  private next(mostMs: number): Promise<Answer> {
    const { early } = this;
    this.early = undefined;
    if (early !== undefined) return Promise.resolve(early);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.take({ kind: "failed", error: TIME_IS_UP }), mostMs);
      this.waiting = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
    });
  }

  private take(answer: Answer): void {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting === undefined) this.early ??= answer;
    else waiting(answer);
  }
}

const TIME_IS_UP = "time is up";

/** A process that comes to no verdict has met the mutant. */
export function verdictOfEnd(answer: Answer): Verdict {
  const error = answer.kind === "failed" ? answer.error : "an unexpected answer";
  return { outcome: error === TIME_IS_UP ? "time limit" : "caught", by: error, isSpoiled: true };
}

/**
 * The tests to judge a mutant by, the fastest first.
 *
 * @param slowestMs those that take longer are left out
 */
export function trialsOf(
  tests: readonly Measured[],
  slowestMs: number,
  isWanted: (test: Measured) => boolean,
): Trial[] {
  return [...tests.entries()]
    .filter(([, test]) => test.durationMs <= slowestMs && isWanted(test))
    .toSorted(([, a], [, b]) => a.durationMs - b.durationMs)
    .map(([test, { durationMs, calls }]) => ({
      test,
      mostMs: TIMES * durationMs + SPARE_MS,
      mostCalls: TIMES * calls + SPARE_CALLS,
    }));
}
