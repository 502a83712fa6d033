/** The language in which the command makuosan speaks to people. */

/**
 * Translates a sentence for the user. The catalogues are those of msync, so that the program hands this function in.
 *
 * @param english a byte string
 * @returns a byte string; as it is if there is no translation
 */
export type Speak = (english: string) => string;

/** Says everything as it is. */
export const inEnglish: Speak = (english) => english;
