/** Which key of the fleet each transfer began with. */
import { REMEMBERED_OFFERS } from "../../engine/receiver/waiting-offers.ts";
import { inboundName, type TransferName } from "../../engine/types.ts";
import type { KeyRing } from "../../net/key-ring.ts";
import type { FleetKey } from "../../net/sealing.ts";
import { REMEMBERED_TRANSFERS } from "../../wire/limits.ts";
import type { ControlMessage } from "../../wire/message.ts";

/** Transfers that do not run, and whose key is kept: those that are over, and those that are offered and not begun. */
const KEPT = REMEMBERED_TRANSFERS + REMEMBERED_OFFERS;

/**
 * A transfer keeps the key that it began with: its blocks and all messages about it, in both directions, are sealed under it
 * (PROTOCOL.md 7.1). So a change of the keys does not touch transfers that run.
 */
export class TransferKeys {
  private readonly ring: KeyRing;
  private readonly selfEpoch: string;
  /** By the name of the transfer. */
  private readonly running = new Map<string, FleetKey>();
  /** Of transfers that do not run, the oldest first. */
  private readonly others = new Map<string, FleetKey>();

  /** @param selfEpoch the epoch of this node, which names the transfers that it sends */
  constructor(ring: KeyRing, selfEpoch: string) {
    this.ring = ring;
    this.selfEpoch = selfEpoch;
  }

  /** This node begins to send a transfer. Returns its key. */
  begin(transfer: number): FleetKey {
    const key = this.ring.sealing;
    this.running.set(this.ownName(transfer), key);
    return key;
  }

  /** A transfer that this node sends is over. */
  finish(transfer: number): void {
    this.rest(this.ownName(transfer));
  }

  /** A member has offered a transfer in a message under this key. The first offer counts. */
  noteOffer(key: TransferName, fleetKey: FleetKey): void {
    const name = inboundName(key);
    if (!this.running.has(name)) this.keep(name, this.others.get(name) ?? fleetKey);
  }

  /** An offered transfer begins. Returns its key. */
  open(key: TransferName): FleetKey {
    const name = inboundName(key);
    const fleetKey = this.others.get(name) ?? this.ring.sealing;
    this.others.delete(name);
    this.running.set(name, fleetKey);
    return fleetKey;
  }

  /** A transfer that this node receives is over. */
  close(key: TransferName): void {
    this.rest(inboundName(key));
  }

  /** The key that a message of this node is sealed under. */
  keyFor(message: ControlMessage): FleetKey {
    const name = this.nameFor(message, this.selfEpoch);
    return (name === undefined ? undefined : this.of(name)) ?? this.ring.sealing;
  }

  /** Whether a message may be taken: one under a key that was taken away must be about a transfer that began with it. */
  mayTake(epoch: string, message: ControlMessage, fleetKey: FleetKey): boolean {
    if (!this.ring.isRetired(fleetKey)) return true;
    const name = this.nameFor(message, epoch);
    return name !== undefined && this.of(name) === fleetKey;
  }

  /** Whether a transfer runs that began with this key. */
  isInUse(fleetKey: FleetKey): boolean {
    return [...this.running.values()].includes(fleetKey);
  }

  private of(name: string): FleetKey | undefined {
    return this.running.get(name) ?? this.others.get(name);
  }

  private ownName(transfer: number): string {
    return inboundName({ epoch: this.selfEpoch, transfer });
  }

  /** The transfer that a message is about. What a member says about a transfer of another node names that node. */
  private nameFor(message: ControlMessage, speaker: string): string | undefined {
    switch (message.type) {
      case "hello":
      case "alive":
      case "exit":
      case "challenge":
      case "response":
      case "old-challenge":
      case "old-response":
      case "keys":
      case "probe":
      case "inspect":
      case "condition":
      case "log":
      case "fetch":
      case "piece":
      case "ask":
      case "answer":
      case "nudge":
      // Its transfer has ended, and with it the key.
      case "served":
        return undefined;
      case "status":
      case "findings":
      case "query":
      case "relay":
        return inboundName({ epoch: message.body.sender, transfer: message.body.transfer });
      default:
        return inboundName({ epoch: speaker, transfer: message.body.transfer });
    }
  }

  private rest(name: string): void {
    const key = this.running.get(name);
    if (key === undefined) return;
    this.running.delete(name);
    this.keep(name, key);
  }

  private keep(name: string, key: FleetKey): void {
    this.others.delete(name);
    this.others.set(name, key);
    for (const oldest of this.others.keys()) {
      if (this.others.size <= KEPT) break;
      this.others.delete(oldest);
    }
  }
}
