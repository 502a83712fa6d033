/** The times at which publications take effect on this host, in their order also if its clock is set back. */
import type { Kept } from "../../engine/catch-up/publication-log.ts";

/** A clock that is set right goes back by less. One that goes back further has the daemon started again (`clock-watch.ts`). */
export const SET_BACK_MS = 60_000;

export class EffectTimes {
  private lastMs = 0;

  /**
   * Something has taken effect before, as the log of an earlier run says.
   *
   * @param unloggedMs when the last push did that is not in it
   */
  noteLog(all: readonly Kept[], unloggedMs = 0): void {
    this.lastMs = Math.max(this.lastMs, unloggedMs);
    // Times that a wrong clock has told have no lists any more.
    for (const { here } of all) if (here.list !== "") this.lastMs = Math.max(this.lastMs, here.atMs ?? 0);
  }

  /** The time of the next one, in milliseconds since 1970: later than all before it. */
  next(): number {
    this.lastMs = Math.max(Date.now(), this.lastMs + 1);
    return this.lastMs;
  }
}
