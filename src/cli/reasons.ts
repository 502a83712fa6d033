/** Says why something could not be done: the one place in msync that makes sentences of reasons. */
import { MENDS } from "../base/reason-catalogue.ts";
import { type Reason, sentenceOf } from "../base/reason.ts";
import { reasonInLanguage } from "./language.ts";

/**
 * The sentence of a reason, with how to fix the cause, in the language of the user.
 *
 * @param told the reason as data, and the daemon's own sentence, which serves for a daemon that knows no other form
 */
export function sentenceFor(told: { readonly reason: string; readonly cause?: Reason }): string {
  const { cause } = told;
  if (cause === undefined) return told.reason;
  const translated = reasonInLanguage(cause);
  if (translated !== undefined) return translated;
  const mend = MENDS[cause.code];
  return `${sentenceOf(cause)}${mend === undefined ? "" : ` (${mend})`}`;
}
