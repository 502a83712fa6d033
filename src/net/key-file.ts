/** Reads and checks a key file. */
import fs from "node:fs";
import { UserError } from "../base/user-error.ts";

/** The key of AES-256. */
const KEY_BYTES = 32;

/**
 * Reads a key file.
 *
 * @returns the 32 bytes of the key
 * @throws UserError if it is missing, can be read by others, or holds no key
 */
export function readKeyFile(path: string): Buffer {
  let text: string;
  let mode: number;
  try {
    // The mode is that of the file that was read, whatever takes its name meanwhile.
    const descriptor = fs.openSync(path, "r");
    try {
      text = fs.readFileSync(descriptor, "latin1").trim();
      mode = fs.fstatSync(descriptor).mode;
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(
      code === "ENOENT"
        ? `the key file ${path} is missing: make one with 'msync --keygen ${path}' and copy it to every server`
        : `the key file ${path} cannot be read (${code}): let the user that starts makuosan read it`,
    );
  }
  if ((mode & 0o007) !== 0) {
    throw new UserError(`the key file ${path} can be read or changed by everybody: 'chmod 600 ${path}'`);
  }
  const key = Buffer.from(text, "base64");
  if (key.length !== KEY_BYTES || !/^[A-Za-z0-9+/]{43}=$/.test(text)) {
    throw new UserError(`the key file ${path} holds no key: make one with 'msync --keygen'`);
  }
  return key;
}
