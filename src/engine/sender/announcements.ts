import { TARGETS_PER_MESSAGE } from "../../wire/limits.ts";
import type { ControlMessage } from "../../wire/message.ts";

/** What a sender says to the group, in as many messages as it takes to name everybody (PROTOCOL.md 5). */

/** OFFER for the members that have not answered. */
export function offers(transfer: number, dryRun: boolean, epochs: readonly string[]): ControlMessage[] {
  return pieces(epochs).map((targets) => ({ type: "offer", body: { transfer, dryRun, targets } }));
}

/** COMMIT for the members that have not said DONE. */
export function commits(transfer: number, epochs: readonly string[]): ControlMessage[] {
  return pieces(epochs).map((targets) => ({ type: "commit", body: { transfer, targets } }));
}

function pieces(epochs: readonly string[]): string[][] {
  const found: string[][] = [];
  for (let start = 0; start < epochs.length; start += TARGETS_PER_MESSAGE) {
    found.push(epochs.slice(start, start + TARGETS_PER_MESSAGE));
  }
  return found;
}
