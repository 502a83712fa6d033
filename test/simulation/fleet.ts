import { Bitmap } from "../../src/base/bitmap.ts";
import { fraction, SeededRandom } from "../../src/base/random.ts";
import { CommitOrder } from "../../src/engine/commit-order.ts";
import { SilentMembers } from "../../src/engine/sender/silent-members.ts";
import { TokenBucket } from "../../src/engine/sender/token-bucket.ts";
import { TransferSender } from "../../src/engine/sender/transfer-sender.ts";
import type {
  Effect,
  EngineOptions,
  Input,
  Member,
  ProducedBlock,
  TransferResult,
} from "../../src/engine/types.ts";
import { BlockKind, SEALED_BLOCK_BYTES } from "../../src/wire/datagram.ts";
import { BLOCK_FRAGMENTS, WINDOW_BLOCKS } from "../../src/wire/limits.ts";
import { encodeMessage, type ControlMessage } from "../../src/wire/message.ts";
import type { Status } from "../../src/wire/status-message.ts";
import { check } from "./check.ts";
import { FleetReceiver, type Train } from "./fleet-receiver.ts";
import { Bottleneck, type BottleneckOptions, WIRE_FRAGMENT_BYTES, wireControlBytes, wireMs } from "./link.ts";
import { Schedule } from "./schedule.ts";
import { nodeInfo } from "../support/node-info.ts";

/**
 * One transfer to very many members, in virtual time: the real engines of a sender and of all receivers around a
 * minimal network. A send of the sender is one event for all members. The losses of each member are drawn as gaps
 * between losses, so that a thousand members receive a gigabyte within seconds.
 */

export interface FleetOptions {
  readonly seed: number;
  readonly members: number;
  readonly dataBytes: number;
  /** Share of the datagrams that each member loses independently, and share of the STATUS messages that are lost. */
  readonly loss: number;
  readonly linkMbps: number;
  readonly socketFragments: number;
  readonly rateMbps?: number;
  readonly bottleneck?: BottleneckOptions & { readonly before: "everybody" | "one member" };
}

/** The cost of a fleet's transfer. */
export interface FleetFigures {
  readonly result: TransferResult;
  readonly virtualMs: number;
  /** Fragments of the data and of the manifest. */
  readonly neededFragments: number;
  readonly feedbackBytes: number;
  readonly announcedBytes: number;
  readonly statusCount: number;
  /** STATUS messages that found the sender's socket buffer full. */
  readonly droppedStatuses: number;
  /** Fragments that found a bottleneck's queue full. */
  readonly droppedFragments: number;
  /** How many fragments had been sent at each 100 ms. */
  readonly sentAt100Ms: readonly number[];
}

/** The latency of a LAN; chosen without measurement. */
const LATENCY_MS = 0.1;
/** How many small datagrams a sender's socket holds at the kernel's default size, and the time to handle one. */
const STATUS_BUFFER = 256;
const STATUS_HANDLING_MS = 0.02;
const SENDER_EPOCH = "f".repeat(16);

export class Fleet {
  readonly schedule = new Schedule();
  readonly options: FleetOptions;
  private readonly random: SeededRandom;
  private readonly sender: TransferSender;
  private readonly receivers: FleetReceiver[];
  private readonly byIp = new Map<string, FleetReceiver>();
  private readonly bottleneck: Bottleneck | undefined;
  private readonly blocks: number;
  private producedBlocks = 0;
  private isSettled = false;
  private lineFreeMs = 0;
  private wakeMs = Infinity;
  private readonly inbox: { epoch: string; status: Status }[] = [];
  private feedbackBytes = 0;
  private announcedBytes = 0;
  private statusCount = 0;
  private droppedStatuses = 0;
  private droppedFragments = 0;
  private sentFragments = 0;
  private readonly sentAt100Ms: number[] = [];
  private result: TransferResult | undefined;
  private finishedMs = 0;

