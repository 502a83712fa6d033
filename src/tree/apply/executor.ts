/** Executors of decisions: they carry them out, or only report them. */
import type { Decision, Decisions, Outcome } from "../decide/decision.ts";
import { errorAt } from "../reasons/explain.ts";

/** Carries out the decisions of a planner, or only reports them. */
export interface Executor {
  /**
   * @returns the result of the decision; step by step if it takes long
   * @throws StageError if the transfer cannot continue
   */
  carryOut(decision: Decision): Outcome | Generator<undefined, Outcome>;
  /** Bytes of the wanted contents that it has written already: they are no longer free. */
  readonly writtenBytes: number;
  /** Whether it only reports decisions, and the tree keeps the room that they need. */
  readonly onlyReports: boolean;
}

/**
 * Makes an executor carry out decisions one after another.
 *
 * @param note called with each decision and its result
 * @returns step by step, so that other transfers get their turn
 */
export function* carryOutAll<T>(
  decisions: Decisions<T>,
  executor: Executor,
  note: (decision: Decision, outcome: Outcome) => void,
): Generator<undefined, T> {
  let outcome: Outcome = "done";
  try {
    for (;;) {
      const next = decisions.next(outcome);
      if (next.done === true) return next.value;
      if (next.value === undefined) yield;
      else {
        outcome = yield* carryOut(next.value, executor);
        note(next.value, outcome);
      }
    }
  } finally {
    // If the loop ends early, the planner still has to close the directories that it reads.
    decisions.return(undefined as T);
  }
}

function* carryOut(decision: Decision, executor: Executor): Generator<undefined, Outcome> {
  try {
    const answer = executor.carryOut(decision);
    return typeof answer === "string" ? answer : yield* answer;
  } catch (error) {
    throw errorAt(pathOf(decision), error);
  }
}

function pathOf(decision: Decision): string {
  if ("place" in decision) return decision.place.path;
  // The file is known by its number alone. Errors of its path are noted where it is found.
  if (decision.kind === "recognize" || decision.kind === "find") return "";
  return "path" in decision ? decision.path : (decision.reason.path ?? "");
}
