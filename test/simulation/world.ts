import { below, fraction, SeededRandom } from "../../src/base/random.ts";
import type { Member, NodeEvent } from "../../src/engine/types.ts";
import { inboundName } from "../../src/engine/types.ts";
import { NO_RULES } from "../../src/tree/scan/request.ts";
import type { ControlMessage } from "../../src/wire/message.ts";
import { FragmentHeader } from "../../src/wire/datagram.ts";
import { type Announced, deviationOf, exactly } from "./announced.ts";
import { check } from "./check.ts";
import { Versions } from "./contents.ts";
import { type Death, type DiskFaults, NO_DISK_FAULTS } from "./disk-trouble.ts";
import { drawDisk, drawEdits, drawPush, drawSettings, ownPush, wholePush } from "./draw.ts";
import { type Packet, type Push, SimulatedHost } from "./host.ts";
import { type CommonFile, drawCommonFiles } from "./local-edits.ts";
import { type Begun, judgeClash, judgeOrders, judgeTransfer, noteFindings } from "./judge.ts";
import { type Fleetwide, Machine } from "./machine.ts";
import { Network, NO_FAULTS } from "./network.ts";
import { Orphaning } from "./orphaning.ts";
import { pictureOf } from "./picture.ts";
import { Schedule } from "./schedule.ts";

/**
 * One simulated fleet, with everything drawn from one seed: first a time with faults, in which only safety is
 * asked for, then one without, in which everything must come to its end.
 */

const FAULTS_MS = 30_000;
/** Longest time that anything may take once the faults are over: silence of a sender, of a member, and some. */
const CALM_MS = 120_000;
/** What comes after that is over sooner, also where a sender stands still. */
const REST_MS = 40_000;
/** Transfers that a daemon sends at a time. */
const OUTBOUND = 8;
/** A sender stands still for longer than members may be silent, and shorter than senders may. */
const LEAST_STANDSTILL_MS = 6_000;
const STANDSTILL_RANGE_MS = 6_000;
/** Longer than a member may be silent. */
const MUTE_MS = 5_500;
/** Stamps that nothing on the way can have. */
const FAR_STAMP = 20_000;

export class World {
  private readonly random: SeededRandom;
  private readonly schedule = new Schedule();
  private readonly network: Network<Packet>;
  private readonly diskFaults: DiskFaults = { ...NO_DISK_FAULTS };
  private readonly fleetwide: Fleetwide;
  private readonly machines: Machine[] = [];
  private readonly hosts: SimulatedHost[] = [];
  private readonly begun = new Map<string, Begun>();
  private readonly common: CommonFile[];
  private epochs = 0;
  private pushes = 0;
  private muteShare = 0;
  private isCalm = false;
  /** The host whose next COMMIT is its last. */
  private orphaning: Orphaning | undefined;

  constructor(seed: number) {
    const random = new SeededRandom(seed);
    this.random = random;
    this.network = new Network(this.schedule, random, (packet) => this.forge(packet));
    const versions = new Versions(random);
    this.common = drawCommonFiles(random, versions);
    this.fleetwide = { random, versions, announced: new Map<string, Announced>() };
  }

  /** Runs the whole life of the fleet. Throws OracleError. */
  run(): void {
    // From nine members on they spread their answers, and are asked by name.
    const hostCount = fraction(this.random) < 0.05 ? 10 + below(this.random, 5) : 2 + below(this.random, 4);
    for (let index = 0; index < hostCount; index++) {
      this.machines.push(this.makeMachine(index));
      this.startHost(index);
    }
    this.drawFaults();
    this.planFaults();
    this.runUntil(FAULTS_MS);
    this.calmDown();
    this.runFor(CALM_MS);
    for (let count = 0; count < 3; count++) this.startCalm(ownPush(this.random, `calm${++this.pushes}`));
    this.runFor(REST_MS);
    this.judgeCalm();
    this.standStill();
    this.runFor(REST_MS);
    this.orphan();
    this.clash();
    this.startCalm(wholePush(), 0);
    this.runFor(REST_MS);
    this.judge();
  }

