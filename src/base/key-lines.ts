/** The lines of a key file: keys, comments and empty lines (PROTOCOL.md 7.1). */
import { UserError } from "./user-error.ts";

/**
 * Most keys of a file. A change of the key needs two, and one that is begun before the last one is finished needs three. Each
 * further one makes the packets of strangers dearer: all keys are tried on them.
 */
export const KEYS_PER_FILE = 8;

/** Largest key file: room for eight keys with long comments. A larger one is another file, named by mistake. */
export const KEY_FILE_BYTES = 64 * 1024;

/** 32 bytes in base64. The last character before the end has two bits of no meaning: with them, a key has one form. */
const KEY = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/**
 * Finds the keys in the text of a key file. A line is a key, a comment behind `#`, or empty; spaces around it do not count.
 *
 * @param path the name of the file, for the sentences
 * @returns the keys in base64, in their order; each has 44 characters
 * @throws UserError for a line that is none of these, a key that is there twice, no key, or too many; never with a key in it
 */
export function findKeys(text: string, path: string): readonly string[] {
  const lineOfKey = new Map<string, number>();
  text.split("\n").forEach((written, index) => {
    const line = written.trim();
    if (line === "" || line.startsWith("#")) return;
    const place = `line ${index + 1}`;
    if (!KEY.test(line)) {
      throw new UserError(
        `the key file ${path} holds no key in ${place}: write one of 'msync --keygen', or put # before a comment`,
      );
    }
    const earlier = lineOfKey.get(line);
    if (earlier !== undefined) {
      throw new UserError(
        `the key file ${path} holds the key of line ${earlier} again in ${place}: remove one`,
      );
    }
    lineOfKey.set(line, index + 1);
  });
  if (lineOfKey.size === 0) {
    throw new UserError(`the key file ${path} holds no key: make one with 'msync --keygen'`);
  }
  if (lineOfKey.size > KEYS_PER_FILE) {
    throw new UserError(
      `the key file ${path} holds ${lineOfKey.size} keys: keep ${KEYS_PER_FILE} at the most, and remove the oldest`,
    );
  }
  return [...lineOfKey.keys()];
}
