/** Errors of system calls, with the codes that node:fs gives them. */
import util from "node:util";

/** An error of a system call, with the code that node:fs would give it, such as ENOENT. */
export function systemError(call: string, errno: number): NodeJS.ErrnoException {
  const code = util.getSystemErrorName(-errno);
  return Object.assign(new Error(`${call} failed: ${code}`), { code, errno: -errno, syscall: call });
}

/** The code of a failed system call, such as ENOENT; rethrows errors that have none. */
export function errorCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (typeof code !== "string") throw error;
  return code;
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
