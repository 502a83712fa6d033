/** Exit statuses of both commands, in one table; msync(1) lists the same. */
export const ExitStatus = {
  ok: 0,
  usage: 1,
  unreachable: 2,
  partial: 3,
  noMembers: 4,
  difference: 5,
  aborted: 6,
  /** A shell reports this number for a command that Ctrl-C ended. */
  interrupted: 130,
} as const;

/**
 * The exit status of a daemon under a service manager if only an administrator can help. systemd calls it CONFIGURATION
 * and does not restart the service (RestartPreventExitStatus= of the unit).
 */
export const MISCONFIGURED = 78;

export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];

/**
 * An error that an operator can fix. The message is one sentence that says what is wrong and how to fix it.
 * It is shown after "error: ", and nothing else is shown.
 */
export class UserError extends Error {
  override name = "UserError";
  readonly exitStatus: ExitStatus;

  constructor(message: string, exitStatus: ExitStatus = ExitStatus.usage) {
    super(message);
    this.exitStatus = exitStatus;
  }
}
