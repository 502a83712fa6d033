import util from "node:util";

/** An error of a system call with the code that node:fs would give it, such as ENOENT. */
export function systemError(call: string, errno: number): NodeJS.ErrnoException {
  const code = util.getSystemErrorName(-errno);
  return Object.assign(new Error(`${call} failed: ${code}`), { code, errno: -errno, syscall: call });
}
