import { below, fraction, SeededRandom } from "../../src/base/random.ts";
import type { NodeEvent, TransferResult } from "../../src/engine/types.ts";
import { inboundName } from "../../src/engine/types.ts";
import { FragmentHeader } from "../../src/wire/datagram.ts";
import { check } from "./check.ts";
import { SimulatedDisk, type SimulatedEntry } from "./disk.ts";
import { type DiskFaults, type Packet, SimulatedHost } from "./host.ts";
import { Network, NO_FAULTS } from "./network.ts";
import { Schedule } from "./schedule.ts";

/**
 * One simulated fleet, with everything drawn from one seed: first a time with faults, in which only safety is
 * asked for, then one without, in which everything must come to its end.
 */

const FAULTS_MS = 30_000;
/** Longest time that anything may take once the faults are over: silence of a sender, of a member, and some. */
const CALM_MS = 120_000;

interface Begun {
  readonly sender: SimulatedHost;
  readonly name: string;
  readonly isCalm: boolean;
  readonly dryRun: boolean;
  result: TransferResult | undefined;
  /** How many findings each member has told of, by epoch. */
  readonly findings: Map<string, number>;
  readonly expectedFindings: number;
}

export class World {
  private readonly random: SeededRandom;
  private readonly schedule = new Schedule();
  private readonly network: Network<Packet>;
  private readonly diskFaults: DiskFaults = { staging: 0, stall: 0 };
  private readonly hosts: SimulatedHost[] = [];
  private readonly begun: Begun[] = [];
  private epochs = 0;
  private versions = 0;
  private transfers = 0;
  private isCalm = false;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.network = new Network(this.schedule, this.random, forge);
  }

  /** Runs the whole life of the fleet. Throws OracleError. */
  run(): void {
    // From nine members on they spread their answers, and are asked by name.
    const hostCount = fraction(this.random) < 0.1 ? 10 + below(this.random, 5) : 2 + below(this.random, 5);
    for (let index = 0; index < hostCount; index++)
      this.hosts.push(this.startHost(index, new SimulatedDisk(new Map())));
    this.drawFaults();
    this.planFaults();
    this.runUntil(FAULTS_MS);
    this.calmDown();
    this.runUntil(FAULTS_MS + CALM_MS);
    this.startTransfers(3);
    this.runUntil(FAULTS_MS + 2 * CALM_MS);
    this.judge();
  }

  private startHost(index: number, disk: SimulatedDisk): SimulatedHost {
    const epoch = (++this.epochs).toString(16).padStart(16, "0");
    const { schedule, network, random, diskFaults } = this;
    const onEvent = (host: SimulatedHost, event: NodeEvent) => this.noteEvent(host, event);
    const surroundings = { schedule, network, random, diskFaults, onEvent };
    return new SimulatedHost(`host${index}`, `10.0.0.${index + 1}`, epoch, disk, surroundings);
  }

  private drawFaults(): void {
    const some = (share: number) => (fraction(this.random) < 0.5 ? fraction(this.random) * share : 0);
    this.network.faults = {
      switchLoss: some(0.1),
      receiverLoss: some(0.2),
      duplicated: some(0.1),
      delayed: some(0.05),
      forged: some(0.02),
    };
    this.diskFaults.staging = some(0.01);
    this.diskFaults.stall = some(0.02);
  }

  private planFaults(): void {
    const bursts = 1 + below(this.random, 4);
    for (let count = 0; count < bursts; count++) {
      this.schedule.after(2_000 + below(this.random, FAULTS_MS - 4_000), () => this.startBurst());
    }
    for (let crashes = below(this.random, 3); crashes > 0; crashes--) {
      this.schedule.after(below(this.random, FAULTS_MS), () => this.crashSomebody(below(this.random, 8_000)));
    }
    for (let cuts = below(this.random, 3); cuts > 0; cuts--) {
      this.schedule.after(below(this.random, FAULTS_MS), () =>
        this.cutSomebodyOff(below(this.random, 10_000)),
      );
    }
    for (let cancels = below(this.random, 2); cancels > 0; cancels--) {
      this.schedule.after(below(this.random, FAULTS_MS), () => this.cancelSomething());
    }
  }

  private crashSomebody(forMs: number): void {
    const index = below(this.random, this.hosts.length);
    const host = this.hosts[index]!;
    if (!host.isAlive) return;
    host.crash();
    this.schedule.after(forMs, () => {
      this.hosts[index] = this.startHost(index, host.disk);
    });
  }

  /** From everybody, or so that it does not hear one other. */
  private cutSomebodyOff(forMs: number): void {
    const { ip } = this.hosts[below(this.random, this.hosts.length)]!;
    const other = this.hosts[below(this.random, this.hosts.length)]!.ip;
    const isWhole = fraction(this.random) < 0.5;
    const cut = (isCut: boolean) => {
      if (isWhole) this.network.partition(ip, isCut);
      else this.network.cutLink(other, ip, isCut);
    };
    cut(true);
    this.schedule.after(forMs, () => cut(false));
  }

  private cancelSomething(): void {
    const running = this.begun.filter((one) => one.result === undefined && one.sender.isAlive);
    const chosen = running[below(this.random, Math.max(1, running.length))];
    const transfer = Number(chosen?.name.split("-")[1]);
    chosen?.sender.handle({ kind: "cancel-transfer", transfer, reason: "interrupted" });
  }

  /** One transfer, or several at once, which may all be so small that they come to their commits together. */
  private startBurst(): void {
    const count = fraction(this.random) < 0.3 ? 1 : 2 + below(this.random, 5);
    this.startTransfers(count, fraction(this.random) < 0.7 ? 4 : 60);
    // Whatever else happens at any time would rarely meet the moments of their commits.
    const soon = (what: () => void) => this.schedule.after(below(this.random, 60), what);
    if (count === 1 || fraction(this.random) < 0.3) return;
    for (let cuts = below(this.random, 6); cuts > 0; cuts--)
      soon(() => this.cutSomebodyOff(below(this.random, 60)));
    if (fraction(this.random) < 0.7) return;
    // One that is back at once, and another that does not hear what was decided before the next transfers come.
    soon(() => this.crashSomebody(below(this.random, 100)));
    soon(() => this.cutSomebodyOff(below(this.random, 4_000)));
    this.schedule.after(100 + below(this.random, 1_800), () => this.startTransfers(2, 4));
  }

  /** @param most bounds the entries of each */
  private startTransfers(count: number, most = 60): void {
    for (let index = 0; index < count; index++) {
      const sender = this.hosts[below(this.random, this.hosts.length)]!;
      if (!sender.isAlive || sender.engine.membership.size === 0) continue;
      const transfer = ++this.transfers;
      const dryRun = fraction(this.random) < 0.1;
      const name = inboundName({ epoch: sender.epoch, transfer });
      const entries = this.drawEntries(most);
      const expectedFindings = Math.floor(entries.length / 5) + ((entries.length % 5) % 4);
      const fresh = { result: undefined, findings: new Map<string, number>() };
      this.begun.push({ sender, name, dryRun, isCalm: this.isCalm, expectedFindings, ...fresh });
      sender.startTransfer(transfer, entries, dryRun, fraction(this.random) < 0.2);
    }
  }

  /** Half of the paths come in other transfers, too, but each version in one alone. */
  private drawEntries(most: number): SimulatedEntry[] {
    const count = fraction(this.random) < 0.1 ? 0 : below(this.random, most);
    const shared = new Set<string>();
    return Array.from({ length: count }, () => {
      const version = `v${++this.versions}`;
      const common = `shared${below(this.random, 40)}`;
      const path = shared.has(common) || fraction(this.random) < 0.5 ? `file-${version}` : common;
      shared.add(path);
      return { path, version, pieces: fraction(this.random) < 0.2 ? 0 : below(this.random, 12) };
    });
  }

  private calmDown(): void {
    this.isCalm = true;
    this.network.faults = NO_FAULTS;
    this.diskFaults.staging = 0;
    this.diskFaults.stall = 0;
  }

  private noteEvent(host: SimulatedHost, event: NodeEvent): void {
    if (event.kind === "findings") this.noteFindings(host, event);
    if (event.kind !== "transfer-finished") return;
    const begun = this.begun.find((one) => one.name === `${host.epoch}-${event.result.transfer}`);
    check(begun !== undefined && begun.result === undefined, "a transfer ends once");
    begun.result = event.result;
    if (begun.isCalm) {
      const { repairedFragments } = event.result;
      check(
        repairedFragments === 0,
        `${begun.name} repaired ${repairedFragments} fragments although none was lost`,
      );
    }
  }

  /** They come whole, each once and in their order, whatever gets lost. */
  private noteFindings(host: SimulatedHost, event: Extract<NodeEvent, { kind: "findings" }>): void {
    const begun = this.begun.find((one) => one.name === `${host.epoch}-${event.transfer}`);
    check(begun !== undefined && begun.result === undefined, "findings come while a transfer goes on");
    for (const { path } of event.findings) {
      const count = begun.findings.get(event.epoch) ?? 0;
      check(Number(path) === count, `finding ${path} comes where ${count} is next`);
      begun.findings.set(event.epoch, count + 1);
    }
  }

  private runUntil(endMs: number): void {
    let steps = 0;
    while (this.schedule.nextMs() <= endMs) {
      check(++steps < 2_000_000, "the fleet runs in circles");
      this.schedule.step();
    }
    this.schedule.nowMs = endMs;
  }

  private judge(): void {
    for (const host of this.hosts) {
      const known = host.engine.membership.size;
      check(
        known === this.hosts.length - 1,
        `${host.name} knows ${known} of ${this.hosts.length - 1} members`,
      );
      check(host.engine.isIdle, `${host.name} has not come to an end`);
    }
    for (const begun of this.begun) this.judgeTransfer(begun);
    for (const [index, host] of this.hosts.entries())
      for (const other of this.hosts.slice(index + 1)) judgeOrder(host, other);
  }

  private judgeTransfer(begun: Begun): void {
    if (begun.result === undefined) {
      check(!begun.sender.isAlive, `${begun.name} never ended`);
      return;
    }
    for (const verdict of begun.result.verdicts) {
      const host = this.hosts.find((one) => one.name === verdict.hostName)!;
      const hasCommitted = host.disk.committed.has(begun.name);
      const where = `${begun.name} at ${verdict.hostName}, ${verdict.outcome} (${verdict.reason})`;
      // A manifest block of five entries brings one finding, the last one its rest.
      const told = begun.findings.get(verdict.epoch) ?? 0;
      if (verdict.outcome === "done") check(told === begun.expectedFindings, `${where}: ${told} findings`);
      if (verdict.outcome === "done") check(hasCommitted !== begun.dryRun, `${where}: the tree is old`);
      if (verdict.outcome === "failed") check(!hasCommitted, `${where}: the tree is new`);
      if (begun.isCalm) check(verdict.outcome === "done", `${where}: without any fault`);
    }
    if (begun.result.aborted === undefined) return;
    for (const host of this.hosts)
      check(!host.disk.committed.has(begun.name), `${begun.name} was aborted, not at ${host.name}`);
  }
}

/** What two hosts have both committed, they have committed in the same order, across all their crashes. */
function judgeOrder(host: SimulatedHost, other: SimulatedHost): void {
  const common = [...host.disk.committed].filter((name) => other.disk.committed.has(name));
  const elsewhere = [...other.disk.committed].filter((name) => host.disk.committed.has(name));
  const where = `${common.join(", ")} at ${host.name}, ${elsewhere.join(", ")} at ${other.name}`;
  check(common.join() === elsewhere.join(), `not in one order: ${where}`);
  const trees = [host, other].map((one) => JSON.stringify([...one.disk.tree].sort()));
  const isAll = common.length === host.disk.committed.size && common.length === other.disk.committed.size;
  check(!isAll || trees[0] === trees[1], `${host.name} and ${other.name} have another tree after ${where}`);
}

/** What somebody without the key can put on the wire: a fragment that looks right, with content of his own. */
function forge(packet: Packet): Packet {
  if ("plaintext" in packet) return { ...packet, isForged: true };
  const fragment = Object.assign(new FragmentHeader(), packet.fragment);
  fragment.stamp = (fragment.stamp + 3) >>> 0;
  return { ...packet, fragment, isForged: true, content: undefined };
}