  constructor(options: FleetOptions) {
    this.options = options;
    this.random = new SeededRandom(options.seed);
    this.blocks = Math.ceil(options.dataBytes / SEALED_BLOCK_BYTES);
    this.bottleneck = options.bottleneck && new Bottleneck(options.bottleneck);
    const engineOptions: EngineOptions = {
      windowBlocks: WINDOW_BLOCKS,
      socketFragments: options.socketFragments,
      fragmentsPerSecond: ((options.rateMbps ?? Infinity) * 1_000_000) / 8 / WIRE_FRAGMENT_BYTES,
    };
    const targets = Array.from({ length: options.members }, (_, index) => memberOf(index));
    const sender: Member = { ...memberOf(0), epoch: SENDER_EPOCH };
    this.receivers = targets.map(
      ({ epoch }) =>
        new FleetReceiver(
          sender,
          epoch,
          engineOptions,
          options,
          this.random.u32(),
          this.schedule,
          (message) => this.takeStatus(epoch, message),
        ),
    );
    for (const [index, receiver] of this.receivers.entries())
      this.byIp.set(memberOf(index).address.ip, receiver);
    const request = { transfer: 1, targets, dryRun: false, allOrNothing: false, rank: 1 };
    this.sender = new TransferSender(
      request,
      engineOptions,
      {
        epoch: SENDER_EPOCH,
        bucket: new TokenBucket(engineOptions.fragmentsPerSecond / 1000),
        places: new CommitOrder(),
        silent: new SilentMembers(),
      },
      0,
    );
  }

  /** Runs the whole transfer. */
  run(): FleetFigures {
    this.countSent();
    this.pump();
    while (this.result === undefined) {
      check(this.schedule.nowMs < 600_000, "the transfer has not come to its end in ten minutes");
      this.schedule.step();
    }
    const { feedbackBytes, announcedBytes, statusCount, droppedStatuses, droppedFragments, sentAt100Ms } =
      this;
    return {
      result: this.result,
      virtualMs: this.finishedMs,
      neededFragments: this.blocks * BLOCK_FRAGMENTS + 1,
      feedbackBytes,
      announcedBytes,
      statusCount,
      droppedStatuses,
      droppedFragments,
      sentAt100Ms,
    };
  }

  private countSent(): void {
    this.sentAt100Ms.push(this.sentFragments);
    this.schedule.after(100, () => this.countSent());
  }

  private pump(): void {
    for (let effect = this.sender.poll(); effect !== undefined; effect = this.sender.poll())
      this.execute(effect);
    const deadlineMs = this.sender.nextDeadlineMs();
    if (deadlineMs >= this.wakeMs) return;
    this.wakeMs = deadlineMs;
    this.schedule.after(Math.max(0, deadlineMs - this.schedule.nowMs), () => {
      if (this.wakeMs !== deadlineMs) return;
      this.wakeMs = Infinity;
      this.sender.tick(this.schedule.nowMs);
      this.pump();
    });
  }

  private execute(effect: Effect): void {
    if (effect.kind === "send") this.announce(effect);
    else if (effect.kind === "send-block") this.sendBlock(effect);
    else if (effect.kind === "produce") this.produce(effect.count);
    else if (effect.kind === "settle") this.isSettled = true;
    else if (effect.kind === "event" && effect.event.kind === "transfer-finished") {
      this.result = effect.event.result;
      this.finishedMs = this.schedule.nowMs;
    }
  }

  private announce({ message, destination }: Extract<Effect, { kind: "send" }>): void {
    const bytes = wireControlBytes(encodeMessage(message).length);
    this.announcedBytes += bytes;
    const atMs = this.occupyLine(bytes);
    this.schedule.after(atMs + LATENCY_MS - this.schedule.nowMs, () => {
      if (destination.to === "group") for (const receiver of this.receivers) receiver.takeMessage(message);
      else this.byIp.get(destination.address.ip)?.takeMessage(message);
    });
  }

  /** The time at which the line has carried this many more bytes. */
  private occupyLine(bytes: number): number {
    this.lineFreeMs = Math.max(this.lineFreeMs, this.schedule.nowMs) + wireMs(bytes, this.options.linkMbps);
    return this.lineFreeMs;
  }

  private produce(count: number): void {
    const blocks: ProducedBlock[] = [];
    const hasManifest = this.producedBlocks > 0;
    if (!hasManifest) blocks.push({ kind: BlockKind.manifest, sealedBytes: 200, entries: 1 });
    const left = this.isSettled ? this.blocks + 1 - this.producedBlocks : 0;
    for (let index = 0; index < Math.min(count, left); index++)
      blocks.push({ kind: BlockKind.data, sealedBytes: SEALED_BLOCK_BYTES, entries: 0 });
    this.producedBlocks += blocks.length;
    const state = !this.isSettled ? "idle" : this.producedBlocks === this.blocks + 1 ? "end" : "more";
    const input: Extract<Input, { kind: "produced" }> = {
      kind: "produced",
      transfer: 1,
      blocks,
      state,
      failure: undefined,
      unreadable: 0,
    };
    this.schedule.after(0.05 + 0.05 * fraction(this.random), () => {
      this.sender.handleProduced(input, this.schedule.nowMs);
      this.pump();
    });
  }

