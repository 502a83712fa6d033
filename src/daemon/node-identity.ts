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
 * Reads the node's id, or makes one at the first start; and sees to it that no other daemon works on the same
 * base directory. Both live in BASE/.makuosan, or where the service manager says (STATE_DIRECTORY).
 *
 * @throws UserError where the base directory cannot be written, or another daemon has it
 */
export function claimIdentity(base: string): NodeIdentity {
  const staging = path.join(base, STAGING_NAME);
  try {
    fs.mkdirSync(staging, { recursive: true, mode: 0o700 });
    checkOwner(staging);
    claimLock(path.join(staging, "lock"), base);
    const nodeId = readOrMakeId(path.join(process.env["STATE_DIRECTORY"] ?? staging, "node-id"));
    return { nodeId, epoch: crypto.randomBytes(8).toString("hex") };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(
      `the base directory ${base} cannot be written (${code}): ` +
        "let the user that makuosan runs as write there, or name another user with -u",
    );
  }
}

/** Who can write there decides what a start puts into the tree. */
function checkOwner(staging: string): void {
  const stats = fs.lstatSync(staging);
  if (stats.isDirectory() && stats.uid === process.geteuid?.() && (stats.mode & 0o022) === 0) return;
  throw new UserError(
    `${staging} is not this daemon's own: see who made it, and remove it if no other makuosan works there`,
  );
}

/** The lock is held until the process ends, by the descriptor that stays open. */
function claimLock(file: string, base: string): void {
  const descriptor = fs.openSync(
    file,
    fs.constants.O_CREAT | fs.constants.O_RDWR | fs.constants.O_NOFOLLOW,
    0o600,
  );
  if (lockFile(descriptor)) return;
  fs.closeSync(descriptor);
  throw new UserError(
    `another makuosan works on ${base}: stop it first, or choose another directory with -b`,
  );
}

/** Beside the id stands what machine it was made on: a copy of a disk is another node. */
function readOrMakeId(file: string): string {
  const machine = machineMark();
  const [known = "", knownMachine] = fs.existsSync(file) ? fs.readFileSync(file, "latin1").split("\n") : [];
  if (/^[0-9a-f]{32}$/.test(known) && knownMachine === machine) return known;
  const nodeId = crypto.randomBytes(16).toString("hex");
  const temporary = `${file}.${process.pid}`;
  fs.rmSync(temporary, { force: true });
  fs.writeFileSync(temporary, `${nodeId}\n${machine}\n`, { mode: 0o600, flag: "wx" });
  fs.renameSync(temporary, file);
  return nodeId;
}

function machineMark(): string {
  try {
    return crypto.createHash("sha256").update(fs.readFileSync("/etc/machine-id")).digest("hex").slice(0, 32);
  } catch {
    return "no machine-id";
  }
}
