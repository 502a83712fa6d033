import { below, fraction, SeededRandom, type Random } from "../../src/base/random.ts";
import { NodeEngine } from "../../src/engine/node.ts";
import {
  type Effect,
  inboundName,
  type InboundKey,
  type Input,
  type NodeEvent,
} from "../../src/engine/types.ts";
import {
  epochHalves,
  FragmentHeader,
  fragmentCount,
  FRAGMENT_PAYLOAD_BYTES,
} from "../../src/wire/datagram.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { MemberPhase, type Status } from "../../src/wire/status-message.ts";
import { check } from "./check.ts";
import type { BlockContent, SimulatedDisk, SimulatedEntry } from "./disk.ts";
import type { Network } from "./network.ts";
import type { Schedule } from "./schedule.ts";
import { SimulatedSource } from "./source.ts";

/** A sealed control message, or a fragment, on the simulated wire. */
export type Packet = {
  readonly from: { nodeId: string; epoch: string };
  readonly ip: string;
  readonly isForged: boolean;
} & (
  | { readonly plaintext: Uint8Array }
  | { readonly fragment: FragmentHeader; readonly content: BlockContent | undefined }
);

export const OPTIONS = { windowBlocks: 12, socketFragments: 200, fragmentsPerSecond: Infinity };

export interface DiskFaults {
  /** Chance that staging a block fails. */
  staging: number;
  /** Chance that an operation takes very long. */
  stall: number;
}

interface Surroundings {
  readonly schedule: Schedule;
  readonly network: Network<Packet>;
  readonly random: Random;
  readonly diskFaults: DiskFaults;
  readonly onEvent: (host: SimulatedHost, event: NodeEvent) => void;
}

/** A node's engine with a simulated network, disk and clock around it, until it crashes. */
export class SimulatedHost {
  readonly name: string;
  readonly ip: string;
  readonly epoch: string;
  readonly disk: SimulatedDisk;
  readonly engine: NodeEngine;
  readonly surroundings: Surroundings;
  readonly sources = new Map<number, SimulatedSource>();
  private readonly nodeId: string;
  private readonly sentBlocks = new Map<
    string,
    { content: BlockContent; sealedBytes: number; kind: number }
  >();
  private readonly slots = new Map<string, Map<string, BlockContent | undefined>>();
  private readonly diskQueue: (() => void)[] = [];
  private readonly begunNames = new Map<number, string>();
  private readonly dryRuns = new Set<string>();
  private isDiskBusy = false;
  private wakeMs = Infinity;
  isAlive = true;

  constructor(name: string, ip: string, epoch: string, disk: SimulatedDisk, surroundings: Surroundings) {
    this.name = name;
    this.ip = ip;
    this.epoch = epoch;
    this.disk = disk;
    this.surroundings = surroundings;
    // Padded so that host1 and host10 differ.
    this.nodeId = name.padEnd(32, "f").replace(/[^0-9a-f]/g, "e");
    const info = { hostName: name, version: "0.0.0", receives: true, sends: true, labels: [] };
    const random = new SeededRandom(surroundings.random.u32());
    this.engine = new NodeEngine({ nodeId: this.nodeId, epoch }, info, OPTIONS, random);
    this.disk.recover();
    surroundings.network.attach(ip, (packet) => this.receive(packet));
    this.engine.membership.start(surroundings.schedule.nowMs);
    this.pump();
  }

  /** The process dies: nothing that it had in hand goes on. */
  crash(): void {
    this.isAlive = false;
    this.surroundings.network.detach(this.ip);
  }

  startTransfer(
    transfer: number,
    entries: readonly SimulatedEntry[],
    dryRun: boolean,
    allOrNothing: boolean,
  ): void {
    this.sources.set(transfer, new SimulatedSource(entries));
    const targets = [...this.engine.membership.members];
    this.handle({ kind: "start-transfer", request: { transfer, targets, dryRun, allOrNothing } });
  }

  handle(input: Input): void {
    if (!this.isAlive) return;
    this.engine.handle(input, this.surroundings.schedule.nowMs);
    this.pump();
  }

