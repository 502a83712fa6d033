/** Users and groups by name. */
import fs from "node:fs";
import { UserError } from "../../base/user-error.ts";

/** chown() takes this number for "do not change the group". */
const NO_GROUP = 0xffff_ffff;

/** A user that the daemon can become. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * @param option where the user was named
 * @throws UserError for a user that this host does not know
 */
export function findUser(name: string, option: "-u" | "--hook-user" = "-u"): Account {
  for (const [user, , uid, gid] of lines("/etc/passwd")) {
    if (user === name || uid === name) return { name: user ?? name, uid: Number(uid), gid: Number(gid) };
  }
  throw new UserError(`the user ${name} is unknown on this host: create it, or name another with ${option}`);
}

/**
 * @param option where the group was named
 * @throws UserError for a group that this host does not know
 */
export function findGroup(name: string, option: "-g" | "-G" = "-g"): number {
  for (const [group, , gid] of lines("/etc/group")) if (group === name || gid === name) return Number(gid);
  throw new UserError(`the group ${name} is unknown on this host: create it, or name another with ${option}`);
}

/**
 * The number of a group for files, which needs no name here.
 *
 * @throws UserError for a name that this host does not know
 */
export function findGroupNumber(name: string): number {
  const number = Number(name);
  return /^\d+$/.test(name) && number < NO_GROUP ? number : findGroup(name);
}

/** The supplementary groups of a user. */
export function groupsOfUser(name: string): number[] {
  return lines("/etc/group")
    .filter(([, , , members]) => (members ?? "").split(",").includes(name))
    .map(([, , gid]) => Number(gid));
}

function lines(file: string): string[][] {
  return fs
    .readFileSync(file, "latin1")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}
