/** Turns errors into reasons. */
import { DecodeError } from "../../base/bytes.ts";
import { type Reason, reason, sentenceOf } from "../../base/reason.ts";
import { REASONS, type ReasonCode } from "../../base/reason-catalogue.ts";
import { errorCode } from "../../sys/system-error.ts";
import { StageError } from "./stage-error.ts";

/**
 * The reason of an error.
 *
 * @param path of the entry, if the error does not name one itself
 */
export function reasonFor(error: unknown, path?: string): Reason {
  if (error instanceof StageError) return error.reason;
  if (error instanceof DecodeError) return reason("damaged", path, error.message);
  const code = errorCode(error);
  return Object.hasOwn(REASONS, code) ? reason(code as ReasonCode, path) : reason("system-error", path, code);
}

/** The reason of an error as a sentence, without a path. */
export function explain(error: unknown): string {
  return sentenceOf(reasonFor(error));
}
