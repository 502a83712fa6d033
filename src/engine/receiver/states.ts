import { MemberPhase } from "../../wire/status-message.ts";

/** The only ways from state to state of a transfer at a member; TransferReceiver.become() holds them. */
export const NEXT_STATES = {
  receiving: ["preparing", "ready", "failed"],
  preparing: ["ready", "failed"],
  ready: ["committing", "failed"],
  committing: ["done", "failed"],
  done: [],
  failed: [],
} as const;

export type State = keyof typeof NEXT_STATES;

export const PHASE_OF_STATE: { readonly [S in State]: MemberPhase } = {
  receiving: MemberPhase.receiving,
  preparing: MemberPhase.receiving,
  ready: MemberPhase.ready,
  committing: MemberPhase.committing,
  done: MemberPhase.done,
  failed: MemberPhase.failed,
};
