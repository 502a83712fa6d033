/** How much room text takes on a terminal, and cutting it to a width. */

/** Characters that take two columns: those of Chinese, Japanese and Korean, and their full-width forms. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Accents that share the column of the character before. */
const MARK = /\p{Mark}/u;

/** The number of columns of a text without control characters. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOfCharacter(character);
  return columns;
}

function columnsOfCharacter(character: string): number {
  if (character < "\u0300") return 1;
  return WIDE.test(character) ? 2 : MARK.test(character) ? 0 : 1;
}

/** The longest beginning of a text that has room in so many columns. */
export function beginningOf(text: string, columns: number): string {
  return taken([...text], columns).join("");
}

/** The longest end of a text that has room in so many columns. */
export function endOf(text: string, columns: number): string {
  return taken([...text].reverse(), columns)
    .reverse()
    .join("");
}

function taken(characters: readonly string[], columns: number): string[] {
  let left = columns;
  const end = characters.findIndex((character) => (left -= columnsOfCharacter(character)) < 0);
  return characters.slice(0, end === -1 ? undefined : end);
}
