import { below, fraction, type Random, SeededRandom } from "../../src/base/random.ts";
import { sentenceOf } from "../../src/base/reason.ts";
import { NodeEngine } from "../../src/engine/node.ts";
import type { Effect, InboundKey, Input, NodeEvent, StageOutcome } from "../../src/engine/types.ts";
import { inboundName } from "../../src/engine/types.ts";
import type { ScanRequest, ScanRules } from "../../src/tree/scan/request.ts";
import type { FragmentHeader } from "../../src/wire/datagram.ts";
import { type ControlMessage, decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { Announced } from "./announced.ts";
import { check } from "./check.ts";
import { type Death, type DiskFaults, DiskTrouble } from "./disk-trouble.ts";
import { JudgedStages } from "./judged-stages.ts";
import { fragmentsOf } from "./fragments.ts";
import type { Machine } from "./machine.ts";
import type { Network } from "./network.ts";
import { ReadingThread } from "./reading-thread.ts";
import type { Schedule } from "./schedule.ts";
import { Slots } from "./slots.ts";
import { checkStatus } from "./checked-status.ts";
import { SourceDriver, type WireBlock } from "./source-driver.ts";

/** A sealed control message, or a fragment, on the simulated wire. */
export type Packet = {
  readonly from: { nodeId: string; epoch: string };
  readonly ip: string;
  readonly isForged: boolean;
} & (
  | { readonly plaintext: Uint8Array }
  | { readonly fragment: FragmentHeader; readonly content: WireBlock | undefined }
);

export const OPTIONS = { windowBlocks: 12, socketFragments: 200, fragmentsPerSecond: Infinity };

/** Clocks of processes tell different times. */
const LATEST_CLOCK_MS = 1_000_000;

export interface Surroundings {
  readonly schedule: Schedule;
  readonly network: Network<Packet>;
  readonly random: Random;
  readonly diskFaults: DiskFaults;
  readonly onEvent: (host: SimulatedHost, event: NodeEvent) => void;
  /** It is about to say something. */
  readonly onSay: (host: SimulatedHost, message: ControlMessage) => void;
  /** The process has ended in the middle of its work. */
  readonly onDeath: (host: SimulatedHost, death: Death) => void;
}

/** What one transfer is asked to do. */
export interface Push {
  readonly request: ScanRequest;
  readonly rules: ScanRules;
  readonly dryRun: boolean;
  readonly allOrNothing: boolean;
  readonly blockBytes: number;
}

/** The daemon of a machine: the engine with a simulated network and clock around it, until it dies. */
export class SimulatedHost {
  readonly machine: Machine;
  readonly epoch: string;
  readonly engine: NodeEngine;
  private readonly surroundings: Surroundings;
  private readonly trouble: DiskTrouble;
  private readonly stages: JudgedStages;
  private readonly reading = new ReadingThread(() => !this.hasDied());
  private readonly nodeId: string;
  private readonly clockMs: number;
  private readonly slots = new Slots(OPTIONS.windowBlocks);
  private readonly dryRuns = new Set<string>();
  /** Transfers of all or nothing for which the reading thread stands still before they commit. */
  private readonly held = new Set<string>();
  private readonly diskQueue: (() => void)[] = [];
  private readonly suspended: (() => void)[] = [];
  private isSuspended = false;
  private isDiskBusy = false;
  private wakeMs = Infinity;
  private lastTransfer = 0;
  isAlive = true;

  constructor(machine: Machine, epoch: string, surroundings: Surroundings) {
    const { random, network, schedule } = surroundings;
    const { name, ip } = machine;
    this.machine = machine;
    this.epoch = epoch;
    this.surroundings = surroundings;
    // Padded so that host1 and host10 differ.
    this.nodeId = name.padEnd(32, "f").replace(/[^0-9a-f]/g, "e");
    this.clockMs = below(random, LATEST_CLOCK_MS);
    const info = { hostName: name, version: "0.0.0", protocol: 3, receives: true, sends: true, labels: [] };
    const self = { nodeId: this.nodeId, epoch, address: { ip, port: 5000 } };
    this.engine = new NodeEngine(self, info, OPTIONS, new SeededRandom(random.u32()));
    this.trouble = new DiskTrouble(random, surroundings.diskFaults);
    this.stages = new JudgedStages(machine, this.trouble);
    network.attach(ip, (packet) => this.whenAwake(() => this.receive(packet)));
    this.engine.membership.start(schedule.nowMs + this.clockMs);
  }

  /**
   * Recovers what an earlier process has left, and goes to the network.
   *
   * @param death that comes after so many changes of the recovery
   */
  start(death?: { readonly kind: Death; readonly changes: number }): void {
    const { disk } = this.machine;
    if (death !== undefined) {
      disk.before = this.trouble.hook;
      this.trouble.dieSoon(death.kind, death.changes);
    }
    this.trouble.canFail = false;
    this.stages.recover();
    this.trouble.canFail = true;
    if (this.hasDied()) return;
    this.trouble.dieSoon("kill", 0);
    disk.before = this.trouble.hook;
    this.pump();
  }

  get name(): string {
    return this.machine.name;
  }

  get outboundCount(): number {
    return this.reading.size;
  }

  /** The process dies between two calls. */
  crash(): void {
    this.isAlive = false;
    this.surroundings.network.detach(this.machine.ip);
    if (!this.trouble.isDead) this.reading.closeAll();
  }

  /** The process dies in the middle of one of the next calls that change the disk. */
  crashSoon(death: Death, changes: number): void {
    this.trouble.dieSoon(death, changes);
  }

  /** The process stands still; what comes meanwhile waits for it. */
  suspend(forMs: number): void {
    this.isSuspended = true;
    this.surroundings.schedule.after(forMs, () => {
      this.isSuspended = false;
      for (const event of this.suspended.splice(0)) if (this.isAlive) event();
    });
  }

  /** @returns the number of the transfer */
  startTransfer(push: Push, targets = [...this.engine.membership.members]): number {
    const transfer = ++this.lastTransfer;
    const { request, rules, dryRun, allOrNothing, blockBytes } = push;
    const { fleetwide, disk } = this.machine;
    const name = inboundName({ epoch: this.epoch, transfer });
    fleetwide.announced.set(name, new Announced(fleetwide.versions));
    this.reading.open(transfer, () => new SourceDriver(disk, request, { rules, dryRun }, blockBytes));
    this.handle({ kind: "start-transfer", request: { transfer, targets, dryRun, allOrNothing } });
    return transfer;
  }

  handle(input: Input): void {
    if (!this.isAlive) return;
    this.engine.handle(input, this.nowMs);
    this.pump();
  }

  private get nowMs(): number {
    return this.surroundings.schedule.nowMs + this.clockMs;
  }

  private whenAwake(event: () => void): void {
    if (!this.isAlive) return;
    if (this.isSuspended) this.suspended.push(event);
    else event();
  }

  private later(delayMs: number, event: () => void): void {
    this.surroundings.schedule.after(delayMs, () => this.whenAwake(event));
  }

  private hasDied(): boolean {
    this.trouble.rethrow();
    if (!this.trouble.isDead || !this.isAlive) return !this.isAlive;
    this.crash();
    this.surroundings.onDeath(this, this.trouble.death ?? "kill");
    return true;
  }

  private receive(packet: Packet): void {
    const source = { ip: packet.ip, port: 5000 };
    if ("plaintext" in packet) {
      // A seal that nobody with the key has made never opens.
      if (packet.isForged) return;
      this.handle({ kind: "message", from: packet.from, source, message: decodeMessage(packet.plaintext) });
      return;
    }
    const { fragment, content } = packet;
    const key = this.engine.acceptFragment(fragment, source);
    const { fragmentPlaces: places } = this.engine;
    if (key !== undefined && places !== undefined)
      this.slots.arrive(inboundName(key), fragment, content, places);
    this.engine.afterFragments(this.nowMs);
    this.pump();
  }

  private pump(): void {
    for (let effect = this.engine.poll(); effect !== undefined; effect = this.engine.poll())
      this.execute(effect);
    const deadlineMs = this.engine.nextDeadlineMs();
    if (deadlineMs >= this.wakeMs) return;
    this.wakeMs = deadlineMs;
    this.later(Math.max(0, deadlineMs - this.nowMs), () => {
      if (this.wakeMs !== deadlineMs) return;
      this.wakeMs = Infinity;
      this.handle({ kind: "tick" });
    });
  }

  private execute(effect: Effect): void {
    switch (effect.kind) {
      case "send":
        this.send(effect);
        break;
      case "send-block":
        this.sendBlock(effect);
        break;
      case "produce":
        this.produce(effect);
        break;
      case "settle":
        this.reading.settle(effect);
        break;
      case "close-source":
        this.reading.close(effect.transfer);
        break;
      case "event":
        this.surroundings.onEvent(this, effect.event);
        break;
      case "serve":
        // These nodes keep no log of publications.
        break;
      default:
        this.executeStaging(effect);
    }
  }

  private executeStaging(effect: Extract<Effect, { key: InboundKey }>): void {
    const { key } = effect;
    const name = inboundName(key);
    const held = `${name}-${key.admission}`;
    const { stages } = this;
    switch (effect.kind) {
      case "open-stage":
        if (effect.dryRun) this.dryRuns.add(name);
        this.onDisk(() => stages.open(key, effect.dryRun));
        break;
      case "stage":
        this.onDisk(() => this.stage(key, effect.block, effect.sealedBytes));
        break;
      case "prepare":
        this.onDisk(() => this.answer(stages.prepare(key)));
        break;
      case "weigh":
        this.reading.hold();
        this.held.add(held);
        this.onDisk(() => this.weigh(effect));
        break;
      case "commit":
        if (!this.held.delete(held)) this.reading.hold();
        this.onDisk(() => this.commit(effect));
        break;
      case "discard":
        if (this.held.delete(held)) this.reading.goOn();
        this.onDisk(() => this.endStage(key));
        this.slots.forget(name);
        break;
      case "read-findings":
        this.onDisk(() => this.find(key, effect.first));
        break;
    }
  }

  private find(key: InboundKey, first: number): void {
    this.answer({ kind: "found", key, first, findings: this.stages.find(inboundName(key), first) });
  }

  private endStage(key: InboundKey): void {
    this.stages.end(inboundName(key));
    this.answer({ kind: "closed", key });
  }

  private weigh({ key, own }: Extract<Effect, { kind: "weigh" }>): void {
    const why = this.stages.has(key) ? this.stages.refusalOf(key, this.reading.all(own)) : undefined;
    this.answer({ kind: "weighed", key, failure: why && sentenceOf(why) });
  }

  private commit({ key, ownAfter }: Extract<Effect, { kind: "commit" }>): void {
    const { stages } = this;
    const why = stages.refusalOf(key, this.reading.all(ownAfter));
    const answers = why === undefined ? stages.commit(key) : [stages.refuse(key, why)];
    this.reading.goOn();
    for (const answer of answers) this.answer(answer);
    if (this.isAlive && why !== undefined) this.endStage(key);
    if (this.isAlive && why === undefined) this.onDisk(() => this.clear(key));
  }

  private clear(key: InboundKey): void {
    this.answer(this.stages.clear(key));
    if (this.isAlive) this.endStage(key);
  }

  private answer(input: Input | undefined): void {
    if (!this.hasDied() && input !== undefined) this.handle(input);
  }

  private stage(key: InboundKey, number: number, sealedBytes: number): void {
    const block = this.slots.open(inboundName(key), number, sealedBytes);
    if (block === undefined)
      this.answer({ kind: "staged", key, blocks: [number], outcome: { kind: "corrupt" } });
    else this.answerStaged(key, number, block, this.stages.stage(key, number, block));
  }

  /** Between two steps of a comparison, others have their turn. */
  private answerStaged(
    key: InboundKey,
    number: number,
    block: WireBlock,
    outcome: StageOutcome | undefined,
  ): void {
    if (this.hasDied()) return;
    if (outcome !== undefined) return this.handle({ kind: "staged", key, blocks: [number], outcome });
    const name = inboundName(key);
    const planning = this.stages.planningOf(name);
    this.onDisk(() => this.answerStaged(key, number, block, this.stages.resume(name, planning, block)));
  }

  /** The disk does one thing after the other, each with a delay, and stops in the middle when the node dies. */
  private onDisk(work: () => void): void {
    this.diskQueue.push(work);
    if (!this.isDiskBusy) this.nextOnDisk();
  }

  private nextOnDisk(): void {
    this.isDiskBusy = true;
    this.later(this.trouble.delayMs(), () => {
      this.diskQueue.shift()?.();
      this.isDiskBusy = false;
      if (!this.hasDied() && this.diskQueue.length > 0) this.nextOnDisk();
    });
  }

  private produce({ transfer, firstBlock, count }: Extract<Effect, { kind: "produce" }>): void {
    const { random } = this.surroundings;
    const name = inboundName({ epoch: this.epoch, transfer });
    const isMade = (produced: Extract<Input, { kind: "produced" }>, source: SourceDriver | undefined) => {
      const announced = this.machine.fleetwide.announced.get(name);
      for (let number = firstBlock; number < firstBlock + produced.blocks.length; number++) {
        const block = source?.blocks[number];
        if (block !== undefined) announced?.add(block.kind, block.plaintext);
      }
      // The answer takes its time, too: what it says may be old when it arrives.
      this.later(fraction(random), () => this.handle(produced));
    };
    this.later(0.1 + fraction(random), () => this.reading.produce(transfer, firstBlock, count, isMade));
  }

  private send(effect: Extract<Effect, { kind: "send" }>): void {
    this.surroundings.onSay(this, effect.message);
    if (effect.message.type === "status")
      checkStatus(effect.message.body, this.machine, this.stages, this.dryRuns);
    const plaintext = encodeMessage(effect.message).slice();
    const { ip } = this.machine;
    const packet = { from: { nodeId: this.nodeId, epoch: this.epoch }, ip, isForged: false, plaintext };
    const { network } = this.surroundings;
    if (effect.destination.to === "group") network.multicast(ip, packet);
    else network.unicast(ip, effect.destination.address.ip, packet);
  }

  private sendBlock(effect: Extract<Effect, { kind: "send-block" }>): void {
    const { transfer, block } = effect;
    const sent = this.reading.get(transfer)?.blocks[block];
    check(sent !== undefined, "only blocks that were made are sent");
    const from = { nodeId: this.nodeId, epoch: this.epoch };
    const { ip } = this.machine;
    for (const fragment of fragmentsOf(this.epoch, sent, effect))
      this.surroundings.network.multicast(ip, { from, ip, isForged: false, fragment, content: sent });
    this.later(0.02, () => this.handle({ kind: "sent", transfer }));
  }
}
