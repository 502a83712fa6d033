/** Errors of system calls, with the codes that node:fs gives them. */
import os from "node:os";
import util from "node:util";

/**
 * What Node calls an error that libuv has no name for, such as that of a quota that is used up: and how it depends on
 * the call.
 */
const UNKNOWN = /^(UNKNOWN|Unknown system error -[0-9]+)$/;

/** The names of errors by their numbers; also of one that a damaged file system gives, which Node does not know at all. */
const NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(os.constants.errno).map(([name, errno]) => [errno, name] as const),
  [117, "EUCLEAN"],
]);

/** The name of an error that Node does not name. */
function named(code: string, errno: number): string {
  return UNKNOWN.test(code) ? (NAMES.get(Math.abs(errno)) ?? code) : code;
}

/** An error of a system call, with the code that node:fs would give it, such as ENOENT. */
export function systemError(call: string, errno: number): NodeJS.ErrnoException {
  const code = named(util.getSystemErrorName(-errno), errno);
  return Object.assign(new Error(`${call} failed: ${code}`), { code, errno: -errno, syscall: call });
}

/** The code of a failed system call, such as ENOENT, or EDQUOT, which Node does not name; rethrows errors that have none. */
export function errorCode(error: unknown): string {
  const { code, errno = 0 } = (error ?? {}) as NodeJS.ErrnoException;
  if (typeof code !== "string") throw error;
  return named(code, errno);
}

/** The result of calls to the system, or something else if one of them fails; rethrows errors that have no code. */
export function orElse<T>(other: T, look: () => T): T {
  try {
    return look();
  } catch (error) {
    errorCode(error);
    return other;
  }
}
