/** Gives up root, but for what setting owners needs where that is asked for. */
import { UserError } from "../../base/user-error.ts";
import {
  Capability,
  keepOverUserChange,
  ownPrivileges,
  privilegesOfThreads,
  setCapabilities,
  type ThreadPrivileges,
} from "../../sys/capabilities.ts";
import type { Identity } from "../settings/settings.ts";

/** Without these, not every owner and mode can be set in every directory. */
const FOR_OWNERS = Capability.chown | Capability.dacOverride | Capability.fowner | Capability.fsetid;

/** Kept as well where it is there: not every service may make device nodes. */
const FOR_DEVICES = Capability.mknod;

/**
 * Becomes the user of the config, for good. Runs before any thread is started that touches files: capabilities belong
 * to threads, and one that is there already would keep what this one gives up, or lose what this one keeps.
 *
 * @param keepOwner whether owners of files have to be kept also by a user who is not root
 * @returns whether owners of files can be set afterwards
 * @throws UserError where not every thread is what it should be
 */
export function dropPrivileges(identity: Identity | undefined, keepOwner: boolean): boolean {
  const isRoot = process.geteuid?.() === 0;
  const becomes = isRoot && identity !== undefined && identity.uid !== 0 ? identity : undefined;
  const kept = keepOwner ? wantedOf(ownPrivileges().permitted) : 0n;
  if (becomes !== undefined) {
    if (kept !== 0n) keepOverUserChange(true);
    become(becomes);
    // Of what is still permitted only this, so that nothing else could be taken up again.
    if (kept !== 0n && !setCapabilities(kept)) throw cannotKeep();
    if (kept !== 0n) keepOverUserChange(false);
    const objection = objectionTo(privilegesOfThreads(), becomes, kept);
    if (objection !== undefined) throw incomplete(objection);
    return kept !== 0n;
  }
  if (isRoot && identity !== undefined) become(identity);
  return isRoot || kept !== 0n;
}

/**
 * What is to be kept of what a process has.
 *
 * @throws UserError where that is not enough to set owners
 */
function wantedOf(permitted: bigint): bigint {
  if ((permitted & FOR_OWNERS) === FOR_OWNERS) return permitted & (FOR_OWNERS | FOR_DEVICES);
  throw new UserError(
    "owners cannot be kept, because makuosan has not the capabilities for it: start it as root, " +
      "or with those of the example keep-owner.conf, or set keep-owner = no",
  );
}

function become({ uid, gid, groups }: Identity): void {
  process.setgroups?.([...groups]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

/**
 * What is wrong with the threads of a process that should have become somebody with these capabilities and no other.
 * The first thread is the main one. The others may have less: they touch no file.
 */
export function objectionTo(
  threads: readonly ThreadPrivileges[],
  { uid, gid, groups }: Identity,
  kept: bigint,
): string | undefined {
  const [main] = threads;
  if (main?.permitted !== kept || main.effective !== kept) return "the capabilities are not those wanted";
  // The kernel may list the group itself among the further ones, or list one of them once only.
  const isOwnGroup = (one: number) => one === gid || groups.includes(one);
  for (const thread of threads) {
    if (thread.uids.some((one) => one !== uid)) return `a thread is still user ${thread.uids.join(", ")}`;
    if (thread.gids.some((one) => one !== gid)) return `a thread is still group ${thread.gids.join(", ")}`;
    if (!thread.groups.every(isOwnGroup))
      return `a thread is still in the groups ${thread.groups.join(", ")}`;
    if (((thread.permitted | thread.effective) & ~kept) !== 0n)
      return "a thread has more capabilities than wanted";
  }
  return undefined;
}

function cannotKeep(): UserError {
  return new UserError(
    "owners cannot be kept as another user, because the FFI library cannot be loaded or the kernel refuses: " +
      "set keep-owner = no, or leave out user so that makuosan stays root",
  );
}

function incomplete(objection: string): UserError {
  return new UserError(
    `makuosan could not become its user entirely (${objection}): start it without special capabilities and securebits`,
  );
}
