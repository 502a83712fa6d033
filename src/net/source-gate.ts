/** Drops datagrams whose source address no node of this network has. */
import type { ScatteredMessage } from "../sys/datagram-reader.ts";
import type { DatagramHandler } from "./datagram-handler.ts";
import { isInNetwork, isLoopback, type Network } from "./interfaces.ts";

/** The sources that a node takes datagrams from. */
export interface SourceRules {
  /** The address of this node. A node on the loopback network hears nodes on that network alone; any other hears none there. */
  readonly ip: string;
  /** The port of the fleet: every node sends from it (PROTOCOL.md 1). */
  readonly port: number;
  /** The network that the node's address belongs to. */
  readonly network: Network;
  /** Networks of other interfaces; empty if the kernel drops datagrams that come in over those. */
  readonly others: readonly Network[];
}

/**
 * Hands over datagrams from sources that a node of this network can have, and counts the others. The address is compared
 * before anything else is looked at, so a datagram from elsewhere costs next to nothing.
 */
export class SourceGate implements DatagramHandler {
  /** Changes when the node gets another address. */
  rules: SourceRules;
  /** Messages that were dropped; a message is one datagram, or several that came in one piece. */
  dropped = 0;
  private readonly handler: DatagramHandler;

  constructor(handler: DatagramHandler, rules: SourceRules) {
    this.handler = handler;
    this.rules = rules;
  }

  takeDatagrams(bytes: Buffer, start: number, end: number, ip: string, port: number): void {
    if (this.admits(ip, port)) this.handler.takeDatagrams(bytes, start, end, ip, port);
    else this.dropped++;
  }

  takeTrain(train: ScatteredMessage): boolean {
    if (this.admits(train.ip, train.port)) return this.handler.takeTrain(train);
    this.dropped++;
    return true;
  }

  private admits(ip: string, port: number): boolean {
    const { rules } = this;
    if (port !== rules.port || isLoopback(ip) !== isLoopback(rules.ip)) return false;
    if (rules.others.length === 0 || isInNetwork(ip, rules.network)) return true;
    return !rules.others.some((other) => isInNetwork(ip, other));
  }
}
