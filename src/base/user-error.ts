/** Exit statuses of both commands, in one table; msync(1) lists the same. */
export const ExitStatus = {
  ok: 0,
  usage: 1,
  unreachable: 2,
  partial: 3,
  noMembers: 4,
  difference: 5,
  aborted: 6,
  /** What a shell gives for a command that was ended by Ctrl-C. */
  interrupted: 130,
} as const;

/**
 * What a daemon ends with under a service manager when only an administrator can help: systemd calls it CONFIGURATION and
 * does not restart the service (RestartPreventExitStatus= of the unit).
 */
export const MISCONFIGURED = 78;

export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];

/**
 * Something that an operator can fix. The message is one sentence that says what is wrong and how to fix it;
 * it is shown after "error: ", and nothing else is shown.
 */
export class UserError extends Error {
  override name = "UserError";
  readonly exitStatus: ExitStatus;

  constructor(message: string, exitStatus: ExitStatus = ExitStatus.usage) {
    super(message);
    this.exitStatus = exitStatus;
  }
}
