import { below, fraction, type Random } from "../../src/base/random.ts";
import type { Schedule } from "./schedule.ts";

/** How bad the network is. Shares are between 0 and 1. */
export interface NetworkFaults {
  /** Lost at the switch, for all receivers together. */
  switchLoss: number;
  /** Lost at one receiver. */
  receiverLoss: number;
  duplicated: number;
  /** Delivered much later than the others. */
  delayed: number;
  /** Replaced by something that nobody sealed. */
  forged: number;
}

export const NO_FAULTS: NetworkFaults = {
  switchLoss: 0,
  receiverLoss: 0,
  duplicated: 0,
  delayed: 0,
  forged: 0,
};

/** A simulated switch: every port gets what is sent to the group, in order but for the faults. */
export class Network<Packet> {
  faults: NetworkFaults = NO_FAULTS;
  /** Packets that did not reach a port that they were sent to. */
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

  /** Cuts a port off, or joins it again. */
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

  /** Keeps what one port sends from another port alone, or lets it through again. */
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
