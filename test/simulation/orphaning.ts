import { below, fraction, type Random } from "../../src/base/random.ts";
import { check } from "./check.ts";
import type { Packet, SimulatedHost } from "./host.ts";
import type { Network } from "./network.ts";
import type { Schedule } from "./schedule.ts";

/** A sender that dies with its first COMMIT, which not all members hear. Those that live have to end with the same tree. */
export class Orphaning {
  private readonly sender: SimulatedHost;
  private readonly random: Random;
  private readonly schedule: Schedule;
  private readonly network: Network<Packet>;
  /** The epochs that the COMMIT names. */
  private readonly named = new Set<string>();

  constructor(sender: SimulatedHost, random: Random, schedule: Schedule, network: Network<Packet>) {
    this.sender = sender;
    this.random = random;
    this.schedule = schedule;
    this.network = network;
  }

  /** @param bringBack starts the sender again after a time in milliseconds */
  noteCommit(
    host: SimulatedHost,
    targets: readonly string[],
    hosts: readonly SimulatedHost[],
    bringBack: (afterMs: number) => void,
  ): void {
    const { sender, named, random, schedule } = this;
    if (host !== sender || named.size > 0) return;
    for (const epoch of targets) named.add(epoch);
    for (const { machine } of hosts)
      if (machine !== sender.machine && fraction(random) < 0.5) this.deafen(machine.ip);
    schedule.after(0, () => {
      if (!sender.isAlive) return;
      sender.crash();
      bringBack(1 + below(random, fraction(random) < 0.5 ? 200 : 20_000));
    });
  }

  /** @param name of the transfer */
  judge(name: string, hosts: readonly SimulatedHost[]): void {
    const members = hosts.filter(({ epoch }) => this.named.has(epoch)).map(({ machine }) => machine);
    const isNew = (fates: ReadonlyMap<string, string>) => fates.get(name) === "new";
    const switched = members.filter(({ fates }) => isNew(fates)).map((one) => one.name);
    const kept = members.filter(({ fates }) => !isNew(fates)).map((one) => one.name);
    check(
      switched.length === 0 || kept.length === 0,
      `${name}: ${switched.join()} switched and ${kept.join()} did not, after their sender was lost`,
    );
  }

  /** It may hear the sender's next life at once, or not hear of it for a while. */
  private deafen(ip: string): void {
    const from = this.sender.machine.ip;
    this.network.cutLink(from, ip, true);
    this.schedule.after(5 + below(this.random, 9_000), () => this.network.cutLink(from, ip, false));
  }
}
