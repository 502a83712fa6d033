/**
 * Gives signs of life that only a working event pump can give. A timer asks the pump for a turn, and the pump itself
 * gives the sign at the end of one. So a process whose timers run while its pump stands still is noticed as well.
 */
export class Watchdog {
  private readonly giveSign: () => void;
  private isSignDue = false;

  /** @param giveSign tells whoever watches that all is well */
  constructor(giveSign: () => void) {
    this.giveSign = giveSign;
  }

  /** @param askForTurn makes the pump turn soon, although there may be nothing to do */
  start(intervalMs: number, askForTurn: () => void): void {
    setInterval(() => {
      this.isSignDue = true;
      askForTurn();
    }, intervalMs).unref();
  }

  /** The pump has carried out everything that there was to do. */
  turned(): void {
    if (!this.isSignDue) return;
    this.isSignDue = false;
    this.giveSign();
  }
}
