/** Lets a few transfers run at a time, and the others in the order in which they came. */
import { ExitStatus, UserError } from "../../base/user-error.ts";

/** Most transfers that wait: more than any script starts at once, and each holds its request in memory. */
const WAITING = 256;

interface Waiter {
  readonly begin: () => void;
  readonly refuse: (error: UserError) => void;
}

function interrupted(): UserError {
  return new UserError("msync was interrupted before its turn had come", ExitStatus.interrupted);
}

/** Gives out a number of turns. When all are taken, requests wait in the order in which they came. */
export class Turns {
  /** Negative after a change to fewer turns, until as many have been given back. */
  private free: number;
  private count: number;
  private readonly waiting = new Set<Waiter>();

  /** @param count how many turns there are */
  constructor(count: number) {
    this.free = count;
    this.count = count;
  }

  /** Gives out another number of turns from now on; those that are taken stay taken. */
  change(count: number): void {
    this.free += count - this.count;
    this.count = count;
    while (this.free > 0 && this.beginNext()) this.free--;
  }

  /** Requests that wait. */
  get waitingCount(): number {
    return this.waiting.size;
  }

  /**
   * Waits for a turn. The caller gives it back with give().
   *
   * @param signal ends the waiting if it is aborted
   * @throws UserError if too many wait already, or the waiting was ended
   */
  async take(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw interrupted();
    if (this.free > 0) {
      this.free--;
      return;
    }
    if (this.waiting.size >= WAITING) {
      throw new UserError(
        `${WAITING} transfers are waiting already: try again later`,
        ExitStatus.unreachable,
      );
    }
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = { begin: resolve, refuse: reject };
      this.waiting.add(waiter);
      signal.addEventListener("abort", () => {
        if (this.waiting.delete(waiter)) reject(interrupted());
      });
    });
  }

  /** Gives a turn back: to the request that has waited longest, if there is one. */
  give(): void {
    this.free++;
    if (this.free > 0 && this.beginNext()) this.free--;
  }

  /** Lets the request begin that has waited longest; false if none waits. */
  private beginNext(): boolean {
    const [next] = this.waiting;
    if (next === undefined) return false;
    this.waiting.delete(next);
    next.begin();
    return true;
  }

  /** Refuses all requests that wait. */
  refuseAll(error: UserError): void {
    for (const waiter of this.waiting) waiter.refuse(error);
    this.waiting.clear();
  }
}
