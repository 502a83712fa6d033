/** This node, the senders of messages, and when they were heard. */
import type { NodeInfo } from "../../wire/membership-messages.ts";
import type { Address } from "../types.ts";

/** When a member was heard. */
export interface Heard {
  /** Any message. */
  anyMs: number;
  /** HELLO or ALIVE, which it sends to the group; or it was asked because they were missed. */
  groupMs: number;
}

/** The sender of a message, as its header says. The seal proves it, but a recorded message may be sent again. */
export interface Peer {
  readonly nodeId: string;
  readonly epoch: string;
}

/** This node. */
export interface Self extends Peer {
  /** The address that it sends from. */
  readonly address: Address;
}

/**
 * What a member says of itself, with the keys that it has told before: node info does not have them (PROTOCOL.md 4.1).
 *
 * @param known its former description; undefined for a new member
 */
export function withKnownKeys(info: NodeInfo, known: NodeInfo | undefined): NodeInfo {
  return known?.keys === undefined ? info : { ...info, keys: known.keys };
}
