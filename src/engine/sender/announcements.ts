import { TARGETS_PER_MESSAGE } from "../../wire/limits.ts";
import type { ControlMessage } from "../../wire/message.ts";
import { SPREAD_FREE_MEMBERS, SPREAD_PER_MEMBER_MS } from "./times.ts";

/** What a sender says to the group, in as many messages as it takes to name everybody (PROTOCOL.md 5). */

/** OFFER for the members that have not answered. */
export function offers(transfer: number, dryRun: boolean, epochs: readonly string[]): ControlMessage[] {
  return pieces(epochs).map((targets) => ({ type: "offer", body: { transfer, dryRun, targets } }));
}

/** COMMIT for the members that have not said DONE. */
export function commits(transfer: number, epochs: readonly string[]): ControlMessage[] {
  return pieces(epochs).map((targets) => ({ type: "commit", body: { transfer, targets } }));
}

/** The time over which so many members spread their answers, in milliseconds. */
export function spreadMs(members: number): number {
  const spread = Math.max(0, members - SPREAD_FREE_MEMBERS) * SPREAD_PER_MEMBER_MS;
  return Math.min(0xffff, Math.ceil(spread));
}

function pieces(epochs: readonly string[]): string[][] {
  const found: string[][] = [];
  for (let start = 0; start < epochs.length; start += TARGETS_PER_MESSAGE) {
    found.push(epochs.slice(start, start + TARGETS_PER_MESSAGE));
  }
  return found;
}
