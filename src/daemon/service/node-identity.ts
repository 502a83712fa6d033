/** Node id, epoch, and the lock on the base directory. */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { bytesOfText } from "../../base/display.ts";
import { UserError } from "../../base/user-error.ts";
import { checkAccess, lockFile } from "../../sys/files.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import type { Log } from "./log.ts";
import type { Settings } from "../settings/settings.ts";

const ID_BYTES = 16;
const EPOCH_BYTES = 8;

/** Below the state directory. */
const ID_FILE = "node-id";

/** Who this node is: for good, and since this start. */
export interface NodeIdentity {
  /** 32 hexadecimal digits. */
  readonly nodeId: string;
  /** 16 hexadecimal digits. */
  readonly epoch: string;
}

/**
 * Finds out who this node is. Where there is a state directory, its id is drawn once and kept there. Elsewhere the id
 * is made of what the node is, and so the same at every start without being kept anywhere.
 *
 * @param ip the address that the node is known by
 * @param stateDirectory where it may keep something; undefined for nowhere
 */
export function identify(
  settings: Settings,
  ip: string,
  stateDirectory: string | undefined,
  log: Log,
): NodeIdentity {
  const { base, hostName, port } = settings;
  const epoch = crypto.randomBytes(EPOCH_BYTES).toString("hex");
  if (stateDirectory !== undefined) {
    try {
      return { nodeId: keptId(path.join(stateDirectory, ID_FILE), hostName), epoch };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const shown = bytesOfText(stateDirectory);
      log.warn(`the node's id cannot be kept in ${shown} (${code}): let makuosan write there`);
    }
  }
  return { nodeId: digest("makuosan node", machineId(), base, hostName, ip, String(port)), epoch };
}

/**
 * The id in a file. Beside it stands whose it is: the copy of a disk on another host draws a new one, for two nodes
 * with one id would drive each other out of every member's list.
 */
function keptId(file: string, hostName: string): string {
  const owner = digest("makuosan owner of an id", machineId(), hostName);
  const [id = "", ofHost] = readLines(file);
  if (/^[0-9a-f]{32}$/.test(id) && ofHost === owner) return id;
  const drawn = crypto.randomBytes(ID_BYTES).toString("hex");
  const unfinished = `${file}.new`;
  fs.writeFileSync(unfinished, `${drawn}\n${owner}\n`, { mode: 0o600, flush: true });
  fs.renameSync(unfinished, file);
  return drawn;
}

function readLines(file: string): string[] {
  try {
    return fs.readFileSync(file, "latin1").split("\n");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function digest(...facts: readonly string[]): string {
  return crypto
    .createHash("sha256")
    .update(facts.join("\0"))
    .digest("hex")
    .slice(0, 2 * ID_BYTES);
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
 * @throws UserError
 */
export function claimBase({ base, receives }: Settings): void {
  const needed = fs.constants.R_OK | fs.constants.X_OK | (receives ? fs.constants.W_OK : 0);
  try {
    checkAccess(base, needed);
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
