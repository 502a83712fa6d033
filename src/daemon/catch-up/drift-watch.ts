/** Looks now and then whether the tree is still as it was published. */
import type { DiskThreads } from "../disk/disk-threads.ts";
import type { CatchUpKeeper } from "./catch-up-keeper.ts";

/** After a look that came to nothing, because a transfer was going on. */
const AGAIN_MS = 60_000;

/** The first look is at a random time within the interval, so that the hosts of a fleet do not all read their disks at once. */
export class DriftWatch {
  private readonly everyMs: number;
  private readonly keeper: Pick<CatchUpKeeper, "quietMark" | "looks" | "noteDrift">;
  private readonly disks: Pick<DiskThreads, "findDrift">;
  private timer: NodeJS.Timeout | undefined;

  /** @param everyMs between two looks; 0 for never */
  constructor(everyMs: number, keeper: DriftWatch["keeper"], disks: DriftWatch["disks"]) {
    this.everyMs = everyMs;
    this.keeper = keeper;
    this.disks = disks;
  }

  start(): void {
    if (this.everyMs > 0) this.plan(Math.random() * this.everyMs);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private plan(delayMs: number): void {
    this.timer = setTimeout(() => this.look(), delayMs).unref();
  }

  private look(): void {
    const { everyMs, keeper, disks } = this;
    const mark = keeper.quietMark;
    const soonMs = Math.min(AGAIN_MS, everyMs);
    if (mark === undefined) {
      this.plan(soonMs);
      return;
    }
    disks.findDrift(keeper.looks, (answer) => {
      // A change by a transfer may look like one by hand.
      const isValid = keeper.quietMark === mark;
      this.plan(isValid ? everyMs : soonMs);
      if (isValid) keeper.noteDrift(answer);
    });
  }
}
