/** Paths that the sandbox of a service hides from it. */
import { UserError } from "../base/user-error.ts";
import { type Mount, mountOfPath } from "./mounts.ts";

/** The directories of ProtectHome=. */
const HOMES: readonly string[] = ["/home", "/root", "/run/user"];

/**
 * The line of the unit that shows a path again which the sandbox hides; undefined if it hides none.
 *
 * @param mounts those of this process
 */
export function lineThatShows(file: string, mounts?: Mount[]): string | undefined {
  const mount = mountOfPath(file, mounts);
  if (mount === undefined) return undefined;
  const isHome = HOMES.includes(mount.point);
  if (mount.root.includes("/systemd-private-")) return "PrivateTmp=no";
  if (/\/inaccessible\/(?:dir|reg)$/.test(mount.root))
    return isHome ? "ProtectHome=no" : "InaccessiblePaths=";
  return isHome && mount.fileSystem === "tmpfs" ? "ProtectHome=no" : undefined;
}

/** The error for a path that the sandbox hides; undefined if it does not. */
export function hiddenBySandbox(file: string): UserError | undefined {
  const line = lineThatShows(file);
  return line === undefined ? undefined : hiddenPath(file, line);
}

/**
 * The error for a hidden path.
 *
 * @param line of the unit that shows it
 */
export function hiddenPath(file: string, line: string): UserError {
  return new UserError(
    `${file} is hidden by the sandbox of the service: name another place, or write ${line} below [Service] in 'systemctl edit makuosan'`,
  );
}
