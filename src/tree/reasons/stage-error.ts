/** Errors that end a transfer at one member, or at all members. */
import { type Reason, reason, sentenceOf } from "../../base/reason.ts";
import type { ReasonCode } from "../../base/reason-catalogue.ts";

/** The transfer cannot continue at this member. */
export class StageError extends Error {
  override name = "StageError";
  readonly reason: Reason;

  constructor(why: Reason) {
    super(sentenceOf(why));
    this.reason = why;
  }

  static of(code: ReasonCode, path?: string, ...args: readonly (string | number)[]): StageError {
    return new StageError(reason(code, path, ...args));
  }
}

/** The transfer could be carried out, but must not be: neither at this member nor at any other. */
export class RefusalError extends StageError {
  override name = "RefusalError";
}
