/** Reads and checks a key file. */
import fs from "node:fs";
import { findKeys, KEY_FILE_BYTES } from "../base/key-lines.ts";
import { UserError } from "../base/user-error.ts";
import { readBeginning } from "../sys/own-files.ts";
import { hiddenBySandbox } from "../sys/sandbox.ts";

/** O_NONBLOCK: a FIFO in the place of the file must not hold the daemon. */
const { O_NONBLOCK, O_RDONLY } = fs.constants;

const EVERYBODY = 0o007;

/**
 * Reads a key file.
 *
 * @returns the keys, 32 bytes each; the first one seals
 * @throws UserError if it is missing, can be read by others, or holds anything but keys and comments
 */
export function readKeyFile(path: string): Buffer[] {
  let opened: { readonly mode: number; readonly text: string };
  try {
    opened = readStart(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw unreadableKeyFile(path, code);
  }
  return keysOf(path, opened.mode, opened.text);
}

/** The mode and the text of one file, whatever takes its name meanwhile; of a file that is too large only the beginning. */
function readStart(path: string): { mode: number; text: string } {
  const descriptor = fs.openSync(path, O_RDONLY | O_NONBLOCK);
  try {
    const stats = fs.fstatSync(descriptor);
    const bytes = stats.isFile() ? readBeginning(descriptor, KEY_FILE_BYTES + 1) : Buffer.alloc(0);
    return { mode: stats.mode, text: bytes.toString("latin1") };
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * Checks what was read of a key file, and takes its keys.
 *
 * @param mode type and permissions of the file, as stat(2) has them
 * @param text its bytes as a byte string, at the most one more than KEY_FILE_BYTES
 * @throws UserError that names what is wrong
 */
export function keysOf(path: string, mode: number, text: string): Buffer[] {
  if ((mode & fs.constants.S_IFMT) !== fs.constants.S_IFREG) {
    throw new UserError(`the key file ${path} is not a regular file: name another with -k`);
  }
  if ((mode & EVERYBODY) !== 0) {
    throw new UserError(`the key file ${path} can be read or changed by everybody: 'chmod 600 ${path}'`);
  }
  if (text.length > KEY_FILE_BYTES) {
    throw new UserError(
      `the key file ${path} is larger than ${KEY_FILE_BYTES} bytes, as no key file is: name another with -k`,
    );
  }
  return findKeys(text, path).map((key) => Buffer.from(key, "base64"));
}

/** The sentence for a file that cannot be read, with the code of the error. */
export function unreadableKeyFile(path: string, code: string): UserError {
  const hidden = hiddenBySandbox(path);
  if (hidden !== undefined) return hidden;
  return new UserError(
    code === "ENOENT"
      ? `the key file ${path} is missing: make one with 'msync --keygen ${path}' and copy it to every server`
      : `the key file ${path} cannot be read (${code}): let the user that starts makuosan read it`,
  );
}
