/** What can be done with decisions: carried out, or only told. */
import type { Decision, Decisions, Outcome } from "../decide/decision.ts";

/** Carries out the decisions of a planner, or not. */
export interface Executor {
  /**
   * @returns what became of it; step by step where it takes long
   * @throws StageError where the transfer cannot go on
   */
  carryOut(decision: Decision): Outcome | Generator<undefined, Outcome>;
  /** Bytes that it has written, which are not free any more. */
  readonly writtenBytes: number;
}

/**
 * Lets an executor carry out decisions one after the other.
 *
 * @param note told of each with what became of it
 * @returns step by step, so that others may have their turn
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
        const answer = executor.carryOut(next.value);
        outcome = typeof answer === "string" ? answer : yield* answer;
        note(next.value, outcome);
      }
    }
  } finally {
    // Ended early, the planner still has to close what it is reading.
    decisions.return(undefined as T);
  }
}