  private makeMachine(index: number): Machine {
    const { random, schedule } = this;
    const disk = drawDisk(random, () => schedule.nowMs);
    const machine = new Machine(
      `host${index}`,
      `10.0.0.${index + 1}`,
      disk,
      drawSettings(random),
      this.fleetwide,
    );
    machine.edit((edits) => {
      edits.putAll(this.common);
      edits.edit(drawEdits(random, undefined, 8));
    });
    return machine;
  }

  private startHost(index: number, death?: { kind: Death; changes: number }): void {
    const machine = this.machines[index]!;
    const epoch = (++this.epochs).toString(16).padStart(16, "0");
    const { schedule, network, random, diskFaults } = this;
    const host = new SimulatedHost(machine, epoch, {
      schedule,
      network,
      random,
      diskFaults,
      onEvent: (one, event) => this.noteEvent(one, event),
      onSay: (one, message) => this.noteSaid(one, message),
      onDeath: (_, kind) => this.bringBack(index, kind, below(random, 8_000)),
    });
    this.hosts[index] = host;
    host.start(death);
  }

  /** Starts the daemon of a host anew, which may end again while it recovers. */
  private bringBack(index: number, death: Death, afterMs: number): void {
    this.schedule.after(afterMs, () => {
      this.machines[index]!.comeBack(death);
      const again = !this.isCalm && fraction(this.random) < 0.2;
      const kind = fraction(this.random) < 0.5 ? "kill" : "power loss";
      this.startHost(index, again ? { kind, changes: 1 + below(this.random, 20) } : undefined);
    });
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
    this.muteShare = some(0.3);
    this.diskFaults.stalls = some(0.02);
    this.diskFaults.writers = some(0.3);
    if (fraction(this.random) < 0.5) return;
    this.diskFaults.changes = some(0.01);
    this.diskFaults.looks = some(0.001);
    this.diskFaults.syncs = some(0.05);
  }

  private planFaults(): void {
    const any = (what: () => void) => this.schedule.after(below(this.random, FAULTS_MS), what);
    for (let bursts = 1 + below(this.random, 4); bursts > 0; bursts--)
      this.schedule.after(2_000 + below(this.random, FAULTS_MS - 4_000), () => this.startBurst());
    for (let crashes = below(this.random, 3); crashes > 0; crashes--)
      any(() => this.crashSomebody(below(this.random, 8_000)));
    for (let cuts = below(this.random, 3); cuts > 0; cuts--)
      any(() => this.cutSomebodyOff(below(this.random, 10_000)));
    for (let cancels = below(this.random, 2); cancels > 0; cancels--) any(() => this.cancelSomething());
    for (let stops = below(this.random, 2); stops > 0; stops--)
      any(() => this.anyHost().suspend(below(this.random, 10_000)));
    if (fraction(this.random) < 0.3) any(() => this.fillSomeDisk());
  }

  private anyHost(): SimulatedHost {
    return this.hosts[below(this.random, this.hosts.length)]!;
  }

  /** At once, or in the middle of what it does next. */
  private crashSomebody(forMs: number): void {
    const host = this.anyHost();
    if (!host.isAlive) return;
    const death = fraction(this.random) < 0.6 ? "power loss" : "kill";
    if (fraction(this.random) < 0.6) {
      host.crashSoon(death, 1 + below(this.random, fraction(this.random) < 0.5 ? 20 : 150));
      return;
    }
    host.crash();
    this.bringBack(this.hosts.indexOf(host), death, forMs);
  }

  /** From everybody, or so that it does not hear one other. */
  private cutSomebodyOff(forMs: number): void {
    const { ip } = this.anyHost().machine;
    const other = this.anyHost().machine.ip;
    const isWhole = fraction(this.random) < 0.5;
    const cut = (isCut: boolean) => {
      if (isWhole) this.network.partition(ip, isCut);
      else this.network.cutLink(other, ip, isCut);
    };
    cut(true);
    this.schedule.after(forMs, () => cut(false));
  }

  /** Its sender hears no place of a member, and goes on without it while it still listens. */
  private maybeMute(sender: SimulatedHost): void {
    if (this.isCalm || fraction(this.random) >= this.muteShare) return;
    const [from, to] = [this.anyHost().machine.ip, sender.machine.ip];
    this.network.cutLink(from, to, true);
    this.schedule.after(MUTE_MS + below(this.random, MUTE_MS), () => this.network.cutLink(from, to, false));
  }

