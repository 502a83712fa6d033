/** The language in which msync speaks to people: English, or Japanese if the locale says so. */
import type { Reason } from "../base/reason.ts";
import type { Phrase } from "./japanese-phrases.ts";

/** The functions of a catalogue; each returns undefined for a sentence that it does not have. */
interface Translations {
  readonly japaneseSentence: (english: string) => string | undefined;
  readonly japaneseReason: (cause: Reason) => string | undefined;
  readonly JAPANESE_PHRASES: Readonly<Record<Phrase, string>>;
}

/** Undefined for English. */
let translations: Translations | undefined;

/**
 * Chooses the language of all that this process says from now on. The catalogue is loaded only if it is needed: the start of
 * msync is felt each time.
 *
 * @param environment has the variables of locale(7)
 */
export async function chooseLanguage({ LC_ALL, LC_MESSAGES, LANG }: NodeJS.ProcessEnv): Promise<void> {
  // Another encoding than UTF-8, such as ja_JP.eucJP, would show nothing readable. A locale without one means UTF-8 today.
  const isJapanese = /^ja(_[^.@]*)?(\.utf-?8)?(@.*)?$/i.test(LC_ALL || LC_MESSAGES || LANG || "");
  translations = isJapanese ? await import("./japanese.ts") : undefined;
}

/**
 * Translates a sentence: one of msync, or one of the daemon, which speaks English to every client.
 *
 * @param english a byte string
 * @returns a byte string; as it is if the catalogue does not have it
 */
export function inLanguage(english: string): string {
  return translations?.japaneseSentence(english) ?? english;
}

/** The sentence of a reason, with how to fix the cause; undefined if English is spoken. */
export function reasonInLanguage(cause: Reason): string | undefined {
  return translations?.japaneseReason(cause);
}

/**
 * Says a phrase in the language of the user.
 *
 * @param args for its places; text, as the result is
 */
export function phrase(english: Phrase, ...args: readonly (string | number)[]): string {
  const form = translations?.JAPANESE_PHRASES[english] ?? english;
  return form.replace(/\{(\d)\}/g, (_, place: string) => String(args[Number(place)] ?? ""));
}
