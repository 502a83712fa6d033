/** The options of a daemon that runs, for a check of the config that it would read at a reload. */
import fs from "node:fs";

/** The service manager sets it for a program that it runs at a reload. */
const MAIN_PROCESS = "MAINPID";

/** Whether a service manager runs this program at the reload of a daemon. */
export function isReload(environment: NodeJS.ProcessEnv): boolean {
  return /^\d+$/.test(environment[MAIN_PROCESS] ?? "");
}

/**
 * The arguments of the daemon that a service manager is about to reload, after the name of the command. Options beat the config
 * files, so that a check without them could find what the daemon never reads, or miss what it needs.
 *
 * @returns none if no daemon is being reloaded, or if it has ended; undefined if the name of the process has taken their place
 */
export function argumentsOfReloaded(environment: NodeJS.ProcessEnv): readonly string[] | undefined {
  if (!isReload(environment)) return [];
  const pid = environment[MAIN_PROCESS];
  try {
    const given = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(1, -1);
    return given.length > 0 && given.every((one) => one === "") ? undefined : given;
  } catch {
    return [];
  }
}
