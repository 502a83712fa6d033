import { Bitmap } from "../../src/base/bitmap.ts";
import { fraction, SeededRandom } from "../../src/base/random.ts";
import { CommitOrder } from "../../src/engine/commit-order.ts";
import { type EmptyStatus, emptyStatus } from "../../src/engine/receiver/status.ts";
import { TransferReceiver } from "../../src/engine/receiver/transfer-receiver.ts";
import type { Effect, EngineOptions, Member, InboundKey } from "../../src/engine/types.ts";
import { BlockKind, FragmentHeader } from "../../src/wire/datagram.ts";
import type { ControlMessage } from "../../src/wire/message.ts";
import type { Schedule } from "./schedule.ts";

/** Fragments of one block that are sent in one send. */
export interface Train {
  readonly block: number;
  readonly sealedBytes: number;
  readonly kind: number;
  readonly maskLow: number;
  readonly maskHigh: number;
  readonly firstStamp: number;
  /** The fragments that got lost on the way to all members, counted from 0. */
  readonly lost?: readonly number[];
}

// The times that a member's disk needs; chosen without measurement.
const PREPARE_MS = 5;
const COMMIT_MS = 2;

/** One member of a fleet: the real engine of a receiver, a line that loses datagrams, and a disk without faults. */
export class FleetReceiver {
  private readonly sender: Member;
  private readonly epoch: string;
  private readonly engineOptions: EngineOptions;
  private readonly random: SeededRandom;
  private readonly schedule: Schedule;
  private readonly loss: number;
  private readonly members: number;
  private readonly send: (message: ControlMessage) => void;
  private readonly header = new FragmentHeader();
  private engine: TransferReceiver | undefined;
  /** How many datagrams arrive before the next one is lost. */
  private untilLoss = Infinity;
  private wakeMs = Infinity;

  constructor(
    sender: Member,
    epoch: string,
    engineOptions: EngineOptions,
    fleet: { readonly loss: number; readonly members: number },
    seed: number,
    schedule: Schedule,
    send: (message: ControlMessage) => void,
  ) {
    this.sender = sender;
    this.epoch = epoch;
    this.engineOptions = engineOptions;
    this.random = new SeededRandom(seed);
    this.loss = fleet.loss;
    this.members = fleet.members;
    this.schedule = schedule;
    this.send = send;
    this.untilLoss = this.drawGap();
  }

  takeMessage(message: ControlMessage): void {
    if (this.losesNext()) return;
    const { nowMs } = this.schedule;
    const ended = this.engine?.ended;
    if (ended !== undefined) this.answerFromMemory(message, ended);
    else if (message.type === "offer" && message.body.targets.includes(this.epoch)) {
      if (this.engine === undefined) this.begin(message.body);
      else this.engine.handleOffer(nowMs);
    } else if (message.type === "progress") this.engine?.handleProgress(message.body, nowMs);
    else if (message.type === "order") this.engine?.handleOrder(message.body, nowMs);
    else if (message.type === "commit") this.engine?.handleCommit(message.body, nowMs);
    this.pump();
  }

  /** As a node does that has a transfer behind it. */
  private answerFromMemory(message: ControlMessage, ended: EmptyStatus): void {
    const isAsked =
      message.type === "progress" ||
      ((message.type === "order" || message.type === "commit") && message.body.targets.includes(this.epoch));
    if (!isAsked) return;
    const name = { epoch: this.sender.epoch, transfer: message.body.transfer };
    this.send({ type: "status", body: emptyStatus(name, ended) });
  }

