/** Opens the control socket as the user that it is for. */
import fs from "node:fs";
import path from "node:path";
import { UserError } from "../../base/user-error.ts";
import { isOnlyRoots } from "../../sys/own-files.ts";
import type { Identity } from "../settings/settings.ts";
import { SETTINGS } from "../settings/settings-table.ts";

/**
 * Opens the control socket with the owner that the daemon is going to be. If that user can exchange what stands in the
 * directory, all is done as this user: root would follow a link that takes the place of the socket. Otherwise root does
 * it, and gives the socket away.
 *
 * @param identity the user that the daemon becomes; undefined if it stays as it is
 * @param open makes the socket, and throws if it cannot
 * @throws UserError
 */
export async function openSocketFor<T>(
  socketPath: string,
  identity: Identity | undefined,
  open: () => Promise<T>,
): Promise<T> {
  try {
    return await openAndGive(socketPath, identity, open);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof UserError || code === undefined) throw error;
    // Such as a read-only /run, or a container in which root may not change owners.
    throw new UserError(`the control socket ${socketPath} cannot be made (${code}): choose another with -U`);
  }
}

async function openAndGive<T>(
  socketPath: string,
  identity: Identity | undefined,
  open: () => Promise<T>,
): Promise<T> {
  if (identity === undefined || identity.uid === 0 || process.geteuid?.() !== 0) return open();
  const directory = makeDirectory(path.dirname(socketPath), identity);
  if (directory === undefined || !isOnlyRoots(directory)) return asUser(identity, open);
  const opened = await open();
  fs.lchownSync(path.join(directory, path.basename(socketPath)), identity.uid, identity.gid);
  return opened;
}

/**
 * Makes the directory of the socket, and gives it to the user, if that is root's to do. The usual directory is given to the
 * user also if it was there: an earlier start may have left it to another user.
 *
 * @returns its path without symbolic links; undefined if it is not there
 */
function makeDirectory(directory: string, { uid, gid }: Identity): string | undefined {
  const above = existing(path.dirname(directory));
  const isMade = !fs.existsSync(directory);
  const isUsual = directory === path.dirname(SETTINGS.socket.default);
  if (isOnlyRoots(above) && isMade) fs.mkdirSync(directory, { recursive: true, mode: 0o755 });
  if (!fs.existsSync(directory)) return undefined;
  const real = fs.realpathSync(directory);
  if (!isOnlyRoots(path.dirname(real))) return real;
  if (isMade || (isUsual && !isOnlyRoots(real))) give(real, uid, gid);
  return real;
}

function give(directory: string, uid: number, gid: number): void {
  const flags = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;
  const descriptor = fs.openSync(directory, flags);
  fs.fchownSync(descriptor, uid, gid);
  fs.closeSync(descriptor);
}

/** The nearest directory above that exists, without symbolic links. */
function existing(directory: string): string {
  try {
    return fs.realpathSync(directory);
  } catch {
    return existing(path.dirname(directory));
  }
}

/** Does something with the rights of a user, and has those of root again afterwards. */
async function asUser<T>({ uid, gid, groups }: Identity, action: () => Promise<T>): Promise<T> {
  const former = { groups: process.getgroups?.() ?? [], gid: process.getegid?.() ?? 0 };
  process.setgroups?.([...groups]);
  process.setegid?.(gid);
  process.seteuid?.(uid);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(former.gid);
    process.setgroups?.(former.groups);
  }
}
