/** Its states. */
import { MemberPhase } from "../../wire/status-message.ts";

/** The only ways from state to state of a transfer at a member; TransferReceiver.become() holds them. */
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

export const PHASE_OF_STATE: { readonly [S in State]: MemberPhase } = {
  receiving: MemberPhase.receiving,
  preparing: MemberPhase.receiving,
  ready: MemberPhase.ready,
  ordered: MemberPhase.ordered,
  // It will be carried out, whatever becomes of the sender: only its turn has not come.
  decided: MemberPhase.committing,
  committing: MemberPhase.committing,
  done: MemberPhase.done,
  failed: MemberPhase.failed,
};
