/** The messages and events of membership, until the node takes them. */
import { CANDIDATES } from "../../wire/limits.ts";
import type { ControlMessage } from "../../wire/message.ts";
import type { Address, Effect, NodeEvent } from "../types.ts";

/**
 * The last bound on messages that wait to be taken. A node takes them after every input, and one input brings at most
 * a challenge for each candidate: four for each are never reached as long as that holds.
 */
const MOST_WAITING = 4 * CANDIDATES;

/** A queue of what membership says. */
export class Outbox {
  private readonly effects: Effect[] = [];

  poll(): Effect | undefined {
    return this.effects.shift();
  }

  tell(...events: readonly NodeEvent[]): void {
    for (const event of events) this.effects.push({ kind: "event", event });
  }

  multicast(message: ControlMessage): void {
    this.effects.push({ kind: "send", destination: { to: "group" }, message });
  }

  unicast(address: Address, message: ControlMessage): void {
    if (this.effects.length > MOST_WAITING) return;
    this.effects.push({ kind: "send", destination: { to: "address", address }, message });
  }
}
