/** The states of a transfer at its sender. */
import { LifeCycle } from "../life-cycle.ts";

/** The only transitions (PROTOCOL.md 5). */
export const NEXT_STATES = {
  sending: ["ordering", "finished"],
  ordering: ["committing", "finished"],
  committing: ["finished"],
  finished: [],
} as const;

export type State = keyof typeof NEXT_STATES;

/** The state of one outgoing transfer; it begins as sending. */
export class SenderLife extends LifeCycle<State> {
  constructor() {
    super(NEXT_STATES, "sending");
  }
}
