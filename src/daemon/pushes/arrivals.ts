/** Somebody waits until enough members are there. */
interface Waiter {
  /** Ends the waiting if there are enough now. */
  readonly look: () => void;
}

/** Lets requests wait for members; whoever learns of a change among them says so by changed(). */
export class Arrivals {
  private readonly waiters = new Set<Waiter>();

  /** The members have changed. */
  changed(): void {
    for (const waiter of this.waiters) waiter.look();
  }

  /**
   * Waits until there are enough.
   *
   * @param isEnough looked at now and at each change
   * @param signal ends the waiting when it is aborted
   * @returns whether there are enough now
   */
  wait(isEnough: () => boolean, mostMs: number, signal: AbortSignal): Promise<boolean> {
    if (isEnough()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (result: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
        this.waiters.delete(waiter);
        resolve(result);
      };
      const giveUp = () => end(false);
      const waiter: Waiter = {
        look: () => {
          if (isEnough()) end(true);
        },
      };
      const timer = setTimeout(giveUp, mostMs);
      signal.addEventListener("abort", giveUp);
      this.waiters.add(waiter);
      if (signal.aborted) end(false);
    });
  }
}
