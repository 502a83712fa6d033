/** Says why something could not be done: the one place in msync that makes sentences of reasons. */
import { bytesOfText } from "../base/display.ts";
import { MENDS } from "../base/reason-catalogue.ts";
import { type Reason, sentenceOf } from "../base/reason.ts";
import { JAPANESE_BASE, JAPANESE_BEGINNINGS, JAPANESE_MENDS, JAPANESE_REASONS } from "./japanese.ts";

/**
 * The sentence of a reason, with how to fix the cause, in the language of the user.
 *
 * @param told the reason as data, and the daemon's own sentence, which serves for a daemon that knows no other form
 */
export function sentenceFor(
  told: { readonly reason: string; readonly cause?: Reason },
  environment: NodeJS.ProcessEnv = process.env,
): string {
  const { cause } = told;
  if (cause === undefined) return told.reason;
  if (isJapanese(environment) && cause.code !== "other") return japaneseSentence(cause);
  const mend = MENDS[cause.code];
  return `${sentenceOf(cause)}${mend === undefined ? "" : ` (${mend})`}`;
}

/** Whether the messages of a user are Japanese, by the variables of locale(7). */
function isJapanese({ LC_ALL, LC_MESSAGES, LANG }: NodeJS.ProcessEnv): boolean {
  return /^ja([_.@]|$)/.test(LC_ALL || LC_MESSAGES || LANG || "");
}

/** Arguments and paths are byte strings, and so is the result. */
function japaneseSentence({ code, args, path, when, more }: Reason): string {
  const place = path === undefined ? "" : `${path === "" ? bytesOfText(JAPANESE_BASE) : path}: `;
  const text = bytesOfText(JAPANESE_REASONS[code]).replace(
    /\{(\d)\}/g,
    (_, index: string) => args[Number(index)] ?? "",
  );
  const rest = more === 0 ? "" : bytesOfText(`（ほか ${more} 件）`);
  const mend = JAPANESE_MENDS[code];
  return (
    bytesOfText(JAPANESE_BEGINNINGS[when]) +
    place +
    text +
    rest +
    (mend === undefined ? "" : bytesOfText(`（${mend}）`))
  );
}
