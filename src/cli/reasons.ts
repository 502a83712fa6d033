/** Says why something could not be done: the one place in msync that makes sentences of reasons. */
import { type Reason, sentenceOf } from "../base/reason.ts";

/**
 * The sentence of a reason.
 *
 * @param told the reason as data, and the daemon's own sentence, which serves for a daemon that knows no other form
 */
export function sentenceFor(told: { readonly reason: string; readonly cause?: Reason }): string {
  return told.cause === undefined ? told.reason : sentenceOf(told.cause);
}
