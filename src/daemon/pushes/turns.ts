/** Lets a few of them go at a time, the others in the order in which they came. */
import { ExitStatus, UserError } from "../../base/user-error.ts";

/** Most that wait for their turn. */
const WAITING = 256;

interface Waiter {
  readonly begin: () => void;
  readonly refuse: (error: UserError) => void;
}

function interrupted(): UserError {
  return new UserError("msync was interrupted before its turn had come", ExitStatus.interrupted);
}

/** Lets so many go at a time, the others in the order in which they came. */
export class Turns {
  private free: number;
  private readonly waiting = new Set<Waiter>();

  constructor(count: number) {
    this.free = count;
  }

  get waitingCount(): number {
    return this.waiting.size;
  }

  /**
   * Waits for a turn; whoever got one gives it back.
   *
   * @param signal ends the waiting when it is aborted
   * @throws UserError where too many wait, or the waiting was ended
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

  give(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.free++;
      return;
    }
    this.waiting.delete(next);
    next.begin();
  }

  /** Nobody who waits gets a turn any more. */
  refuseAll(error: UserError): void {
    for (const waiter of this.waiting) waiter.refuse(error);
    this.waiting.clear();
  }
}
