/** The privileges of each thread, and keeping capabilities over a change of the user. */
import fs from "node:fs";
import { nativeFunction } from "./native.ts";

/**
 * Capabilities: the parts of root's power, as bits of a number. They belong to threads, not to processes; see
 * capabilities(7).
 */

export const Capability = {
  chown: 1n << 0n,
  dacOverride: 1n << 1n,
  fowner: 1n << 3n,
  fsetid: 1n << 4n,
  mknod: 1n << 27n,
} as const;

/** The kernel's answer on one thread of this process. */
export interface ThreadPrivileges {
  /** Real, effective, saved and file system ids. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  /** Supplementary groups, in ascending order. */
  readonly groups: readonly number[];
  readonly permitted: bigint;
  readonly effective: bigint;
  /** The capabilities that programs inherit if their files say so. */
  readonly inheritable: bigint;
  /** The capabilities that every program inherits. */
  readonly ambient: bigint;
}

// Numbers of the kernel's interface; the version is that of capabilities in two halves of 32 bits.
const PR_SET_KEEPCAPS = 8;
const CAPABILITY_VERSION = 0x20080522;
const THREADS = "/proc/self/task";

/**
 * Sets whether the calling thread keeps its permitted capabilities when it changes its user.
 *
 * @returns whether it was set
 */
export function keepOverUserChange(keeps: boolean): boolean {
  const native = nativeFunction("int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)");
  return native?.(PR_SET_KEEPCAPS, keeps ? 1 : 0, 0, 0, 0) === 0;
}

/**
 * Gives the calling thread exactly these capabilities, permitted and effective. Programs that it runs inherit none.
 *
 * @returns false if the thread did not have them all, or if the call is not available
 */
export function setCapabilities(mask: bigint): boolean {
  const native = nativeFunction("int capset(void *, const void *)");
  const header = Buffer.alloc(8);
  header.writeUInt32LE(CAPABILITY_VERSION, 0);
  // The lower 32 capabilities, then the upper 32, each as effective, permitted, inheritable.
  const data = Buffer.alloc(24);
  [mask & 0xffff_ffffn, mask >> 32n].forEach((half, index) => {
    data.writeUInt32LE(Number(half), index * 12);
    data.writeUInt32LE(Number(half), index * 12 + 4);
  });
  return native?.(header, data) === 0;
}

/** The privileges of the main thread. */
export function ownPrivileges(): ThreadPrivileges {
  return parseStatus(fs.readFileSync("/proc/self/status", "latin1"));
}

/** The privileges of every thread of this process, including the main thread. */
export function privilegesOfThreads(): ThreadPrivileges[] {
  return fs.readdirSync(THREADS).flatMap((thread) => {
    try {
      return [parseStatus(fs.readFileSync(`${THREADS}/${thread}/status`, "latin1"))];
    } catch {
      // The thread has ended since it was listed.
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
