/** Opens the log of publications at the start of the daemon, and says what the start may keep because of it. */
import { PublicationLog } from "../../engine/catch-up/publication-log.ts";
import type { Log } from "../service/log.ts";
import type { Settings } from "../settings/settings.ts";
import { PublicationFile } from "./publication-file.ts";
import { errorCode } from "../../sys/system-error.ts";

/**
 * Opens the log; to be called when the privileges are dropped.
 *
 * @param ip the address of this host, by which the words of -t may name it
 * @param epoch of this node
 * @returns undefined if there is no state directory that can be written
 */
export function openPublications(
  settings: Settings,
  ip: string,
  epoch: string,
  log: Log,
): PublicationFile | undefined {
  const { base, hostName, receives, state } = settings;
  if (!receives && !settings.sends) return undefined;
  // The labels may be others after a reload.
  const self = {
    hostName,
    ip,
    get labels() {
      return settings.labels;
    },
  };
  const publications = new PublicationLog(self, receives);
  const onFailure = (code: string) =>
    log.error(
      `the log of pushes cannot be written (${code}), so this host may get them once more: see --state`,
    );
  try {
    const file = new PublicationFile(state.directory, base, epoch, publications, onFailure);
    if (file.found.problem !== undefined) log.warn(file.found.problem);
    return file;
  } catch (error) {
    const { path = state.directory } = error as NodeJS.ErrnoException;
    const text = `no log of pushes is kept, so this host does not catch up: ${path} (${errorCode(error)})`;
    // A daemon that is tried in a shell has no state directory; then the history says so.
    if (path === state.directory) log.debug(text);
    else log.warn(`${text}: remove what is there, or let makuosan write it, and restart makuosan`);
    return undefined;
  }
}

/**
 * Whether a start keeps the area of a transfer that was ready. Without a log, nobody knows what comes after it. Hooks are to run for
 * it, and nobody knows whether they have: they run for the push that brings it again.
 */
export function keepsReady(
  { catchUp, hooks }: Pick<Settings, "catchUp" | "hooks">,
  file: PublicationFile | undefined,
): boolean {
  const hasHooks = hooks.preCommit !== undefined || hooks.postCommit !== undefined;
  return catchUp && file?.found.isIntact === true && !hasHooks;
}
