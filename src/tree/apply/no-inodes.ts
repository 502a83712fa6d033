/** Tells a file system without inodes from one without space: the kernel has one error for both. */
import type { Reason } from "../../base/reason.ts";
import type { ReasonCode } from "../../base/reason-catalogue.ts";
import type { Directories } from "../disk/directories.ts";

/** The exact reason; it must be asked for before anything is removed, which gives inodes back. */
export function exactReason(why: Reason, base: Directories): Reason {
  return why.code === "ENOSPC" && hasNoInodes(base) ? { ...why, code: "no-inodes" } : why;
}

/** The same for an error: it gets the other code, and keeps its path. */
export function exactError(error: unknown, base: Directories): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOSPC" || !hasNoInodes(base)) return error;
  const code: ReasonCode = "no-inodes";
  return Object.assign(error as Error, { code });
}

function hasNoInodes({ disk, root }: Directories): boolean {
  return disk.fileSystemOf(root).freeInodes === 0;
}
