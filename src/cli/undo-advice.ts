/** Advice after an undo that has failed, in place of that after a push. */
import { inLanguage } from "./language.ts";

/** Many reasons end with this advice, for a push. */
const OF_PUSH = "push again";

/**
 * A sentence about an undo, in the language of the user.
 *
 * @param sentence as for a push; a byte string, as the result is
 * @param isUndone whether other hosts have taken the push back
 */
export function sentenceOfUndo(sentence: string, isUndone: boolean): string {
  const advice = isUndone ? "see 'msync --members -v'" : "repeat the undo";
  return inLanguage(sentence).replaceAll(inLanguage(OF_PUSH), inLanguage(advice));
}
