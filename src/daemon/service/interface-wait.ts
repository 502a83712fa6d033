/** Waits for an interface that is not up yet. */
import { UserError } from "../../base/user-error.ts";
import { type ChosenInterface, chooseInterface } from "../../net/interfaces.ts";

const LOOK_MS = 250;

/** Something that may come by itself, so that another start later on is worth while. */
export class NotYetError extends UserError {}

/**
 * Finds the interface, and waits for one that is not up yet: at boot, a network may come later than its service.
 *
 * @param wanted its name or address; undefined for that of the default route
 * @param patienceMs how long it may take to come
 * @param onWaiting called once with what is missing
 * @throws NotYetError where it does not come
 */
export async function awaitInterface(
  wanted: string | undefined,
  patienceMs: number,
  onWaiting: (sentence: string) => void,
): Promise<ChosenInterface> {
  const endMs = performance.now() + patienceMs;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return chooseInterface(wanted);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (performance.now() >= endMs) throw new NotYetError(error.message);
      if (isFirst) onWaiting(error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
