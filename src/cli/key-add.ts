/** Adds a key to a key file. */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { findKeys, KEY_FILE_BYTES, KEYS_PER_FILE } from "../base/key-lines.ts";
import { UserError } from "../base/user-error.ts";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;

const KEY_BYTES = 32;
const EVERYBODY = 0o007;
const PERMISSIONS = 0o777;

/** Most bytes of the lines that are added. */
const ADDED_BYTES = 100;

/**
 * Adds a new key at the end of a key file, where it opens packets and does not seal yet. The file is replaced in one step and
 * keeps its owner, group and mode. If it is a link, its target is replaced.
 *
 * @param file a byte string
 * @returns how many keys the file holds now
 * @throws UserError if the file is no key file, is full, or cannot be replaced; it is as before then
 */
export function addKey(file: string): number {
  try {
    const real = fs.realpathSync(Buffer.from(file, "latin1"), "latin1");
    return addTo(real, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof UserError) throw error;
    throw new UserError(
      code === "ENOENT"
        ? `${file} is missing: make it with 'msync --keygen ${file}'`
        : `${file} cannot be replaced (${code}): run this as the owner of the file, or as root`,
    );
  }
}

/** The unfinished file is the lock, too: of two that add a key at the same time, one is refused. */
function addTo(real: string, shown: string): number {
  const unfinished = Buffer.from(`${real}.new`, "latin1");
  const descriptor = openNew(unfinished, shown);
  try {
    const { text, stats } = readOld(Buffer.from(real, "latin1"), shown);
    const count = findKeys(text, shown).length + 1;
    if (count > KEYS_PER_FILE) {
      throw new UserError(`${shown} holds ${KEYS_PER_FILE} keys already: remove the oldest first`);
    }
    const key = crypto.randomBytes(KEY_BYTES).toString("base64");
    const day = new Date().toISOString().slice(0, 10);
    const start = text.endsWith("\n") ? text : `${text}\n`;
    fs.fchownSync(descriptor, stats.uid, stats.gid);
    fs.fchmodSync(descriptor, stats.mode & PERMISSIONS);
    fs.writeFileSync(descriptor, `${start}# added ${day}\n${key}\n`, "latin1");
    fs.fsyncSync(descriptor);
    fs.renameSync(unfinished, Buffer.from(real, "latin1"));
    makeDurable(path.dirname(real));
    return count;
  } catch (error) {
    fs.rmSync(unfinished, { force: true });
    throw error;
  } finally {
    fs.closeSync(descriptor);
  }
}

function openNew(unfinished: Buffer, shown: string): number {
  try {
    return fs.openSync(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new UserError(
      `${shown}.new is there already: another msync changes the key file now, or was ended while it did; remove it then`,
    );
  }
}

function readOld(real: Buffer, shown: string): { text: string; stats: fs.Stats } {
  const descriptor = fs.openSync(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stats = fs.fstatSync(descriptor);
    if (!stats.isFile()) throw new UserError(`${shown} is not a regular file: name the key file`);
    if (stats.size > KEY_FILE_BYTES - ADDED_BYTES) {
      throw new UserError(`${shown} is too large for a key file: name the key file`);
    }
    if ((stats.mode & EVERYBODY) !== 0) {
      throw new UserError(`${shown} can be read or changed by everybody: 'chmod 600 ${shown}'`);
    }
    return { text: fs.readFileSync(descriptor, "latin1"), stats };
  } finally {
    fs.closeSync(descriptor);
  }
}

function makeDurable(directory: string): void {
  const descriptor = fs.openSync(Buffer.from(directory, "latin1"), O_RDONLY | O_DIRECTORY);
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