  private sendBlock(effect: Extract<Effect, { kind: "send-block" }>): void {
    const isManifest = effect.block === 0;
    const train: Train = {
      block: effect.block,
      sealedBytes: isManifest ? 200 : SEALED_BLOCK_BYTES,
      kind: isManifest ? BlockKind.manifest : BlockKind.data,
      maskLow: effect.maskLow,
      maskHigh: effect.maskHigh,
      firstStamp: effect.stamp,
    };
    const startMs = Math.max(this.lineFreeMs, this.schedule.nowMs);
    const fragments = bitsOf(train.maskLow) + bitsOf(train.maskHigh);
    this.sentFragments += fragments;
    const endMs = this.occupyLine(fragments * WIRE_FRAGMENT_BYTES);
    this.schedule.after(endMs - this.schedule.nowMs, () => {
      this.deliver(train, startMs, fragments);
      this.sender.handleSent(this.schedule.nowMs);
      this.pump();
    });
  }

  private deliver(train: Train, startMs: number, fragments: number): void {
    const before = this.options.bottleneck?.before;
    const narrow = before === undefined ? undefined : this.throughBottleneck(train, startMs, fragments);
    const wide = before === "everybody" ? narrow : { train, delayMs: 0 };
    const [first, ...others] = this.receivers;
    if (before === "one member") this.handOver(narrow, first === undefined ? [] : [first]);
    this.handOver(wide, before === "one member" ? others : this.receivers);
  }

  private handOver(arriving: Arriving | undefined, receivers: readonly FleetReceiver[]): void {
    if (arriving === undefined || receivers.length === 0) return;
    this.schedule.after(LATENCY_MS + arriving.delayMs, () => {
      for (const receiver of receivers) receiver.takeTrain(arriving.train);
    });
  }

  /** The part of a train that gets through the bottleneck; undefined if nothing does. */
  private throughBottleneck(train: Train, startMs: number, fragments: number): Arriving | undefined {
    const bottleneck = this.bottleneck;
    check(bottleneck !== undefined, "there is a bottleneck");
    const eachMs = (this.schedule.nowMs - startMs) / fragments;
    const lost: number[] = [];
    for (let index = 0; index < fragments; index++) {
      if (!bottleneck.takes(startMs + (index + 1) * eachMs, WIRE_FRAGMENT_BYTES)) lost.push(index);
    }
    this.droppedFragments += lost.length;
    if (lost.length === fragments) return undefined;
    return { train: { ...train, lost }, delayMs: bottleneck.delayMs };
  }

  private takeStatus(epoch: string, message: ControlMessage): void {
    check(message.type === "status", "members send nothing but STATUS");
    this.statusCount++;
    this.feedbackBytes += wireControlBytes(encodeMessage(message).length);
    if (fraction(this.random) < this.options.loss) return;
    this.schedule.after(LATENCY_MS, () => {
      if (this.inbox.length >= STATUS_BUFFER) {
        this.droppedStatuses++;
        return;
      }
      this.inbox.push({ epoch, status: message.body });
      if (this.inbox.length === 1) this.schedule.after(STATUS_HANDLING_MS, () => this.handleStatus());
    });
  }

  private handleStatus(): void {
    const first = this.inbox.shift();
    if (first === undefined) return;
    this.sender.handleStatus(first.epoch, first.status, this.schedule.nowMs);
    if (this.inbox.length > 0) this.schedule.after(STATUS_HANDLING_MS, () => this.handleStatus());
    this.pump();
  }
}

interface Arriving {
  readonly train: Train;
  readonly delayMs: number;
}

function memberOf(index: number): Member {
  const info = nodeInfo(`host${index}`, { version: "0.0.0" });
  return {
    nodeId: index.toString(16).padStart(32, "0"),
    epoch: (index + 1).toString(16).padStart(16, "0"),
    address: { ip: `10.0.${index >> 8}.${index & 255}`, port: 5000 },
    info,
    joinedMs: 0,
  };
}

function bitsOf(mask: number): number {
  return new Bitmap(32, new Uint8Array(new Int32Array([mask]).buffer)).count();
}
