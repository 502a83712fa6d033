/** What each thread may do, and keeping capabilities over a change of the user. */
import fs from "node:fs";
import { nativeFunction } from "./native.ts";

/**
 * Capabilities: the pieces of root's power, as bits of a number. They belong to threads, not to processes; see
 * capabilities(7).
 */

export const Capability = {
  chown: 1n << 0n,
  dacOverride: 1n << 1n,
  fowner: 1n << 3n,
  fsetid: 1n << 4n,
  mknod: 1n << 27n,
} as const;

/** What the kernel says about one thread of this process. */
export interface ThreadPrivileges {
  /** Real, effective, saved and file system ids. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  /** Further groups, in ascending order. */
  readonly groups: readonly number[];
  readonly permitted: bigint;
  readonly effective: bigint;
  /** What programs may inherit, if their files say so. */
  readonly inheritable: bigint;
  /** What every program inherits. */
  readonly ambient: bigint;
}

const PR_SET_KEEPCAPS = 8;
const CAPABILITY_VERSION = 0x20080522;
const THREADS = "/proc/self/task";

/**
 * From now on, or no longer, a change of the user leaves the calling thread its permitted capabilities.
 *
 * @returns whether that is so
 */
export function keepOverUserChange(keeps: boolean): boolean {
  const native = nativeFunction("int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)");
  return native?.(PR_SET_KEEPCAPS, keeps ? 1 : 0, 0, 0, 0) === 0;
}

/**
 * Gives the calling thread exactly these capabilities, permitted and effective; no program that it runs inherits any.
 *
 * @returns false where the thread did not have them all, or the call cannot be made
 */
export function setCapabilities(mask: bigint): boolean {
  const native = nativeFunction("int capset(void *, const void *)");
  const header = Buffer.alloc(8);
  header.writeUInt32LE(CAPABILITY_VERSION, 0);
  // The lower 32 capabilities, then the upper ones: of each effective, permitted, inheritable.
  const data = Buffer.alloc(24);
  [mask & 0xffff_ffffn, mask >> 32n].forEach((half, index) => {
    data.writeUInt32LE(Number(half), index * 12);
    data.writeUInt32LE(Number(half), index * 12 + 4);
  });
  return native?.(header, data) === 0;
}

/** What the main thread may do. */
export function ownPrivileges(): ThreadPrivileges {
  return parseStatus(fs.readFileSync("/proc/self/status", "latin1"));
}

/** What every thread of this process may do, the main one among them. */
export function privilegesOfThreads(): ThreadPrivileges[] {
  return fs.readdirSync(THREADS).flatMap((thread) => {
    try {
      return [parseStatus(fs.readFileSync(`${THREADS}/${thread}/status`, "latin1"))];
    } catch {
      // The thread has ended meanwhile.
      return [];
    }
  });
}

/** Reads the status file of a thread. */
export function parseStatus(text: string): ThreadPrivileges {
  const fields = new Map(
    text.split("\n").map((line) => [line.split(":")[0] ?? "", line.slice(line.indexOf(":") + 1).trim()]),
  );
  const numbers = (name: string) => (fields.get(name) ?? "").split(/\s+/).filter(Boolean).map(Number);
  const mask = (name: string) => BigInt(`0x${fields.get(name) ?? "0"}`);
  return {
    uids: numbers("Uid"),
    gids: numbers("Gid"),
    groups: numbers("Groups").sort((a, b) => a - b),
    permitted: mask("CapPrm"),
    effective: mask("CapEff"),
    inheritable: mask("CapInh"),
    ambient: mask("CapAmb"),
  };
}
