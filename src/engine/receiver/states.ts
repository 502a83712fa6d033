/** The states of a transfer at a member, and the phases that a STATUS reports for them. */
import { MemberPhase } from "../../wire/status-message.ts";
import { LifeCycle } from "../life-cycle.ts";

/** The only transitions (PROTOCOL.md 5). */
export const NEXT_STATES = {
  receiving: ["preparing", "ready", "failed"],
  preparing: ["ready", "failed"],
  ready: ["ordered", "failed"],
  ordered: ["decided", "failed"],
  decided: ["committing"],
  committing: ["done", "failed"],
  done: [],
  failed: [],
} as const;

export type State = keyof typeof NEXT_STATES;

const PHASE_OF_STATE: { readonly [S in State]: MemberPhase } = {
  receiving: MemberPhase.receiving,
  preparing: MemberPhase.receiving,
  ready: MemberPhase.ready,
  ordered: MemberPhase.ordered,
  // It will be carried out in any case, also without its sender: only its turn has not come.
  decided: MemberPhase.committing,
  committing: MemberPhase.committing,
  done: MemberPhase.done,
  failed: MemberPhase.failed,
};

/** The state of one incoming transfer; it begins as receiving. */
export class ReceiverLife extends LifeCycle<State> {
  /** Why the transfer has failed; empty otherwise. */
  reason = "";
  private isRefusal = false;

  constructor() {
    super(NEXT_STATES, "receiving");
  }

  /** Whether the transfer has not come to its end. */
  get isGoingOn(): boolean {
    return this.state !== "done" && this.state !== "failed";
  }

  /** The phase that a STATUS reports. */
  get phase(): MemberPhase {
    return this.isRefusal ? MemberPhase.refused : PHASE_OF_STATE[this.state];
  }

  /** The failure to come is one for all: the transfer must not happen anywhere. */
  refuse(): void {
    this.isRefusal = true;
  }
}
