/** Ctrl-C. */
import { ExitStatus } from "../base/user-error.ts";

/** The first Ctrl-C asks for the end of what is going on, the second one ends msync at once. */
export class Interrupt {
  happened = false;
  /** Called at the first Ctrl-C. */
  onHappened: () => void;

  constructor(onHappened: () => void) {
    this.onHappened = onHappened;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (this.happened) process.exit(ExitStatus.interrupted);
        this.happened = true;
        this.onHappened();
      });
    }
  }
}
