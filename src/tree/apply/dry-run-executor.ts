/** The executor of a dry run and of a check: it reports decisions and changes nothing. */
import type { Decision, Outcome } from "../decide/decision.ts";
import type { Executor } from "./executor.ts";

/** Accepts every decision without carrying it out, so that the report is what a real run would do. */
export class DryRunExecutor implements Executor {
  readonly writtenBytes = 0;

  carryOut(_decision: Decision): Outcome {
    return "done";
  }
}
