/** Signs of life that only a turning event pump gives. */

/**
 * Gives signs of life that only a working event pump can give. A timer asks the pump for a turn, and the pump itself
 * gives the sign at the end of one. So a process whose timers run while its pump stands still is noticed as well.
 */
export class Watchdog {
  private readonly giveSign: () => void;
  private isSignDue = false;

  /** @param giveSign sends one sign of life */
  constructor(giveSign: () => void) {
    this.giveSign = giveSign;
  }

  /** @param askForTurn makes the pump turn soon, even if there is nothing to do */
  start(intervalMs: number, askForTurn: () => void): void {
    setInterval(() => {
      this.isSignDue = true;
      askForTurn();
    }, intervalMs).unref();
  }

  /** The pump has ended a turn. */
  turned(): void {
    if (!this.isSignDue) return;
    this.isSignDue = false;
    this.giveSign();
  }
}
