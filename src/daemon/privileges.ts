import { assert } from "../base/assert.ts";
import type { Identity } from "./settings.ts";

/**
 * Becomes the user of the config, for good. Runs before any thread is started, so that no thread keeps what this
 * one gives up.
 *
 * @returns whether owners of files can be set afterwards
 */
export function dropPrivileges(identity: Identity | undefined): boolean {
  if (identity !== undefined && process.geteuid?.() === 0) {
    process.setgroups?.([...identity.groups]);
    process.setgid?.(identity.gid);
    process.setuid?.(identity.uid);
    assert(
      process.geteuid?.() === identity.uid && process.getuid?.() === identity.uid,
      "the user is the wanted one",
    );
    assert(
      process.getegid?.() === identity.gid && process.getgid?.() === identity.gid,
      "and so is the group",
    );
  }
  return process.geteuid?.() === 0;
}
