/** Drops the privileges of root; keeps those for setting owners if the settings ask for it. */
import { UserError } from "../../base/user-error.ts";
import {
  Capability,
  keepOverUserChange,
  ownPrivileges,
  privilegesOfThreads,
  setCapabilities,
  type ThreadPrivileges,
} from "../../sys/capabilities.ts";
import { emptyBoundingSet, forbidDumps } from "../../sys/process-hardening.ts";
import type { Identity } from "../settings/settings.ts";

/** Needed to set every owner and mode in every directory. */
const FOR_OWNERS = Capability.chown | Capability.dacOverride | Capability.fowner | Capability.fsetid;

/** Kept too if the process has it: not every service may make device nodes. */
const FOR_DEVICES = Capability.mknod;

/**
 * Becomes the user of the settings, for good. Runs before the disk threads are started: capabilities belong to threads, and
 * a thread that is there already would keep the ones that this thread drops.
 *
 * @param keepOwner whether owners of files have to be set although the user is not root
 * @returns whether owners of files can be set afterwards
 * @throws UserError if a thread has not the user, the groups and the capabilities that it should have
 */
export function dropPrivileges(identity: Identity | undefined, keepOwner: boolean): boolean {
  const isRoot = process.geteuid?.() === 0;
  const becomes = isRoot && identity !== undefined && identity.uid !== 0 ? identity : undefined;
  const kept = keepOwner ? wantedOf(ownPrivileges().permitted) : 0n;
  if (becomes !== undefined) becomeAnother(becomes, kept);
  else if (isRoot && identity !== undefined) become(identity);
  // Root keeps its power, and so do the programs that it runs.
  leaveToPrograms(isRoot && becomes === undefined ? ownPrivileges().permitted : kept);
  // A change of the user has undone this.
  forbidDumps();
  return (isRoot && becomes === undefined) || kept !== 0n;
}

/** Stops being root for good, and keeps these capabilities. */
function becomeAnother(identity: Identity, kept: bigint): void {
  // As long as it is allowed: it takes the power of root.
  emptyBoundingSet();
  if (kept !== 0n) keepOverUserChange(true);
  become(identity);
  // Also of the permitted capabilities only these: a permitted one could be taken up again.
  if (kept !== 0n && !setCapabilities(kept)) throw cannotKeep();
  if (kept !== 0n) keepOverUserChange(false);
  const objection = objectionTo(privilegesOfThreads(), identity, kept);
  if (objection !== undefined) throw incomplete(objection);
}

/**
 * Has these capabilities and no others from now on, and none that a program would inherit. Threads that are started from
 * now on are the same.
 *
 * @throws UserError if a program would inherit one
 */
function leaveToPrograms(kept: bigint): void {
  const { permitted, inheritable, ambient } = ownPrivileges();
  if (permitted === kept && (inheritable | ambient) === 0n) return;
  if (setCapabilities(kept)) return;
  if (ambient !== 0n) throw inherited();
}

/**
 * The capabilities that are kept, of those that the process has.
 *
 * @throws UserError if they are not enough to set owners
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
 * Says what is wrong with the threads of a process that should have become a user with these capabilities and no others.
 * The first thread is the main one. The others may have less: they touch no file.
 *
 * @returns the end of a sentence; undefined if all threads are as they should be
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

function inherited(): UserError {
  return new UserError(
    "the programs that makuosan runs would inherit its capabilities, because the FFI library cannot be loaded: " +
      "start it without AmbientCapabilities=",
  );
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