  private cancelSomething(): void {
    const running = [...this.begun.values()].filter((one) => one.result === undefined && one.sender.isAlive);
    const chosen = running[below(this.random, Math.max(1, running.length))];
    if (chosen === undefined) return;
    chosen.sender.handle({ kind: "cancel-transfer", transfer: chosen.transfer, reason: "interrupted" });
  }

  private fillSomeDisk(): void {
    this.anyHost().machine.setCapacity(100_000 + below(this.random, 100_000));
  }

  /** One transfer, or several at once, which may all be so small that they come to their commits together. */
  private startBurst(): void {
    const count = fraction(this.random) < 0.3 ? 1 : 2 + below(this.random, 4);
    this.startTransfers(count);
    // Whatever else happens at any time would rarely meet the moments of their commits.
    const soon = (what: () => void) => this.schedule.after(below(this.random, 60), what);
    if (fraction(this.random) < 0.4) soon(() => this.crashSomebody(below(this.random, 8_000)));
    if (count === 1 || fraction(this.random) < 0.3) return;
    for (let cuts = below(this.random, 6); cuts > 0; cuts--)
      soon(() => this.cutSomebodyOff(below(this.random, 60)));
    if (fraction(this.random) < 0.7) return;
    // One that is back at once, and another that does not hear what was decided before the next transfers come.
    soon(() => this.crashSomebody(below(this.random, 100)));
    soon(() => this.cutSomebodyOff(below(this.random, 4_000)));
    this.schedule.after(100 + below(this.random, 1_800), () => this.startTransfers(2));
  }

  private startTransfers(count: number): void {
    for (let index = 0; index < count; index++) {
      const sender = this.anyHost();
      if (!sender.isAlive) continue;
      const own = `t${++this.pushes}`;
      sender.machine.edit((edits) => edits.edit(drawEdits(this.random, own, 10)));
      this.start(sender, drawPush(this.random, own));
    }
  }

  private start(sender: SimulatedHost, push: Push, targets?: Member[]): void {
    if (!sender.isAlive || sender.engine.membership.size === 0 || sender.outboundCount >= OUTBOUND) return;
    const transfer = sender.startTransfer(push, targets);
    const name = inboundName({ epoch: sender.epoch, transfer });
    const known = this.begun.get(name);
    const fresh = { sender, transfer, name, push, isCalm: this.isCalm, isStill: false, isClash: false };
    this.begun.set(name, { ...fresh, result: known?.result, findings: new Map() });
  }

  private startCalm(push: Push, index = below(this.random, this.hosts.length), isClash = false): void {
    const sender = this.hosts[index]!;
    const [own] = push.request.paths;
    if (own !== undefined && own !== "")
      sender.machine.edit((edits) => edits.edit(drawEdits(this.random, own, 30, true)));
    this.start(sender, push);
    const last = [...this.begun.values()].at(-1);
    if (isClash && last !== undefined) last.isClash = true;
  }

  /** A sender that stood still does not take its members for silent. */
  private standStill(): void {
    const index = below(this.random, this.hosts.length);
    this.startCalm(ownPush(this.random, `still${++this.pushes}`), index);
    const last = [...this.begun.values()].at(-1);
    if (last !== undefined) last.isStill = true;
    this.schedule.after(below(this.random, 20), () =>
      this.hosts[index]!.suspend(LEAST_STANDSTILL_MS + below(this.random, STANDSTILL_RANGE_MS)),
    );
  }

  private orphan(): void {
    const { random, schedule, network, hosts } = this;
    const index = below(random, hosts.length);
    this.orphaning = new Orphaning(hosts[index]!, random, schedule, network);
    this.startCalm(ownPush(random, `orphan${++this.pushes}`), index);
    const last = [...this.begun.values()].at(-1);
    this.runFor(REST_MS);
    if (last !== undefined) this.orphaning.judge(last.name, hosts);
    this.orphaning = undefined;
  }

