/** Shell patterns over byte strings. */
import { DecodeError } from "./bytes.ts";

/**
 * Shell patterns over byte strings, like fnmatch() in the C locale: `*` matches any bytes, `?` one byte, `[...]` one
 * byte of a set. A set has ranges and classes such as `[:digit:]`; `!` or `^` at its start matches all other bytes. A
 * backslash makes the next character literal. The caller handles slashes. Matching takes at most as many steps as the
 * two lengths multiplied.
 */

/** One place of a pattern: the one byte that matches, a table of the bytes that match, or any number of any bytes. */
type Token = "any" | number | Uint8Array;

/** A question mark matches every byte. */
const EVERY_BYTE = new Uint8Array(256).fill(1);

/** A pattern in the form that matches() needs. */
export interface Glob {
  readonly tokens: readonly Token[];
  /** The pattern itself if it has no special characters: then it is simply compared. */
  readonly literal: string | undefined;
}

/** The characters that make a text a pattern. */
const SPECIAL = /[*?[\\]/;

const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[\x21-\x7e]/,
  lower: /[a-z]/,
  print: /[\x20-\x7e]/,
  punct: /[\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]/,
  space: /[ \t\n\v\f\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/** Whether a text is more than a plain name. */
export function isPattern(text: string): boolean {
  return SPECIAL.test(text);
}

/**
 * Compiles a pattern for matches().
 *
 * @throws DecodeError for a pattern that ends in a lone backslash
 */
export function compileGlob(pattern: string): Glob {
  if (!isPattern(pattern)) return { tokens: [], literal: pattern };
  const tokens: Token[] = [];
  const open = new Set<number>();
  for (let index = 0; index < pattern.length;) {
    const character = pattern.charAt(index);
    if (character === "*") {
      if (tokens.at(-1) !== "any") tokens.push("any");
      index++;
    } else if (character === "?") {
      tokens.push(EVERY_BYTE);
      index++;
    } else if (character === "\\") {
      if (index + 1 === pattern.length) throw new DecodeError("a backslash at the end");
      tokens.push(pattern.charCodeAt(index + 1));
      index += 2;
    } else {
      const bracket = character === "[" ? readBracket(pattern, index, open) : undefined;
      tokens.push(bracket?.set ?? pattern.charCodeAt(index));
      index = bracket?.end ?? index + 1;
    }
  }
  return { tokens, literal: undefined };
}

/** Whether a pattern matches a whole byte string. */
export function matches(glob: Glob, text: string): boolean {
  if (glob.literal !== undefined) return glob.literal === text;
  const { tokens } = glob;
  let at = 0;
  // If the rest does not match, the last star takes one byte more and matching continues from there.
  let starToken = -1;
  let starAt = 0;
  for (let token = 0; at < text.length || token < tokens.length;) {
    const present = tokens[token];
    if (present === "any") {
      starToken = token++;
      starAt = at;
    } else if (present !== undefined && at < text.length && fits(present, text.charCodeAt(at))) {
      token++;
      at++;
    } else if (starToken === -1 || starAt >= text.length) {
      return false;
    } else {
      token = starToken + 1;
      at = ++starAt;
    }
  }
  return true;
}

/**
 * A bracket expression from its `[` on; undefined if it is never closed: then the bracket is literal.
 *
 * @param open known places in the pattern from which on no bracket expression is closed; places that are found are
 *   added. So no part of a pattern is read again for every `[` in it, which would take its length squared
 */
function readBracket(
  pattern: string,
  start: number,
  open: Set<number>,
): { set: Uint8Array; end: number } | undefined {
  let index = start + 1;
  const isInverted = pattern.charAt(index) === "!" || pattern.charAt(index) === "^";
  if (isInverted) index++;
  const set = new Uint8Array(256);
  const passed: number[] = [];
  // A closing bracket at the first position is one of the bytes.
  for (let isFirst = true; index < pattern.length; isFirst = false) {
    if (pattern.charAt(index) === "]" && !isFirst) {
      return { set: isInverted ? set.map((bit) => 1 - bit) : set, end: index + 1 };
    }
    if (!isFirst) {
      if (open.has(index)) break;
      passed.push(index);
    }
    const named = /^\[:([a-z]+):\]/.exec(pattern.slice(index, index + 12));
    const members = CLASSES[named?.[1] ?? ""];
    if (named !== null && members !== undefined) {
      for (let byte = 0; byte < 256; byte++) if (members.test(String.fromCharCode(byte))) set[byte] = 1;
      index += named[0].length;
      continue;
    }
    const low = readByte(pattern, index);
    index = low.end;
    const isRange = pattern.charAt(index) === "-" && !["]", ""].includes(pattern.charAt(index + 1));
    const high = isRange ? readByte(pattern, index + 1) : low;
    index = high.end;
    for (let byte = low.byte; byte <= high.byte; byte++) set[byte] = 1;
  }
  for (const place of passed) open.add(place);
  return undefined;
}

/** One byte of a bracket expression, with or without a backslash before it. */
function readByte(pattern: string, index: number): { byte: number; end: number } {
  const isEscaped = pattern.charAt(index) === "\\" && index + 1 < pattern.length;
  const at = isEscaped ? index + 1 : index;
  return { byte: pattern.charCodeAt(at), end: at + 1 };
}

function fits(token: number | Uint8Array, byte: number): boolean {
  return typeof token === "number" ? token === byte : token[byte] === 1;
}