  private receive(packet: Packet): void {
    if ("plaintext" in packet) {
      // A seal that nobody with the key has made never opens.
      if (packet.isForged) return;
      const message = decodeMessage(packet.plaintext);
      this.handle({ kind: "message", from: packet.from, source: { ip: packet.ip, port: 5000 }, message });
      return;
    }
    const nowMs = this.surroundings.schedule.nowMs;
    const { fragment, content } = packet;
    const key = this.engine.acceptFragment(fragment, { ip: packet.ip, port: 5000 });
    if (key !== undefined) {
      const slots = this.slots.get(inboundName(key)) ?? new Map<string, BlockContent | undefined>();
      this.slots.set(inboundName(key), slots);
      slots.set(`${fragment.block % OPTIONS.windowBlocks}/${fragment.index}`, content);
    }
    this.engine.afterFragments(nowMs);
    this.pump();
  }

  private pump(): void {
    for (let effect = this.engine.poll(); effect !== undefined; effect = this.engine.poll())
      this.execute(effect);
    const { schedule } = this.surroundings;
    const deadlineMs = this.engine.nextDeadlineMs();
    if (deadlineMs >= this.wakeMs) return;
    this.wakeMs = deadlineMs;
    schedule.after(Math.max(0, deadlineMs - schedule.nowMs), () => {
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
        this.produce(effect.transfer, effect.firstBlock, effect.count);
        break;
      case "settle":
        this.sources.get(effect.transfer)?.settle(effect.block, effect.contents);
        break;
      case "close-source":
        this.sources.delete(effect.transfer);
        break;
      case "event":
        this.surroundings.onEvent(this, effect.event);
        break;
      default:
        this.executeStaging(effect);
    }
  }

  private executeStaging(effect: Extract<Effect, { key: InboundKey }>): void {
    const { key } = effect;
    const name = inboundName(key);
    switch (effect.kind) {
      case "open-stage":
        this.begunNames.set(key.transfer, name);
        if (effect.dryRun) this.dryRuns.add(name);
        this.onDisk(() => this.disk.open(name, effect.dryRun));
        break;
      case "stage":
        this.onDisk(() => this.stage(key, effect.block, effect.sealedBytes));
        break;
      case "prepare":
        this.onDisk(() => {
          this.disk.prepare(name);
          const findings = this.disk.findingsOf(name).length;
          this.handle({ kind: "prepared", key, failure: undefined, isRefusal: false, findings });
        });
        break;
      case "commit":
        this.onDisk(() => this.disk.beginCommit(name));
        this.onDisk(() => this.commitSteps(key));
        break;
      case "discard":
        this.onDisk(() => this.disk.discard(name));
        break;
      case "read-findings":
        this.onDisk(() => {
          const findings = this.disk.findingsOf(name).slice(effect.first);
          this.handle({ kind: "found", key, first: effect.first, findings });
        });
        break;
    }
  }

  private commitSteps(key: InboundKey): void {
    if (this.disk.commitStep(inboundName(key))) {
      this.diskQueue.unshift(() => this.commitSteps(key));
      return;
    }
    this.handle({ kind: "committed", key, failure: undefined });
  }

  private stage(key: InboundKey, block: number, sealedBytes: number): void {
    if (fraction(this.surroundings.random) < this.surroundings.diskFaults.staging) {
      this.handle({
        kind: "staged",
        key,
        blocks: [block],
        outcome: { kind: "failed", reason: "no space left on the device" },
      });
      return;
    }
    const slots = this.slots.get(inboundName(key));
    const slot = block % OPTIONS.windowBlocks;
    const contents = Array.from({ length: fragmentCount(sealedBytes) }, (_, index) =>
      slots?.get(`${slot}/${index}`),
    );
    const [content] = contents;
    // The seal opens only if every fragment is the sender's, of this very block.
    const opens = content !== undefined && contents.every((one) => one === content);
    const outcome = opens
      ? this.disk.stage(inboundName(key), block, content)
      : ({ kind: "corrupt" } as const);
    this.handle({ kind: "staged", key, blocks: [block], outcome });
  }

  /** The disk does one thing after the other, each with a delay, and stops in the middle when the node dies. */
  private onDisk(work: () => void): void {
    this.diskQueue.push(work);
    if (!this.isDiskBusy) this.nextOnDisk();
  }

  private nextOnDisk(): void {
    const { schedule, random, diskFaults } = this.surroundings;
    const stallMs = fraction(random) < diskFaults.stall ? below(random, 3000) : 0;
    this.isDiskBusy = true;
    schedule.after(0.05 + fraction(random) + stallMs, () => {
      if (!this.isAlive) return;
      this.diskQueue.shift()?.();
      this.isDiskBusy = false;
      if (this.diskQueue.length > 0) this.nextOnDisk();
    });
  }

  private produce(transfer: number, firstBlock: number, count: number): void {
    const { schedule, random } = this.surroundings;
    schedule.after(0.1 + fraction(random), () => {
      const source = this.sources.get(transfer);
      if (source === undefined) return;
      const contents: BlockContent[] = [];
      const { blocks, state } = source.produce(firstBlock, count, (_, content) => contents.push(content));
      blocks.forEach((block, index) => {
        const sent = { content: contents[index]!, sealedBytes: block.sealedBytes, kind: block.kind };
        this.sentBlocks.set(`${transfer}/${firstBlock + index}`, sent);
      });
      // The answer takes its time, too: what it says may be old when it arrives.
      schedule.after(fraction(random), () => {
        this.handle({ kind: "produced", transfer, blocks, state, failure: undefined, unreadable: 0 });
      });
    });
  }

  private send(effect: Extract<Effect, { kind: "send" }>): void {
    if (effect.message.type === "status") this.checkStatus(effect.message.body, effect.destination);
    const plaintext = encodeMessage(effect.message).slice();
    const packet = {
      from: { nodeId: this.nodeId, epoch: this.epoch },
      ip: this.ip,
      isForged: false,
      plaintext,
    };
    const { network } = this.surroundings;
    if (effect.destination.to === "group") network.multicast(this.ip, packet);
    else network.unicast(this.ip, effect.destination.address.ip, packet);
  }

  /** An acknowledgement never precedes its durability. */
  private checkStatus(status: Status, destination: Extract<Effect, { kind: "send" }>["destination"]): void {
    if (destination.to === "group") return;
    // The world numbers the transfers of all hosts in one row, so the number alone tells which one is meant.
    const name = this.begunNames.get(status.transfer) ?? "";
    if (status.phase === MemberPhase.receiving) {
      check(
        this.disk.isStagedBelow(name, status.stagedBelow),
        `${this.name} acknowledges what it has not staged`,
      );
    }
    if (status.phase === MemberPhase.ready && !this.dryRuns.has(name)) {
      check(this.disk.stateOf(name) === "prepared", `${this.name} is ready without having prepared ${name}`);
    }
    if (status.phase === MemberPhase.ordered)
      check(this.disk.stateOf(name) === "prepared", `${this.name} has a place for what is not prepared`);
    if (status.phase === MemberPhase.done) {
      check(this.disk.committed.has(name), `${this.name} says done without having committed ${name}`);
    }
  }

  private sendBlock(effect: Extract<Effect, { kind: "send-block" }>): void {
    const sent = this.sentBlocks.get(`${effect.transfer}/${effect.block}`);
    check(sent !== undefined, "only blocks that were made are sent");
    let stamp = effect.stamp;
    const { high, low } = epochHalves(this.epoch);
    for (let index = 0; index < fragmentCount(sent.sealedBytes); index++) {
      const mask = index < 32 ? effect.maskLow : effect.maskHigh;
      if ((mask & (1 << (index & 31))) === 0) continue;
      const fragment = new FragmentHeader();
      Object.assign(fragment, {
        epochHigh: high,
        epochLow: low,
        transfer: effect.transfer,
        block: effect.block,
      });
      Object.assign(fragment, { stamp: stamp++, sealedBytes: sent.sealedBytes, index, kind: sent.kind });
      fragment.payloadBytes = FRAGMENT_PAYLOAD_BYTES;
      const from = { nodeId: this.nodeId, epoch: this.epoch };
      this.surroundings.network.multicast(this.ip, {
        from,
        ip: this.ip,
        isForged: false,
        fragment,
        content: sent.content,
      });
    }
    this.surroundings.schedule.after(0.02, () => this.handle({ kind: "sent", transfer: effect.transfer }));
  }
}
