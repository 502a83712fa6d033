/** The users who ask for pushes, and the groups that they may give files. */
import fs from "node:fs";
import type { PushedBy } from "../../console/protocol.ts";
import { UserError } from "../../base/user-error.ts";
import type { PeerCredentials } from "../../sys/peer-credentials.ts";
import { findGroupNumber, groupsOfUser } from "../settings/accounts.ts";

const ROOT = 0;

/** A line of /etc/passwd, as far as it is used here. */
interface Login {
  readonly name: string;
  readonly gid: number;
}

/** What the log and the history say of a caller. */
export function pushedBy(caller: PeerCredentials | undefined): PushedBy | undefined {
  if (caller === undefined) return undefined;
  const { uid, pid } = caller;
  return { user: loginsOf(uid)[0]?.name ?? "", uid, pid };
}

/**
 * Checks the option -g. The daemon may be root, and members of its group need not be: for nobody does it change a group
 * that this user could not change himself.
 *
 * @param group by name or number, not empty
 * @returns the user to whom a file has to belong; undefined where any file will do
 * @throws UserError for a group that the caller is not in, or that does not exist
 */
export function ownerForGroup(caller: PeerCredentials | undefined, group: string): number | undefined {
  const number = findGroupNumber(group);
  if (caller === undefined) {
    throw new UserError(
      "the daemon cannot tell who asks, because the FFI library cannot be loaded, and gives no group then: " +
        "leave -g out, and use chgrp before the push",
    );
  }
  if (caller.uid === ROOT) return undefined;
  const logins = loginsOf(caller.uid);
  const isMember =
    caller.gid === number ||
    logins.some(({ name, gid }) => gid === number || groupsOfUser(name).includes(number));
  if (isMember) return caller.uid;
  const user = logins[0]?.name ?? String(caller.uid);
  throw new UserError(
    `the user ${user} is not in the group ${group}, and cannot give files to it: name a group of this user, or be root`,
  );
}

/** Several names may stand for one user. */
function loginsOf(uid: number): Login[] {
  return fs
    .readFileSync("/etc/passwd", "latin1")
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.split(":"))
    .filter(([, , id]) => id === String(uid))
    .map(([name = "", , , gid]) => ({ name, gid: Number(gid) }));
}
