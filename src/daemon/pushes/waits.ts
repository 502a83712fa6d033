/** What a push waits for, as events for msync. */
import type { Event } from "../../console/protocol.ts";
import type { TransferSender } from "../../engine/sender/transfer-sender.ts";

/** After so many seconds without any progress of a host that is waited for, it is named; then again at longer intervals. */
const NAMED_AFTER_SECONDS = [5, 20, 60, 120, 240];

/** A push that waits for others for less than this says nothing of it. */
export const WAIT_MS = 1_000;

/** Looks at what one push waits for, and tells of it when there is something new. */
export class Waits {
  private readonly nameOf: (epoch: string | undefined) => string;
  /** How often each host has been named since it last made progress. */
  private readonly named = new Map<string | undefined, { sinceMs: number; count: number }>();
  private waitingSinceMs: number | undefined;
  private toldPushes = 0;

  /** @param nameOf the name by which people see a member, or this host */
  constructor(nameOf: (epoch: string | undefined) => string) {
    this.nameOf = nameOf;
  }

  /** @returns what is to be said now */
  look({ ahead, delays }: Pick<TransferSender, "ahead" | "delays">, nowMs: number): Event[] {
    const events: Event[] = [];
    this.waitingSinceMs = ahead === 0 ? undefined : (this.waitingSinceMs ?? nowMs);
    const hasWaited = this.waitingSinceMs !== undefined && nowMs - this.waitingSinceMs >= WAIT_MS;
    // Fewer each time that it is said.
    if (hasWaited && (this.toldPushes === 0 || ahead <= this.toldPushes / 2)) {
      this.toldPushes = ahead;
      events.push({ event: "waiting", pushes: ahead });
    }
    for (const { epoch, doing, sinceMs } of delays) {
      const seconds = Math.floor((nowMs - sinceMs) / 1000);
      if (this.isToBeNamed(epoch, sinceMs, seconds))
        events.push({ event: "slow", host: this.nameOf(epoch), doing, seconds });
    }
    return events;
  }

  private isToBeNamed(epoch: string | undefined, sinceMs: number, seconds: number): boolean {
    const known = this.named.get(epoch);
    const named = known?.sinceMs === sinceMs ? known : { sinceMs, count: 0 };
    this.named.set(epoch, named);
    if (seconds < (NAMED_AFTER_SECONDS[named.count] ?? Infinity)) return false;
    named.count++;
    return true;
  }
}
