/** Whether a host has all that was pushed for it, as msync and the daemon tell it. */

/** Whether a host has all that was pushed for it. */
export interface CatchUpState {
  /** How many pushes it lacks. */
  readonly behind: number;
  /** Whether it gets by itself what it lacks. */
  readonly catchesUp: boolean;
  /** When the first of them was pushed, as ISO 8601 in UTC. */
  readonly since?: string;
  /** Why it lacks them, as an English sentence; empty if it does not know. */
  readonly reason?: string;
  /** What of its tree is not as published, as an English sentence, if it has looked and found something. */
  readonly drift?: string;
  /** How many entries that are, of this host alone. */
  readonly drifted?: number;
}
