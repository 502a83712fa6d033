/** The state of a transfer, with the table of its transitions. */
import { assert } from "../base/assert.ts";

/** For each state, the states that may follow it. */
export type NextStates<State extends string> = Readonly<Record<State, readonly State[]>>;

/** The state of a transfer. Nothing but become() changes it, and become() keeps to the table. */
export class LifeCycle<State extends string> {
  private readonly nextStates: NextStates<State>;
  private current: State;

  constructor(nextStates: NextStates<State>, first: State) {
    this.nextStates = nextStates;
    this.current = first;
  }

  get state(): State {
    return this.current;
  }

  become(state: State): void {
    const isAllowed = this.nextStates[this.current].includes(state);
    assert(isAllowed, `no way from ${this.current} to ${state}`);
    this.current = state;
  }
}
