/** Lets requests wait for members. */
import type { NodeEvent } from "../../engine/types.ts";

/** Between two looks where nothing has happened that calls for one: members that were known before may have answered. */
const LOOK_MS = 50;

/**
 * After a look, a request waits so many times as long as the look took. The usual look takes a few microseconds. One at a
 * thousand patterns and thousands of members takes many milliseconds, in which the daemon does nothing else.
 */
const REST_FACTOR = 200;

/** Requests that wait until there are enough members. */
export class Arrivals {
  /** Each looks whether its request has waited long enough. */
  private readonly looks = new Set<() => void>();

  /** Something has happened to the node: if its members have changed, everybody who waits looks again. */
  onEvent(event: Pick<NodeEvent, "kind">): void {
    if (event.kind !== "member-joined" && event.kind !== "member-left") return;
    for (const look of this.looks) look();
  }

  /**
   * Waits until there are enough members.
   *
   * @param isEnough called now and after each change
   * @param mostMs how long it waits
   * @param signal ends the waiting if it is aborted
   * @returns whether there are enough now
   */
  wait(isEnough: () => boolean, mostMs: number, signal: AbortSignal): Promise<boolean> {
    if (isEnough()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (result: boolean) => {
        clearTimeout(timer);
        clearInterval(repeated);
        signal.removeEventListener("abort", giveUp);
        this.looks.delete(look);
        resolve(result);
      };
      const giveUp = () => end(false);
      let restUntilMs = 0;
      const look = () => {
        const beganMs = performance.now();
        if (beganMs < restUntilMs) return;
        if (isEnough()) end(true);
        const endedMs = performance.now();
        restUntilMs = endedMs + REST_FACTOR * (endedMs - beganMs);
      };
      const timer = setTimeout(giveUp, mostMs);
      const repeated = setInterval(look, LOOK_MS);
      signal.addEventListener("abort", giveUp);
      this.looks.add(look);
      if (signal.aborted) end(false);
    });
  }
}
