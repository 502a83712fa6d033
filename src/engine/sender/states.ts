/** The only ways from state to state of a transfer at its sender; TransferSender.become() holds them. */
export const NEXT_STATES = {
  sending: ["ordering", "finished"],
  ordering: ["committing", "finished"],
  committing: ["finished"],
  finished: [],
} as const;

export type State = keyof typeof NEXT_STATES;
