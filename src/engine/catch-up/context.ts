/** The surroundings of the parts that let a node catch up. */
import type { Random } from "../../base/random.ts";
import type { Effect, Member } from "../types.ts";
import type { PublicationLog } from "./publication-log.ts";
import type { Tellings } from "./tellings.ts";

export interface CatchUpContext {
  readonly log: PublicationLog;
  readonly effects: Effect[];
  readonly random: Random;
  readonly memberOf: (epoch: string) => Member | undefined;
  readonly members: () => Iterable<Member>;
  /** Whether something was heard of a member at that time or later. */
  readonly isHeardSince: (epoch: string, sinceMs: number) => boolean;
  readonly tellings: Tellings;
  /** Whether the disk switches to something that need not be asked for. */
  readonly isCommitting: () => boolean;
}
