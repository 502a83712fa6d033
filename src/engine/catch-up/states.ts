/** The states of a node that lacks publications. */
import { LifeCycle } from "../life-cycle.ts";

/**
 * The only transitions (PROTOCOL.md 9.3):
 *
 * - resting: it lacks nothing, or knows nobody to ask.
 * - asking: a member was asked, and has not answered.
 * - promised: a member has agreed to serve, and its transfer has not ended.
 * - patient: nobody could serve it, or its own disk or hook has failed; it tries again later.
 */
export const NEXT_STATES = {
  resting: ["asking"],
  asking: ["promised", "asking", "patient", "resting"],
  promised: ["resting", "asking", "patient"],
  patient: ["asking", "resting"],
} as const;

export type State = keyof typeof NEXT_STATES;

export class AskingLife extends LifeCycle<State> {
  constructor() {
    super(NEXT_STATES, "resting");
  }
}
