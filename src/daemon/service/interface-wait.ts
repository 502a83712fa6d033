/** Waits for an interface that is not up yet. */
import { UserError } from "../../base/user-error.ts";
import { type ChosenInterface, chooseInterface } from "../../net/interfaces.ts";

/** Between two looks: a quarter of a second more is not felt at boot, and a look costs under a millisecond. */
const LOOK_MS = 250;

/** An obstacle that may go away by itself, so that a later start may succeed. */
export class NotYetError extends UserError {}

/**
 * Finds the interface. If it is not up yet, waits for it: at boot, a service may start before the network.
 *
 * @param wanted the interface as the settings name it; undefined for the preferred one
 * @param group the multicast group
 * @param patienceMs how long it may take to come
 * @param onWaiting called once with the sentence that says what is missing
 * @throws NotYetError if it does not come in this time
 */
export async function awaitInterface(
  wanted: string | undefined,
  group: string,
  patienceMs: number,
  onWaiting: (sentence: string) => void,
): Promise<ChosenInterface> {
  const endMs = performance.now() + patienceMs;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return chooseInterface(wanted, group);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (performance.now() >= endMs) throw new NotYetError(error.message);
      if (isFirst) onWaiting(error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
