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

/** The paths of entries that errors of the system are about. */
const paths = new WeakMap<object, string>();

/**
 * Notes the path of the entry that an error is about, unless it is known already: the kernel does not say it.
 *
 * @returns the same error
 */
export function errorAt(path: string, error: unknown): Error {
  const found = error as Error;
  if (!paths.has(found)) paths.set(found, path);
  return found;
}

/** The path of the entry that an error is about; undefined if nobody has noted it. */
export function pathOfError(error: unknown): string | undefined {
  return paths.get(error as Error);
}

/** The reason of an error as a sentence, without a path. */
export function explain(error: unknown): string {
  return sentenceOf(reasonFor(error));
}