  private noteSaid(host: SimulatedHost, { type, body }: ControlMessage): void {
    if (type === "order") this.maybeMute(host);
    if (type !== "commit") return;
    const bringBack = (afterMs: number) => this.bringBack(this.hosts.indexOf(host), "kill", afterMs);
    this.orphaning?.noteCommit(host, body.targets, this.hosts, bringBack);
  }

  /** Two hosts send the same at the same time, each with contents of its own: in the end all have the same of it. */
  private clash(): void {
    const path = `clash${++this.pushes}`;
    const names: string[] = [];
    for (let count = 0; count < 2; count++)
      this.schedule.after(below(this.random, 40), () => {
        const { random } = this;
        const deletes = fraction(random) < 0.5 ? "also" : "nothing";
        const rules = { ...NO_RULES, deletes, isForced: true } as const;
        const allOrNothing = fraction(random) < 0.3;
        const push = { ...ownPush(random, path), rules, dryRun: false, allOrNothing };
        this.startCalm(push, undefined, true);
        names.push([...this.begun.keys()].at(-1) ?? "");
      });
    this.runFor(REST_MS);
    judgeClash(path, names, this.begun, this.machines);
  }

  private calmDown(): void {
    this.isCalm = true;
    const forged = this.network.faults.forged * 5;
    this.network.faults = { ...NO_FAULTS, forged };
    Object.assign(this.diskFaults, NO_DISK_FAULTS);
    for (const machine of this.machines) machine.setCapacity();
    for (const host of this.hosts) host.crashSoon("kill", 0);
  }

  private noteEvent(host: SimulatedHost, event: NodeEvent): void {
    if (event.kind === "findings") {
      const begun = this.begun.get(inboundName({ epoch: host.epoch, transfer: event.transfer }));
      noteFindings(begun, event);
    }
    if (event.kind !== "transfer-finished") return;
    const { result } = event;
    const name = inboundName({ epoch: host.epoch, transfer: result.transfer });
    const begun = this.begun.get(name);
    if (begun === undefined) return;
    check(begun.result === undefined, "a transfer ends once");
    begun.result = result;
    const { repairedFragments } = result;
    if (begun.isCalm && !begun.isStill)
      check(
        repairedFragments === 0,
        `${name} repaired ${repairedFragments} fragments although none was lost`,
      );
  }

  private runFor(ms: number): void {
    this.runUntil(this.schedule.nowMs + ms);
  }

  private runUntil(endMs: number): void {
    let steps = 0;
    while (this.schedule.nextMs() <= endMs) {
      check(++steps < 2_000_000, "the fleet runs in circles");
      this.schedule.step();
    }
    this.schedule.nowMs = endMs;
  }

  private judgeCalm(): void {
    for (const host of this.hosts) {
      const known = host.engine.membership.size;
      check(
        known === this.hosts.length - 1,
        `${host.name} knows ${known} of ${this.hosts.length - 1} members`,
      );
    }
  }

  private judge(): void {
    this.judgeCalm();
    for (const host of this.hosts) {
      check(host.engine.isIdle, `${host.name} has not come to an end`);
      host.machine.lookAgain("at the end");
    }
    for (const begun of this.begun.values()) judgeTransfer(begun, this.machines);
    judgeOrders(this.machines);
    // The last transfer was of everything, and deleted everything else.
    const first = exactly(pictureOf(this.machines[0]!.disk));
    for (const { name, disk } of this.machines) {
      const deviation = deviationOf(pictureOf(disk), first);
      check(deviation === undefined, `${name} has another tree than host0: ${deviation}`);
    }
  }

  /** What somebody without the key can put on the wire: a fragment that looks right, with content of his own. */
  private forge(packet: Packet): Packet {
    if ("plaintext" in packet) return { ...packet, isForged: true };
    const fragment = Object.assign(new FragmentHeader(), packet.fragment);
    // In calm times, it makes members believe what could never be.
    const isFar = this.isCalm || fraction(this.random) < 0.5;
    fragment.stamp = (fragment.stamp + (isFar ? FAR_STAMP + below(this.random, 2 ** 30) : 3)) >>> 0;
    return { ...packet, fragment, isForged: true, content: undefined };
  }
}
