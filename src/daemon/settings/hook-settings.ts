/** Checks hooks: the programs, and the user that runs them. */
import fs from "node:fs";
import { UserError } from "../../base/user-error.ts";
import { hiddenBySandbox } from "../../sys/sandbox.ts";
import { findUser } from "./accounts.ts";
import type { WithPlace } from "./places.ts";
import type { Values } from "./settings-table.ts";

/**
 * The programs that run around a commit, checked. They are named by paths without links: a link that was followed for the
 * check could be in the base directory, where a push can lead it to another program.
 */
export interface HookSettings {
  readonly preCommit: string | undefined;
  readonly postCommit: string | undefined;
  /** The user that runs them; undefined for the daemon's own user. */
  readonly account: { readonly uid: number; readonly gid: number } | undefined;
  readonly timeoutMs: number;
}

export type GivenHooks = Pick<Values, "preCommit" | "postCommit" | "hookUser" | "hookTimeoutSeconds">;

/**
 * Checks the hooks.
 *
 * @param base the base directory, in which no hook may lie
 * @param daemonUid the user that the daemon is going to be
 * @param at names the place of a value that is wrong
 * @throws UserError for a program that cannot be run, or that the daemon should not run
 */
export function findHooks(given: GivenHooks, base: string, daemonUid: number, at: WithPlace): HookSettings {
  const { hookUser, hookTimeoutSeconds } = given;
  const find = (key: "pre-commit" | "post-commit", program: string | undefined) =>
    program === undefined ? undefined : at(key, () => findProgram(key, program, base));
  const preCommit = find("pre-commit", given.preCommit);
  const postCommit = find("post-commit", given.postCommit);
  const account =
    hookUser === undefined ? undefined : at("hook-user", () => findUser(hookUser, "--hook-user"));
  if (account !== undefined && account.uid !== daemonUid && daemonUid !== 0) {
    throw new UserError(
      `hooks cannot run as ${account.name}: only a daemon that stays root can become another user; ` +
        "leave out hook-user, or user",
    );
  }
  return { preCommit, postCommit, account, timeoutMs: hookTimeoutSeconds * 1000 };
}

/** @returns its path without links */
function findProgram(key: string, program: string, base: string): string {
  let real: string;
  let stats: fs.Stats;
  try {
    real = fs.realpathSync(program);
    stats = fs.statSync(real);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const hidden = hiddenBySandbox(program);
    if (hidden !== undefined) throw hidden;
    throw new UserError(`the ${key} hook ${program} cannot be reached (${code}): name another program`);
  }
  if (!stats.isFile() || (stats.mode & 0o111) === 0) {
    throw new UserError(
      `the ${key} hook ${program} is no program: make it one with chmod +x, or name another`,
    );
  }
  if (real.startsWith(`${base}/`)) {
    throw new UserError(
      `the ${key} hook ${program} lies in the base directory, where a push could replace it: put it elsewhere`,
    );
  }
  if ((stats.mode & 0o002) !== 0) {
    throw new UserError(
      `the ${key} hook ${program} can be changed by everybody: take that away with chmod o-w`,
    );
  }
  return real;
}
