import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { UserError } from "../base/user-error.ts";
import { lockFile } from "../sys/files.ts";
import { STAGING_NAME } from "../wire/path-rules.ts";

/** Who this node is: for good, and since this start. */
export interface NodeIdentity {
  /** 32 hexadecimal digits. */
  readonly nodeId: string;
  /** 16 hexadecimal digits. */
  readonly epoch: string;
}

/**
 * The node's id is made of what it is, and so the same at every start without being kept anywhere: a copy of a disk
 * on another host has another one, and nothing of the daemon's lies among the files that it serves.
 *
 * @param facts what tells this node from all others: its base directory, its name, its address
 */
export function identify(facts: readonly string[]): NodeIdentity {
  const text = ["makuosan node", machineId(), ...facts].join("\0");
  const nodeId = crypto.createHash("sha256").update(text).digest("hex").slice(0, 32);
  return { nodeId, epoch: crypto.randomBytes(8).toString("hex") };
}

function machineId(): string {
  try {
    return fs.readFileSync("/etc/machine-id", "latin1").trim();
  } catch {
    return "";
  }
}

/**
 * Sees to it that no other daemon works on the base directory, and that this one can.
 *
 * @param receives whether anything is going to be written there
 * @throws UserError
 */
export function claimBase(base: string, receives: boolean): void {
  const needed = fs.constants.R_OK | fs.constants.X_OK | (receives ? fs.constants.W_OK : 0);
  try {
    fs.accessSync(base, needed);
    // Held until the process ends, by the descriptor that stays open.
    const descriptor = fs.openSync(base, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    if (!lockFile(descriptor)) {
      throw new UserError(
        `another makuosan works on ${base}: stop it first, or choose another directory with -b`,
      );
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(
      `the base directory ${base} cannot be ${receives ? "written" : "read"} (${code}): ` +
        "let the user that makuosan runs as do that, or name another user with -u",
    );
  }
  checkStaging(path.join(base, STAGING_NAME));
}

/** Who can write there decides what a start puts into the tree. */
function checkStaging(staging: string): void {
  const stats = fs.lstatSync(staging, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (stats.isDirectory() && stats.uid === process.geteuid?.() && (stats.mode & 0o022) === 0) return;
  throw new UserError(
    `${staging} is not this daemon's own: see who made it, and remove it if no other makuosan works there`,
  );
}
