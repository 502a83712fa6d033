/** Ctrl-C, and the signal that asks a program to end. */
import { ExitStatus, UserError } from "../base/user-error.ts";
import type { ConsoleClient } from "../console/client.ts";

/** A daemon that is well answers within this time that a push is given up. */
const PATIENCE_MS = 1_000;

/**
 * The first signal asks for the end of what is going on: a question ends at once, a push when the daemon says what has
 * become of it, or after a second without that. The second signal ends msync at once.
 */
export class Interrupt {
  happened = false;
  /** Called at the first signal, too. */
  onHappened: () => void = () => undefined;
  /** Whether the daemon was asked to give up a push. */
  wasCancelled = false;
  private client: ConsoleClient;

  constructor(client: ConsoleClient) {
    this.client = client;
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => this.happen());
  }

  /** From now on it is about another connection. */
  follow(client: ConsoleClient): void {
    this.client = client;
  }

  private happen(): void {
    if (this.happened) process.exit(ExitStatus.interrupted);
    this.happened = true;
    this.onHappened();
    if (!this.client.isCancellable) {
      this.client.abandon(interrupted("the daemon answered: repeat the command"));
      return;
    }
    this.wasCancelled = true;
    this.client.cancel();
    const end = () =>
      this.client.abandon(
        interrupted("the daemon gave the result: see 'msync --history' when it answers again"),
      );
    setTimeout(end, PATIENCE_MS).unref();
  }
}

function interrupted(before: string): UserError {
  return new UserError(`msync was interrupted before ${before}`, ExitStatus.interrupted);
}
