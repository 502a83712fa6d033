/** Rights that a process gives up for good: dumps of its memory, privileges by programs, inheritance by programs. */
import { nativeFunction } from "./native.ts";

const PR_SET_DUMPABLE = 4;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_GET_NO_NEW_PRIVS = 39;
const RLIMIT_CORE = 4;
const SIG_UNBLOCK = 1;

/** The kernel numbers signals from 1; this is the same on every architecture that the program is built for. */
const SIGUSR1 = 10;

/** Capability numbers are below this: the kernel keeps them in 64 bits. */
const CAPABILITY_BITS = 64;

/**
 * Keeps the memory of this process, and with it the key, from other processes of the same user and from core dumps. The
 * files of the process below /proc then belong to root; the process itself can use them as before. A change of the
 * user resets this, so it is called again after one.
 *
 * @returns false if the FFI library cannot be loaded, or the kernel refuses
 */
export function forbidDumps(): boolean {
  const isSet = control(PR_SET_DUMPABLE, 0);
  // Two 64-bit numbers: the soft and the hard limit, both 0.
  const setLimit = nativeFunction("int setrlimit(int, const void *)");
  return setLimit?.(RLIMIT_CORE, Buffer.alloc(16)) === 0 && isSet;
}

/**
 * From now on no program that the calling thread starts gets more rights than the thread has, by a set-user-ID bit or by
 * capabilities of its file. Threads that it starts from now on inherit this.
 *
 * @returns whether this is new; false if it was so before, or the FFI library cannot be loaded
 */
export function forbidNewPrivileges(): boolean {
  // The question is answered with 0 or 1, so 0 is no.
  return control(PR_GET_NO_NEW_PRIVS, 0) && control(PR_SET_NO_NEW_PRIVS, 1);
}

/**
 * Empties the bounding set of the calling thread: no program that it starts can get any capability.
 *
 * @returns false if something is left, because the thread lacks CAP_SETPCAP or the FFI library cannot be loaded
 */
export function emptyBoundingSet(): boolean {
  if (!control(PR_CAPBSET_DROP, 0)) return false;
  // The kernel refuses the first number that it does not know.
  for (let bit = 1; bit < CAPABILITY_BITS && control(PR_CAPBSET_DROP, bit); bit++);
  return true;
}

/**
 * Lets SIGUSR1 reach the calling thread. Node blocks it in every thread at the start. One that came before waits until
 * now, so its listener is added first.
 */
export function unblockUserSignal(): void {
  const set = Buffer.alloc(128);
  set.writeUInt8(1 << ((SIGUSR1 - 1) % 8), Math.floor((SIGUSR1 - 1) / 8));
  nativeFunction("int sigprocmask(int, const void *, void *)")?.(SIG_UNBLOCK, set, null);
}

function control(option: number, value: number): boolean {
  const prctl = nativeFunction("int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)");
  return prctl?.(option, value, 0, 0, 0) === 0;
}
