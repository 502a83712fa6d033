/** Says in words whether a node has all that was pushed for it. */
import type { Deviations } from "../../tree/scan/deviations.ts";
import type { CatchUpState } from "../../console/catch-up-state.ts";
import type { Log } from "../../wire/catch-up-messages.ts";

/** The state of a node by what it tells of its log. */
export function stateOf({ behind, sinceMs, reason, catchesUp }: Log): CatchUpState {
  if (behind === 0) return reason === "" ? { behind, catchesUp } : { behind, catchesUp, drift: reason };
  return { behind, catchesUp, since: new Date(sinceMs).toISOString(), reason };
}

/** Such as "behind 2 since 2026-11-28T20:15:00.000Z: the disk is full". */
export function textOfState({ behind, since, reason, drift }: CatchUpState): string {
  if (behind === 0) return drift === undefined ? "current" : `current, but ${drift}`;
  const why = reason === undefined || reason === "" ? "" : `: ${reason}`;
  return `behind ${behind} since ${since ?? ""}${why}`;
}

/** Says that entries were changed by hand on this host. */
export function sentenceOfDrift({ count, sample }: Deviations): string {
  const example = sample === "" ? "" : `, such as ${sample}`;
  const are = count === 1 ? "1 entry is" : `${count} entries are`;
  return `${are} not as published here${example}`;
}

/** Says that entries cannot be handed on. */
export function sentenceOfWithheld({ count, sample }: Pick<Deviations, "count" | "sample">): string {
  const example = sample === "" ? "" : `, such as ${sample}`;
  return `${count} ${count === 1 ? "entry is" : "entries are"} not as published there any more${example}`;
}
