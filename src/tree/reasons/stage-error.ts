/** Why a transfer cannot go on at a member, or must not happen anywhere. */
import { type Reason, reason, sentenceOf } from "../../base/reason.ts";
import type { ReasonCode } from "../../base/reason-catalogue.ts";

/** A transfer cannot go on at this member. */
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

/** It could, and must not: neither here nor at any other member. */
export class RefusalError extends StageError {
  override name = "RefusalError";
}
