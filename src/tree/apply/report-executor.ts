/** A dry run and a check: decisions are told, and nothing is done. */
import type { Decision, Outcome } from "../decide/decision.ts";
import type { Executor } from "./executor.ts";

/** The real run without its hands: what is decided is what is told. */
export class ReportExecutor implements Executor {
  readonly writtenBytes = 0;

  carryOut(_decision: Decision): Outcome {
    return "done";
  }
}
