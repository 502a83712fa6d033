/** What the sender says to the group, in as many messages as it takes to name everybody. */
import { TARGETS_PER_MESSAGE } from "../../wire/limits.ts";
import type { ControlMessage } from "../../wire/message.ts";
import type { Address, Destination, Effect } from "../types.ts";
import type { FlowControl } from "./flow-control.ts";

/** What a sender says to the group, in as many messages as it takes to name everybody (PROTOCOL.md 5). */
export class Announcements {
  private readonly effects: Effect[];
  private readonly flow: FlowControl;

  /** @param effects where what is said is put */
  constructor(effects: Effect[], flow: FlowControl) {
    this.effects = effects;
    this.flow = flow;
  }

  toAll(messages: readonly ControlMessage[]): void {
    for (const message of messages) this.send({ to: "group" }, message);
  }

  toOne(address: Address, message: ControlMessage): void {
    this.send({ to: "address", address }, message);
  }

  private send(destination: Destination, message: ControlMessage): void {
    this.flow.noteAnnounced();
    this.effects.push({ kind: "send", destination, message });
  }
}

/** OFFER for the members that have not answered. */
export function offers(transfer: number, dryRun: boolean, epochs: readonly string[]): ControlMessage[] {
  return pieces(epochs).map((targets) => ({ type: "offer", body: { transfer, dryRun, targets } }));
}

/** ORDER for the members that have not got the place that the transfer will have. */
export function orders(transfer: number, order: number, epochs: readonly string[]): ControlMessage[] {
  return pieces(epochs).map((targets) => ({ type: "order", body: { transfer, order, targets } }));
}

/** COMMIT for the members that have not said DONE. */
export function commits(transfer: number, order: number, epochs: readonly string[]): ControlMessage[] {
  return pieces(epochs).map((targets) => ({ type: "commit", body: { transfer, order, targets } }));
}

/** ABORT with a reason, for everybody or for the epochs that are listed. */
export function abort(transfer: number, reason: string, targets: readonly string[] = []): ControlMessage {
  return { type: "abort", body: { transfer, targets, reason } };
}

function pieces(epochs: readonly string[]): string[][] {
  const found: string[][] = [];
  for (let start = 0; start < epochs.length; start += TARGETS_PER_MESSAGE) {
    found.push(epochs.slice(start, start + TARGETS_PER_MESSAGE));
  }
  return found;
}
