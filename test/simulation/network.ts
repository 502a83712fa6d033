import { below, fraction, type Random } from "../../src/base/random.ts";
import type { Schedule } from "./schedule.ts";

/** The faults of the network. Shares are between 0 and 1. */
export interface NetworkFaults {
  /** Share of packets lost at the switch, for all receivers together. */
  switchLoss: number;
  /** Share of packets lost at one receiver. */
  receiverLoss: number;
  duplicated: number;
  /** Share of packets delivered much later than the others. */
  delayed: number;
  /** Share of packets replaced by bytes that nobody sealed. */
  forged: number;
}

export const NO_FAULTS: NetworkFaults = {
  switchLoss: 0,
  receiverLoss: 0,
  duplicated: 0,
  delayed: 0,
  forged: 0,
};

/** A simulated switch: every port gets the packets to the group, in order except for the faults. */
export class Network<Packet> {
  faults: NetworkFaults = NO_FAULTS;
  /** How many packets did not reach a port to which they were sent. */
  lost = 0;
  private readonly schedule: Schedule;
  private readonly random: Random;
  private readonly ports = new Map<string, (packet: Packet) => void>();
  private readonly cutOff = new Set<string>();
  private readonly forge: (packet: Packet) => Packet;

  constructor(schedule: Schedule, random: Random, forge: (packet: Packet) => Packet) {
    this.schedule = schedule;
    this.random = random;
    this.forge = forge;
  }

  attach(ip: string, deliver: (packet: Packet) => void): void {
    this.ports.set(ip, deliver);
  }

  detach(ip: string): void {
    this.ports.delete(ip);
  }

  /** Disconnects a port, or connects it again. */
  partition(ip: string, isCut: boolean): void {
    if (isCut) this.cutOff.add(ip);
    else this.cutOff.delete(ip);
  }

  multicast(from: string, packet: Packet): void {
    if (this.chance(this.faults.switchLoss)) {
      this.lost += this.ports.size;
      return;
    }
    for (const ip of this.ports.keys()) this.deliver(from, ip, packet);
  }

  /** Blocks packets from one port to another port only, or lets them through again. */
  cutLink(from: string, to: string, isCut: boolean): void {
    if (isCut) this.cutOff.add(linkName(from, to));
    else this.cutOff.delete(linkName(from, to));
  }

  unicast(from: string, to: string, packet: Packet): void {
    this.deliver(from, to, packet);
  }

  private deliver(from: string, to: string, packet: Packet): void {
    if (from === to) return;
    const isCut = [from, to, linkName(from, to)].some((name) => this.cutOff.has(name));
    if (isCut || this.chance(this.faults.receiverLoss)) {
      this.lost++;
      return;
    }
    const copies = this.chance(this.faults.duplicated) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const lateMs = this.chance(this.faults.delayed) ? below(this.random, 50) : 0;
      this.schedule.after(0.1 + lateMs, () => this.ports.get(to)?.(packet));
    }
    if (this.chance(this.faults.forged)) {
      const forged = this.forge(packet);
      this.schedule.after(0.1, () => this.ports.get(to)?.(forged));
    }
  }

  private chance(share: number): boolean {
    return share > 0 && fraction(this.random) < share;
  }
}

function linkName(from: string, to: string): string {
  return `${from}>${to}`;
}
