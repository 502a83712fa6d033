/** Looks now and then whether the tree is still as it was published. */
import type { DriftAnswer, DriftLook } from "../disk/messages.ts";

/** After a look that came to nothing, because a transfer was going on. */
const AGAIN_MS = 60_000;

/** The surroundings of the watch. */
export interface DriftWatchParts {
  /** Between two looks; 0 for never. */
  readonly everyMs: number;
  /** A number that changes with each transfer that begins or ends; undefined while one is going on. */
  readonly quietMark: () => number | undefined;
  readonly looks: () => readonly DriftLook[];
  readonly find: (looks: readonly DriftLook[], onAnswer: (answer: DriftAnswer) => void) => void;
  readonly onAnswer: (answer: DriftAnswer) => void;
}

/** The first look is at a random time within the interval, so that the hosts of a fleet do not all read their disks at once. */
export class DriftWatch {
  private readonly parts: DriftWatchParts;
  private timer: NodeJS.Timeout | undefined;

  constructor(parts: DriftWatchParts) {
    this.parts = parts;
  }

  start(): void {
    const { everyMs } = this.parts;
    if (everyMs > 0) this.plan(Math.random() * everyMs);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private plan(delayMs: number): void {
    this.timer = setTimeout(() => this.look(), delayMs).unref();
  }

  private look(): void {
    const { everyMs, quietMark, looks, find, onAnswer } = this.parts;
    const mark = quietMark();
    if (mark === undefined) {
      this.plan(Math.min(AGAIN_MS, everyMs));
      return;
    }
    find(looks(), (answer) => {
      // What a transfer has changed meanwhile may look like a change by hand.
      const isValid = quietMark() === mark;
      this.plan(isValid ? everyMs : Math.min(AGAIN_MS, everyMs));
      if (isValid) onAnswer(answer);
    });
  }
}
