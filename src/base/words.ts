/** Cuts a line into words, with quotes, and quotes a word. */
import { UserError } from "./user-error.ts";

/** The characters that lose their meaning after a backslash in double quotes. The backslash stays before all others. */
const ESCAPED_IN_QUOTES = new Set(['"', "\\", "$", "`"]);

/**
 * Cuts a line into words as a shell does, but nothing in it is expanded. Spaces and tabs separate words; single quotes
 * keep everything as it is, double quotes all but a backslash before `"`, `\`, `$` or a backquote; elsewhere a
 * backslash keeps the next character. A `#` where a word could begin starts a comment.
 *
 * @throws UserError for a quote that is not closed, or a backslash at the end
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let index = 0; index < line.length; index++) {
    const character = line.charAt(index);
    if (character === " " || character === "\t") {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "#" && word === undefined) {
      return words;
    } else if (character === "'" || character === '"') {
      const quoted = readQuoted(line, index);
      word = (word ?? "") + quoted.text;
      index = quoted.end;
    } else if (character === "\\") {
      if (++index === line.length)
        throw new UserError("a backslash ends the line: write the command in one line");
      word = (word ?? "") + line.charAt(index);
    } else {
      word = (word ?? "") + character;
    }
  }
  return word === undefined ? words : [...words, word];
}

/** A word that a shell takes as it is. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** Quotes a word, if a shell would otherwise do anything with it. For commands that people copy from a sentence. */
export function quoteWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A quoted text from its first quote on; `end` is where its last one stands. */
function readQuoted(line: string, start: number): { text: string; end: number } {
  const quote = line.charAt(start);
  let text = "";
  for (let index = start + 1; index < line.length; index++) {
    let character = line.charAt(index);
    if (character === quote) return { text, end: index };
    if (quote === '"' && character === "\\" && ESCAPED_IN_QUOTES.has(line.charAt(index + 1))) {
      character = line.charAt(++index);
    }
    text += character;
  }
  throw new UserError(`the quote ${quote} is not closed: close it in the same line`);
}
