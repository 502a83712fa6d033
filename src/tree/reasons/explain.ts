/** Reasons of what was thrown. */
import { DecodeError } from "../../base/bytes.ts";
import { type Reason, reason, sentenceOf } from "../../base/reason.ts";
import { REASONS, type ReasonCode } from "../../base/reason-catalogue.ts";
import { errorCode } from "../../sys/system-error.ts";
import { StageError } from "./stage-error.ts";

/**
 * What went wrong, as a reason.
 *
 * @param path that it is about, where the error does not name one itself
 */
export function reasonFor(error: unknown, path?: string): Reason {
  if (error instanceof StageError) return error.reason;
  if (error instanceof DecodeError) return reason("damaged", path, error.message);
  const code = errorCode(error);
  return Object.hasOwn(REASONS, code) ? reason(code as ReasonCode, path) : reason("system-error", path, code);
}

/** The same in words, without a path. */
export function explain(error: unknown): string {
  return sentenceOf(reasonFor(error));
}
