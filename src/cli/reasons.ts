/** Says why something could not be done: the one place in msync that makes sentences of reasons. */
import { MENDS } from "../base/reason-catalogue.ts";
import { type Reason, sentenceOf } from "../base/reason.ts";

/**
 * The sentence of a reason, with how to fix the cause.
 *
 * @param told the reason as data, and the daemon's own sentence, which serves for a daemon that knows no other form
 */
export function sentenceFor(told: { readonly reason: string; readonly cause?: Reason }): string {
  if (told.cause === undefined) return told.reason;
  const mend = MENDS[told.cause.code];
  return `${sentenceOf(told.cause)}${mend === undefined ? "" : ` (${mend})`}`;
}
