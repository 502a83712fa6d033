/** The error of a failed system call, like that of node:fs: callers only look at the code. */
export class DiskError extends Error {
  readonly code: string;

  constructor(code: string, call: string) {
    super(`${call} failed: ${code}`);
    this.code = code;
  }
}
