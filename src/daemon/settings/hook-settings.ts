/** Which programs may be hooks, and whom they may run as. */
import fs from "node:fs";
import { UserError } from "../../base/user-error.ts";
import { findUser } from "./accounts.ts";

/** The programs that run around a commit, checked. */
export interface HookSettings {
  readonly preCommit: string | undefined;
  readonly postCommit: string | undefined;
  /** Whom they run as; undefined for the daemon's own user. */
  readonly account: { readonly uid: number; readonly gid: number } | undefined;
  readonly timeoutMs: number;
}

export interface GivenHooks {
  readonly preCommit: string | undefined;
  readonly postCommit: string | undefined;
  readonly user: string | undefined;
  readonly timeoutSeconds: number;
}

/**
 * Checks the hooks.
 *
 * @param base the base directory, where no hook may lie
 * @param daemonUid the user that the daemon is going to be
 * @throws UserError for a program that cannot be run, or that the daemon should not run
 */
export function findHooks(given: GivenHooks, base: string, daemonUid: number): HookSettings {
  const { preCommit, postCommit, timeoutSeconds } = given;
  if (preCommit !== undefined) checkProgram("pre-commit", preCommit, base);
  if (postCommit !== undefined) checkProgram("post-commit", postCommit, base);
  const account = given.user === undefined ? undefined : findUser(given.user);
  if (account !== undefined && account.uid !== daemonUid && daemonUid !== 0) {
    throw new UserError(
      `hooks cannot run as ${account.name}: only a daemon that stays root can become another user; ` +
        "leave out hook-user, or user",
    );
  }
  return { preCommit, postCommit, account, timeoutMs: timeoutSeconds * 1000 };
}

function checkProgram(key: string, program: string, base: string): void {
  let real: string;
  let stats: fs.Stats;
  try {
    real = fs.realpathSync(program);
    stats = fs.statSync(real);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
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
}
