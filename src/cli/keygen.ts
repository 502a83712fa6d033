/** Makes a key. */
import crypto from "node:crypto";
import fs from "node:fs";
import { UserError } from "../base/user-error.ts";
import { printLine } from "./output.ts";
import { errorCode } from "../sys/system-error.ts";

const KEY_BYTES = 32;

/** A new key in base64, as it is written into key files. */
export function newKey(): string {
  return crypto.randomBytes(KEY_BYTES).toString("base64");
}

/**
 * Makes a key: 32 random bytes in base64.
 *
 * @param file where it goes, readable by its owner alone; undefined for the standard output
 * @throws UserError where the file is there already or cannot be written: a key is never overwritten
 */
export function makeKey(file: string | undefined): void {
  const key = newKey();
  if (file === undefined) {
    printLine(key);
    return;
  }
  try {
    fs.writeFileSync(Buffer.from(file, "latin1"), `${key}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const code = errorCode(error);
    throw new UserError(
      code === "EEXIST"
        ? `${file} is there already: remove it first if a new key is really wanted`
        : `${file} cannot be written (${code}): name another file`,
    );
  }
}
