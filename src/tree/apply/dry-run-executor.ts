/** The executor of a dry run and of a check: it reports decisions and changes nothing. */
import type { Decision, Outcome } from "../decide/decision.ts";
import { StageError } from "../reasons/stage-error.ts";
import type { Executor } from "./executor.ts";

/**
 * Accepts every decision without carrying it out, so that the report is what a real run would do. A push that would
 * fail fails as a dry run, too; a check asks how things are, and not whether a push could change them.
 */
export class DryRunExecutor implements Executor {
  readonly writtenBytes = 0;
  readonly onlyReports = true;
  private readonly isCheck: () => boolean;

  constructor(isCheck: () => boolean) {
    this.isCheck = isCheck;
  }

  carryOut(decision: Decision): Outcome {
    if (decision.kind === "refuse" && !this.isCheck()) throw new StageError(decision.reason);
    return "done";
  }
}
