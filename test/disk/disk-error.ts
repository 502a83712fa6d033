/** An error as node:fs throws it for a failed system call: all that callers look at is the code. */
export class DiskError extends Error {
  readonly code: string;

  constructor(code: string, call: string) {
    super(`${call} failed: ${code}`);
    this.code = code;
  }
}
