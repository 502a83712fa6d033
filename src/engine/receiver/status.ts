/** Makes STATUS messages: one up to the size of a datagram, and one with nothing but a phase. */
import { CONTROL_PLAINTEXT_BYTES } from "../../wire/datagram.ts";
import { WANTS_PER_STATUS } from "../../wire/limits.ts";
import {
  MISSING_FRAGMENTS_BYTES,
  MISSING_RUN_BYTES,
  type MissingFragments,
  type MissingRun,
  type Status,
  STATUS_FIXED_BYTES,
  type Want,
  wantBytes,
} from "../../wire/status-message.ts";
import type { TransferName } from "../types.ts";

/** The highest number that the field for transfers ahead holds. */
export const MOST_AHEAD = 0xffff;

/** A STATUS without its lists. */
export type StatusHead = Omit<Status, "missingRuns" | "missingFragments" | "wants">;

/**
 * Fills a STATUS up to the size of a datagram: missing fragments first, then as many wants as there is room for.
 *
 * @returns the message, and the wants that found a place
 */
export function buildStatus(
  head: StatusHead,
  missing: { readonly runs: readonly MissingRun[]; readonly fragments: readonly MissingFragments[] },
  dueWants: readonly Want[],
): { status: Status; wants: Want[] } {
  // One byte is the number of the message type.
  let room = CONTROL_PLAINTEXT_BYTES - 1 - STATUS_FIXED_BYTES - head.reason.length;
  room -= missing.runs.length * MISSING_RUN_BYTES + missing.fragments.length * MISSING_FRAGMENTS_BYTES;
  const wants: Want[] = [];
  for (const want of dueWants) {
    room -= wantBytes(want);
    if (room < 0 || wants.length === WANTS_PER_STATUS) break;
    wants.push(want);
  }
  const status: Status = { ...head, missingRuns: missing.runs, missingFragments: missing.fragments, wants };
  return { status, wants };
}

/** What a STATUS of a transfer that is not going on says. */
export type EmptyStatus = Pick<Status, "phase" | "reason"> &
  Partial<Pick<Status, "worked" | "admission" | "ahead">>;

/** A STATUS of a transfer that is not going on: zeros in all fields but these (PROTOCOL.md 5.1, 5.7). */
export function emptyStatus(
  { epoch, transfer }: TransferName,
  { phase, reason, worked = 0, admission = 0, ahead = 0 }: EmptyStatus,
): Status {
  return {
    sender: epoch,
    transfer,
    phase,
    reason,
    stamp: 0,
    stagedBelow: 0,
    windowEnd: 0,
    inFlight: 0,
    received: 0,
    missingRuns: [],
    missingFragments: [],
    wants: [],
    findings: 0,
    worked,
    order: 0,
    admission,
    ahead: Math.min(ahead, MOST_AHEAD),
  };
}
