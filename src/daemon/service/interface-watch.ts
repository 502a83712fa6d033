/** Joins the group again when the interface changes. */
import { type ChosenInterface, chooseInterface } from "../../net/interfaces.ts";
import type { Transport } from "../../net/transport.ts";
import type { Log } from "./log.ts";

const LOOK_MS = 2_000;

/**
 * Looks whether the interface still has the address that the sockets were made for. When it has another one, or was
 * away and is back, the daemon joins the group again by itself.
 *
 * @param onMoved called when the node has to introduce itself anew
 * @returns tells the interface that is used at present
 */
export function watchInterface(
  wanted: string | undefined,
  chosen: ChosenInterface,
  transport: Transport,
  log: Log,
  onMoved: () => void,
): () => ChosenInterface {
  let present = chosen;
  let isAway = false;
  let isMoving = false;

  async function look(): Promise<void> {
    try {
      // Without a wish, the one that was chosen at the start is kept, and no other takes its place.
      const now = chooseInterface(wanted ?? chosen.name);
      if (!isAway && now.ip === present.ip && now.name === present.name) return;
      await transport.moveTo(now.ip);
      log.info(`joined the group again, on ${now.name} (${now.ip})`);
      present = now;
      isAway = false;
      onMoved();
    } catch (error) {
      // Whatever keeps it from being looked at now may be over at the next look.
      const reason = error instanceof Error ? error.message : String(error);
      if (!isAway) log.warn(`the interface is away: ${reason}`);
      isAway = true;
    }
  }

  setInterval(() => {
    if (isMoving) return;
    isMoving = true;
    void look().finally(() => (isMoving = false));
  }, LOOK_MS).unref();
  return () => present;
}
