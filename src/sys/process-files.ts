/** Whether the files are there in which Linux describes this process. */
import fs from "node:fs";
import { UserError } from "../base/user-error.ts";

/** The open descriptors: every entry of the tree is reached through one of them, so that no link can lead elsewhere. */
const DESCRIPTORS = "/proc/self/fd";

/**
 * Checks that /proc is mounted, and that it is the one of this process: in a chroot it may be missing, and in another
 * namespace of processes it may be that of others.
 *
 * @throws UserError
 */
export function checkProcessFiles(descriptors = DESCRIPTORS): void {
  if (fs.existsSync(descriptors)) return;
  throw new UserError(
    `${descriptors} is missing, through which files are opened: run 'mount -t proc proc /proc' in this root directory`,
  );
}
