/** Problems: what is in the way of a node that is heard. */
import type { NodeInfo } from "../wire/membership-messages.ts";

/**
 * The kinds of problems:
 *
 * - unanswered: a node of this fleet is heard, but does not answer when it is asked.
 * - other-version: a node speaks another version of the protocol.
 * - foreign-key: packets that are sealed with another key.
 * - elsewhere: an answer of a node that comes from another address than the node sends from.
 * - unheard: a member does not get what this node sends to the group.
 * - mute: a member answers, but what it sends to the group does not arrive.
 */
export type ProblemKind = "unanswered" | "other-version" | "foreign-key" | "elsewhere" | "unheard" | "mute";

/** A problem, as it is noticed. */
export interface FoundProblem {
  readonly kind: ProblemKind;
  /** The address that the packets come from. */
  readonly ip: string;
  /** Whether the seal of its packets has opened. Anybody can send packets that do not open, from any address. */
  readonly isProven: boolean;
  /** The id of the node, where the packets have opened. */
  readonly nodeId?: string;
  /** What the node says of itself, as far as that can be read. */
  readonly info?: NodeInfo | undefined;
  /** For other-version: the version. */
  readonly version?: number;
  /** For elsewhere: the address that the node says it sends from. */
  readonly claimedIp?: string;
}

/** A problem that this node has now. */
export interface Problem extends FoundProblem {
  /** How often it was noticed: for packets, their number. */
  readonly count: number;
}
