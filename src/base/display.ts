/** The form in which people see text: on terminals, in logs and in the service manager. */

/**
 * People see byte strings: names from a file system or from the network, and sentences about them. Valid UTF-8 is shown
 * as it is. Every other byte is escaped, and so is each character that controls a terminal or changes the order in
 * which it shows text. So no name can imitate another line, or hide a part of it.
 */

/** Text that needs no change: nearly every line. */
const PLAIN = /^[\x20-\x7e]*$/;

/** One character of valid UTF-8 (RFC 3629, section 4), or else one byte. */
const SEQUENCE = new RegExp(
  [
    "[\\x00-\\x7f]",
    "[\\xc2-\\xdf][\\x80-\\xbf]",
    "\\xe0[\\xa0-\\xbf][\\x80-\\xbf]",
    "[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}",
    "\\xed[\\x80-\\x9f][\\x80-\\xbf]",
    "\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}",
    "[\\xf1-\\xf3][\\x80-\\xbf]{3}",
    "\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2}",
    "[^]",
  ].join("|"),
  "g",
);

/** The control characters C0, DEL and C1; marks of direction; separators of lines and of paragraphs. */
const CONTROLS = "\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069";
const CONTROL = new RegExp(`[${CONTROLS}]`);
const ALL_CONTROLS = new RegExp(`[${CONTROLS}]`, "g");

/** Characters that cannot be a byte. */
const BEYOND_BYTES = /[\u0100-\uffff]+/g;

/**
 * Makes text of a byte string, in one line and harmless on a terminal.
 *
 * @param bytes a byte string; characters that cannot be a byte stay as they are
 * @returns text; each escaped byte has the form `\xNN`
 */
export function displayText(bytes: string): string {
  if (PLAIN.test(bytes)) return bytes;
  return bytes.replace(BEYOND_BYTES, bytesOfText).replace(SEQUENCE, (sequence) => {
    if (sequence.length === 1) return PLAIN.test(sequence) ? sequence : escapeBytes(sequence);
    const character = decodeSequence(sequence);
    return CONTROL.test(character) ? escapeBytes(sequence) : character;
  });
}

/** Converts a text that is no byte string, such as a setting, into the byte string of its UTF-8. */
export function bytesOfText(text: string): string {
  if (PLAIN.test(text)) return text;
  let bytes = "";
  for (const character of text) bytes += encodeCharacter(character.codePointAt(0) ?? 0);
  return bytes;
}

/** Escapes the same characters in JSON, without a change of its meaning. */
export function displayJson(json: string): string {
  return json.replace(ALL_CONTROLS, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** One character in UTF-8; half a surrogate pair becomes U+FFFD, as everywhere. */
function encodeCharacter(code: number): string {
  if (code < 0x80) return String.fromCharCode(code);
  if (code < 0x800) return String.fromCharCode(0xc0 | (code >> 6), continuation(code));
  if (code >= 0xd800 && code <= 0xdfff) return encodeCharacter(0xfffd);
  if (code < 0x10000)
    return String.fromCharCode(0xe0 | (code >> 12), continuation(code >> 6), continuation(code));
  const lead = 0xf0 | (code >> 18);
  return String.fromCharCode(lead, continuation(code >> 12), continuation(code >> 6), continuation(code));
}

function continuation(code: number): number {
  return 0x80 | (code & 0x3f);
}

/** The character of a valid sequence of at least two bytes. */
function decodeSequence(sequence: string): string {
  let code = sequence.charCodeAt(0) & (0xff >> (sequence.length + 1));
  for (let index = 1; index < sequence.length; index++)
    code = (code << 6) | (sequence.charCodeAt(index) & 0x3f);
  return String.fromCodePoint(code);
}

function escapeBytes(bytes: string): string {
  return bytes.replace(/[^]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
