/** Node id, epoch, and the lock on the base directory. */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { bytesOfText } from "../../base/display.ts";
import { UserError } from "../../base/user-error.ts";
import { checkAccess, lockFile } from "../../sys/files.ts";
import { usersOfLock } from "../../sys/file-locks.ts";
import { mountOfPath } from "../../sys/mounts.ts";
import { readOwnFile, replaceFile } from "../../sys/own-files.ts";
import { hiddenBySandbox } from "../../sys/sandbox.ts";
import { ownUserName } from "../../sys/own-user.ts";
import { BaseMark } from "./base-mark.ts";
import type { Log } from "./log.ts";
import { withPlace } from "../settings/places.ts";
import type { Settings } from "../settings/settings.ts";
import { errorCode } from "../../sys/system-error.ts";

/** Lengths on the wire (PROTOCOL.md): ids and epochs are drawn at random, and never meet by chance. */
const ID_BYTES = 16;
const EPOCH_BYTES = 8;

/** The name of the file with the id, in the state directory. */
const ID_FILE = "node-id";

/** It has two lines of 32 digits. A larger file is another one. */
const ID_FILE_BYTES = 4_096;

/** The names of this node: one that lasts, and one for this start. */
export interface NodeIdentity {
  /** 32 hexadecimal digits. */
  readonly nodeId: string;
  /** 16 hexadecimal digits. */
  readonly epoch: string;
}

/**
 * Finds the id of this node, and draws an epoch. If there is a state directory, the id is drawn once and kept there. If
 * not, the id is a hash of facts that are the same at every start.
 *
 * @param ip the address of the node
 * @param stateDirectory the directory that keeps the id; undefined if nothing is kept
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
      warnNotKept(error, stateDirectory, log);
    }
  }
  return { nodeId: digest("makuosan node", machineId(), base, hostName, ip, String(port)), epoch };
}

/**
 * The id in a file. Beside it stands a hash of its host: a copy of the disk on another host draws a new id, because two
 * nodes with one id would displace each other in the list of every member.
 */
function keptId(file: string, hostName: string): string {
  const owner = ownerOf(hostName);
  const [id = "", ofHost] = (readOwnFile(file, ID_FILE_BYTES)?.toString("latin1") ?? "").split("\n");
  if (/^[0-9a-f]{32}$/.test(id) && ofHost === owner) return id;
  const drawn = randomId();
  keepId(file, drawn, hostName);
  return drawn;
}

function keepId(file: string, id: string, hostName: string): void {
  replaceFile(file, `${id}\n${ownerOf(hostName)}\n`, 0o600);
}

function ownerOf(hostName: string): string {
  return digest("makuosan owner of an id", machineId(), hostName);
}

function randomId(): string {
  return crypto.randomBytes(ID_BYTES).toString("hex");
}

/**
 * Draws a new id for this node, in place of one that another node has as well, and keeps it.
 *
 * @param stateDirectory the directory that keeps the id; undefined if nothing is kept
 */
export function drawNodeId(
  { hostName }: Pick<Settings, "hostName">,
  stateDirectory: string | undefined,
  log: Log,
): string {
  const drawn = randomId();
  if (stateDirectory === undefined) return drawn;
  try {
    keepId(path.join(stateDirectory, ID_FILE), drawn, hostName);
  } catch (error) {
    warnNotKept(error, stateDirectory, log);
  }
  return drawn;
}

function warnNotKept(error: unknown, stateDirectory: string, log: Log): void {
  const code = errorCode(error);
  const shown = bytesOfText(stateDirectory);
  log.warn(`the node's id cannot be kept in ${shown} (${code}): let makuosan write there`);
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
 * Checks that a daemon of the user of this process can use the base directory.
 *
 * @throws UserError that names the place of the setting
 */
export function checkBase({ base, receives, places }: Settings): void {
  fs.closeSync(withPlace(places.base, "base", () => openBase(base, receives)));
}

/**
 * Locks the base directory against other daemons, and checks that this one can use it.
 *
 * @returns gives the lock back
 * @throws UserError if another daemon has the lock, or this one cannot use the directory
 */
export function claimBase({ base, receives, places }: Settings, log: Log): () => void {
  const descriptor = withPlace(places.base, "base", () => openBase(base, receives));
  const mark = BaseMark.make(descriptor);
  const release = () => {
    mark?.release();
    fs.closeSync(descriptor);
  };
  try {
    if (mark?.hasRival() === true || !lockBase(base, descriptor, mark, log)) {
      throw new UserError(
        `another makuosan works on ${base}: stop it first, or choose another directory with -b`,
      );
    }
    return release;
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * Locks the base directory, against daemons that have no mark here: of earlier versions, of other users, in containers. A
 * lock of a user who runs no daemon here does no harm.
 *
 * @returns false if another daemon may hold the lock
 */
function lockBase(base: string, descriptor: number, mark: BaseMark | undefined, log: Log): boolean {
  if (lockFile(descriptor)) return true;
  const { ino } = fs.fstatSync(descriptor, { bigint: true });
  if (mark === undefined || mark.trusts(usersOfLock(ino))) return false;
  log.warn(`another user holds a lock on ${base}, and does not keep makuosan from working there`);
  return true;
}

/** How an administrator lets the user that the daemon runs as use the base directory. */
function accessMend(base: string): string {
  const user = ownUserName() ?? String(process.geteuid?.());
  // A path of which nothing can be seen is closed further above.
  if (!fs.existsSync(base)) return `let ${user} pass the directories above it, such as with 'chmod o+x'`;
  return `run 'chown ${user}: ${base}' and start makuosan again`;
}

/** Opens the base directory. The descriptor holds the lock as long as it is open. */
function openBase(base: string, receives: boolean): number {
  const needed = fs.constants.R_OK | fs.constants.X_OK | (receives ? fs.constants.W_OK : 0);
  try {
    checkAccess(base, needed);
    return fs.openSync(base, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const hidden = hiddenBySandbox(base);
    if (hidden !== undefined) throw hidden;
    if (code === "EROFS" && mountOfPath(base)?.isReadOnlyDisk === true) {
      throw new UserError(
        `the base directory ${base} is on a file system that is mounted read-only: see 'findmnt -T ${base}', or name another with -b`,
      );
    }
    if (code === "EROFS") {
      throw new UserError(
        `the base directory ${base} is read-only for makuosan: as a service, it needs the line ` +
          `ReadWritePaths=${base} below [Service] in 'systemctl edit makuosan'`,
      );
    }
    throw new UserError(
      `the base directory ${base} cannot be ${receives ? "written" : "read"} (${code}): ` +
        `${accessMend(base)}, or name another user with -u`,
    );
  }
}
