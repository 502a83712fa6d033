/** Turns the refusals of checks into decisions. */
import { StageError } from "../reasons/stage-error.ts";
import type { Decisions } from "./decision.ts";

/** Turns the refusal of a check into a decision. */
export function* refused(check: () => void): Decisions<void> {
  const refusal = refusalOf(check);
  if (refusal !== undefined) yield { kind: "refuse", reason: refusal.reason };
}

/** The refusal of a check; undefined if it has none. */
export function refusalOf(check: () => void): StageError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof StageError) return error;
    throw error;
  }
}
