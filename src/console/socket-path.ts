/** The path of the control socket, as targets of msync name it. */
import fs from "node:fs";
import { bytesOfText } from "../base/display.ts";
import { UserError } from "../base/user-error.ts";

/** Linux has so many bytes for the path of a socket: sockaddr_un has 108, and the last one ends it. */
const PATH_BYTES = 107;

/**
 * Reads a target such as "unix:/run/makuosan/makuosan.sock"; the path alone will do.
 *
 * @throws UserError for a target that names no socket
 */
export function socketPathOf(target: string): string {
  const isNamed = target.startsWith("unix:");
  const path = isNamed ? target.slice("unix:".length) : target;
  if (!path.includes("/") && !(isNamed && path !== "")) throw noSocket(target);
  checkSocketPath(path);
  return path;
}

/** @throws UserError for a path that is too long for a socket: the kernel would take its beginning, or say only EINVAL */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= PATH_BYTES) return;
  throw new UserError(
    `the path of a socket can have ${PATH_BYTES} bytes, and ${bytesOfText(path)} has ${bytes}: choose a shorter one`,
  );
}

function noSocket(target: string): UserError {
  const mend = fs.existsSync(target)
    ? `give unix:${bytesOfText(target)}`
    : isNetworkTarget(target)
      ? "there is no console on the network any more, run msync on that host, for example over ssh"
      : "give unix:PATH";
  return new UserError(`the target '${bytesOfText(target)}' names no control socket: ${mend}`);
}

/** Whether a target is one of versions before 2, such as "tcp:10.0.0.1:5000" or "10.0.0.1". */
function isNetworkTarget(target: string): boolean {
  return /^tcp:/i.test(target) || /^[\w.-]+(:\d+)?$/.test(target);
}