  takeTrain(train: Train): void {
    if (this.engine === undefined) return;
    let { maskLow, maskHigh } = train;
    let last = -1;
    let count = 0;
    const { lost } = train;
    for (let low = maskLow, high = maskHigh; low !== 0 || high !== 0; count++) {
      // Mostly a whole train arrives, and then its datagrams need not be handled one by one.
      if (count === 0 && lost === undefined && this.untilLoss >= 44) {
        count = bits(low) + bits(high);
        this.untilLoss -= count;
        last = count - 1;
        break;
      }
      const bit = low !== 0 ? low & -low : high & -high;
      const isLost = (lost !== undefined && lost.includes(count)) || this.losesNext();
      if (!isLost) last = count;
      if (low !== 0) {
        low &= low - 1;
        if (isLost) maskLow &= ~bit;
      } else {
        high &= high - 1;
        if (isLost) maskHigh &= ~bit;
      }
    }
    if (last < 0) return;
    const { header } = this;
    header.block = train.block;
    header.sealedBytes = train.sealedBytes;
    header.kind = train.kind;
    header.stamp = (train.firstStamp + last) >>> 0;
    this.engine.acceptRun(header, { low: maskLow, high: maskHigh });
    this.engine.afterFragments(this.schedule.nowMs);
    this.pump();
  }

  private begin(offer: Extract<ControlMessage, { type: "offer" }>["body"]): void {
    const context = {
      selfEpoch: this.epoch,
      random: new SeededRandom(this.random.u32()),
      options: this.engineOptions,
      inFlight: () => this.engineOptions.socketFragments,
      members: () => this.members,
      commitOrder: new CommitOrder(),
      waitingBefore: () => 0,
    };
    const key = { epoch: this.sender.epoch, transfer: offer.transfer, admission: 1 };
    this.engine = new TransferReceiver(context, key, this.sender, offer, this.schedule.nowMs);
  }

  private losesNext(): boolean {
    if (this.untilLoss-- > 0) return false;
    this.untilLoss = this.drawGap();
    return true;
  }

  /** The number of datagrams between two losses is distributed geometrically. */
  private drawGap(): number {
    if (this.loss === 0) return Infinity;
    return Math.floor(Math.log(1 - fraction(this.random)) / Math.log(1 - this.loss));
  }

  private pump(): void {
    const { engine } = this;
    if (engine === undefined) return;
    for (let effect = engine.poll(); effect !== undefined; effect = engine.poll())
      this.execute(engine, effect);
    const deadlineMs = engine.nextDeadlineMs();
    if (deadlineMs >= this.wakeMs) return;
    this.wakeMs = deadlineMs;
    this.schedule.after(Math.max(0, deadlineMs - this.schedule.nowMs), () => {
      if (this.wakeMs !== deadlineMs) return;
      this.wakeMs = Infinity;
      engine.tick(this.schedule.nowMs);
      this.pump();
    });
  }

  private execute(engine: TransferReceiver, effect: Effect): void {
    if (effect.kind === "send") this.send(effect.message);
    else if (effect.kind === "stage") {
      const wants = effect.blockKind === BlockKind.manifest ? allOf(1) : undefined;
      const { key, block } = effect;
      const input = {
        kind: "staged",
        key,
        blocks: [block],
        outcome: { kind: "staged", wants, ...NOTHING_MORE },
      } as const;
      engine.handleStaged(input, this.schedule.nowMs);
    } else if (effect.kind === "prepare") {
      const { key } = effect;
      this.later(PREPARE_MS, () => engine.handlePrepared(prepared(key), this.schedule.nowMs));
    } else if (effect.kind === "commit") {
      this.later(COMMIT_MS, () => engine.handleCommitted(undefined, this.schedule.nowMs));
    }
  }

  private later(delayMs: number, work: () => void): void {
    this.schedule.after(delayMs, () => {
      work();
      this.pump();
    });
  }
}

const NOTHING_MORE = { differences: undefined, findings: 0 } as const;
const prepared = (key: InboundKey) =>
  ({ kind: "prepared", key, failure: undefined, isRefusal: false, findings: 0 }) as const;

function allOf(entries: number): Bitmap {
  const all = new Bitmap(entries);
  for (let index = 0; index < entries; index++) all.set(index);
  return all;
}

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}
