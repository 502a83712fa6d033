/** Work of a stage whose errors are reasons. */
import { DecodeError } from "../../base/bytes.ts";
import { type Reason, reason } from "../../base/reason.ts";
import { stageFailure } from "../../tree/apply/stage.ts";
import { RefusalError } from "../../tree/reasons/stage-error.ts";

/** The failure of some work, whether returned or thrown. */
export function attempt(work: () => Reason | undefined | void, onRefusal?: () => void): Reason | undefined {
  try {
    return work() ?? undefined;
  } catch (error) {
    if (error instanceof RefusalError) onRefusal?.();
    return stageFailure(error);
  }
}

/** The same for work that is done step by step. */
export function* attemptSteps(
  steps: Generator<undefined, Reason | undefined | void> | undefined,
): Generator<undefined, Reason | undefined> {
  try {
    return steps === undefined ? undefined : ((yield* steps) ?? undefined);
  } catch (error) {
    return stageFailure(error);
  }
}

/** The reason for an error while a block is staged. */
export function blockFailure(error: unknown): Reason {
  if (error instanceof DecodeError) return reason("bad-block", undefined, error.message);
  return stageFailure(error);
}
