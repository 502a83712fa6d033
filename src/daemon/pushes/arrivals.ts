/** Lets requests wait for members. */
import type { NodeEvent } from "../../engine/types.ts";

/** Between two looks where nothing has happened that calls for one: members that were known before may have answered. */
const LOOK_MS = 50;

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
      const look = () => {
        if (isEnough()) end(true);
      };
      const timer = setTimeout(giveUp, mostMs);
      const repeated = setInterval(look, LOOK_MS);
      signal.addEventListener("abort", giveUp);
      this.looks.add(look);
      if (signal.aborted) end(false);
    });
  }
}
