/** What the process of `make mutants` and those that judge mutants say to each other. */

/** What a judging process is started with, in a file. */
export interface Plan {
  /** The changed text of each file, by its URL. */
  readonly sources: Readonly<Record<string, string>>;
  readonly mutants: number;
  /** Test files, as URLs. */
  readonly tests: readonly string[];
  /** The first so many seeds of the simulation are tests, too. */
  readonly seeds: number;
}

/** One test without any mutant. */
export interface Measured {
  readonly name: string;
  readonly durationMs: number;
  /** How many switches it comes by. */
  readonly calls: number;
  /** The mutants among them. */
  readonly hits: readonly number[];
  readonly failure: string | undefined;
}

/** A test to judge by, and when it has hung. */
export interface Trial {
  readonly test: number;
  readonly mostMs: number;
  readonly mostCalls: number;
}

export type Request =
  | { readonly kind: "measure" }
  | { readonly kind: "judge"; readonly mutant: number; readonly trials: readonly Trial[] };

export type Outcome = "caught" | "survived" | "time limit";

export interface Verdict {
  readonly outcome: Outcome;
  /** The test that it was caught by, and its error. */
  readonly by: string;
  /** The test fails without the mutant now, so something was left behind in the process. */
  readonly isSpoiled: boolean;
}

export type Answer =
  /** The tests are there; with the mutants that were come by before any test ran. */
  | { readonly kind: "loaded"; readonly hits: readonly number[] }
  | { readonly kind: "failed"; readonly error: string }
  | { readonly kind: "measured"; readonly tests: readonly Measured[] }
  | { readonly kind: "judged"; readonly verdict: Verdict };
