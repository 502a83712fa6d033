/** The gaps of an incoming transfer: missing fragments, and since when they are missing. */
import { Deadline } from "../../base/deadline.ts";
import type { Assembly } from "./assembly.ts";
import type { Pace } from "./pace.ts";

/**
 * Missing fragments, and since when they are missing (PROTOCOL.md 5.3). A gap below the newest block is worth a
 * report only when it has lasted for a while: the network may only have changed the order, and with many members
 * others have asked for most of it by then.
 */
export class Gaps {
  private readonly assembly: Assembly;
  private readonly pace: Pace;
  /** Gaps in blocks below this number have lasted for a while. */
  private agedBelow = 0;
  /** Two looks at all blocks heard of when the look was planned: younger gaps have to wait for the next look. */
  private readonly first = { due: new Deadline(), end: 0 };
  private readonly repeat = { due: new Deadline(), end: 0 };

  constructor(assembly: Assembly, pace: Pace) {
    this.assembly = assembly;
    this.pace = pace;
  }

  /** When it looks at the gaps again, in milliseconds. */
  get nextLookMs(): number {
    return Math.min(this.first.due.atMs, this.repeat.due.atMs);
  }

  /** Fragments have arrived: plans a look if they leave a gap. */
  noteFragments(nowMs: number): void {
    if (!this.assembly.hasGap || this.first.due.isSet) return;
    // The newest block may just be arriving.
    this.first.end = this.assembly.seenBlocks - 1;
    this.first.due.set(nowMs + this.pace.gapDelayMs());
  }

  /** The gaps were reported: plans to report them again. */
  noteReported(nowMs: number): void {
    this.repeat.end = this.assembly.seenBlocks;
    this.repeat.due.set(nowMs + this.pace.gapRepeatMs);
  }

  /** Blocks below a number are no longer just arriving, whatever their age. */
  age(end: number): void {
    this.agedBelow = Math.max(this.agedBelow, end);
  }

  /** Looks at the gaps if a look is due; true if one of them has lasted for a while. */
  tick(nowMs: number): boolean {
    let hasLooked = false;
    for (const look of [this.first, this.repeat]) {
      if (!look.due.take(nowMs)) continue;
      this.age(look.end);
      hasLooked = true;
    }
    return hasLooked && this.assembly.hasGapBelow(this.agedBelow);
  }

  /** The transfer has come to its end. */
  stop(): void {
    this.first.due.clear();
    this.repeat.due.clear();
  }

  /** The gaps for a report. With many members, young ones are left out: others have asked for most of them. */
  missing(): ReturnType<Assembly["missingBelow"]> {
    return this.assembly.missingBelow(this.pace.spreadMs === 0 ? Infinity : this.agedBelow);
  }
}
