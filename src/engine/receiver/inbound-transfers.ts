/** All transfers that a node receives, and those that it has received. */
import { sentence } from "../../base/reason.ts";
import type { Random } from "../../base/random.ts";
import { serialAdd } from "../../base/serial.ts";
import { epochHalves, type FragmentHeader } from "../../wire/datagram.ts";
import { INBOUND_TRANSFERS } from "../../wire/limits.ts";
import type { ControlMessage } from "../../wire/message.ts";
import { MemberPhase } from "../../wire/status-message.ts";
import type { Offer, Relay, Yield } from "../../wire/transfer-messages.ts";
import type { CommitOrder } from "../commit-order.ts";
import { comesBefore, type Ranked } from "../ranks.ts";
import { type FragmentMask, setMask } from "../fragment-mask.ts";
import {
  type Address,
  type Effect,
  type EngineOptions,
  type InboundKey,
  inboundName,
  type Input,
  type Member,
  sameAddress,
  type TransferName,
} from "../types.ts";
import { inFlightShare } from "../window.ts";
import { CommitRelay } from "./commit-relay.ts";
import type { ReceiverContext } from "./context.ts";
import { DiskWatch } from "./disk-watch.ts";
import { EndedTransfers } from "./ended-transfers.ts";
import { type EmptyStatus, emptyStatus } from "./status.ts";
import { TransferReceiver } from "./transfer-receiver.ts";
import { WaitingOffers } from "./waiting-offers.ts";

/** The answers of a node's disk about what it receives. */
export type InboundInput = Extract<
  Input,
  {
    kind:
      | "staged"
      | "prepared"
      | "weighed"
      | "switched"
      | "committed"
      | "overtaken"
      | "found"
      | "closed"
      | "worked";
  }
>;

/** What a node is to its incoming transfers. */
export interface InboundSurroundings {
  readonly selfEpoch: string;
  /** Whether the node receives at all. */
  readonly receives: boolean;
  readonly options: EngineOptions;
  readonly random: Random;
  /** How many other nodes there are. */
  readonly members: () => number;
  /** The places of all transfers that this node receives or sends. */
  readonly places: CommitOrder;
  /** Where effects are put. */
  readonly effects: Effect[];
}

/**
 * All transfers that a node receives (PROTOCOL.md 5.1, 5.7, 5.9, 5.10): admits new ones in their order, leads messages,
 * fragments and the disk's answers to them, and remembers how they have ended. Between them stands the order of their
 * commits.
 */
export class InboundTransfers {
  private readonly selfEpoch: string;
  private readonly receives: boolean;
  private readonly effects: Effect[];
  private readonly context: ReceiverContext;
  private readonly transfers = new Map<string, TransferReceiver>();
  private readonly waiting = new WaitingOffers();
  private readonly disk = new DiskWatch();
  private readonly ended = new EndedTransfers();
  private readonly relay: CommitRelay;
  /** How many transfers this node has admitted, as a serial number. */
  private admissions = 0;
  /** Grows whenever something that this node receives makes progress, as a serial number. */
  private movements = 0;
  /** The transfer that the last fragment belonged to: the next one mostly does too. */
  private lastUsed: { high: number; low: number; receiver: TransferReceiver } | undefined;
  /** Transfers to which fragments have come since the last call of afterFragments. */
  private readonly touched = new Set<TransferReceiver>();
  /** Which fragments of the last run are to be kept. */
  readonly accepted: FragmentMask = { low: 0, high: 0 };
  /** Where they belong; undefined if no transfer takes fragments of that run. */
  fragmentPlaces: TransferReceiver["fragmentPlaces"] | undefined;

  constructor({ selfEpoch, receives, options, random, members, places, effects }: InboundSurroundings) {
    this.selfEpoch = selfEpoch;
    this.receives = receives;
    this.effects = effects;
    const inFlight = () => inFlightShare(options.socketFragments, this.transfers.size);
    const waitingBefore = (ranked: Ranked) => this.waiting.countBefore(ranked);
    this.context = { selfEpoch, random, options, members, inFlight, commitOrder: places, waitingBefore };
    this.relay = new CommitRelay(this.context, effects);
  }

  get isEmpty(): boolean {
    return this.transfers.size === 0;
  }

  /** The sender of a transfer says something of it. Messages of other kinds are ignored. */
  handleMessage(member: Member, message: ControlMessage, nowMs: number): void {
    switch (message.type) {
      case "offer":
        this.handleOffer(member, message.body, nowMs);
        break;
      case "inquiry":
        this.of(member, message.body.transfer)?.handleInquiry(message.body, nowMs);
        break;
      case "abort": {
        const { transfer, targets, reason } = message.body;
        // No targets at all stand for everybody.
        if (targets.length === 0 || targets.includes(this.selfEpoch)) {
          this.waiting.forget({ epoch: member.epoch, transfer });
          this.of(member, transfer)?.discard(reason);
        }
        break;
      }
      case "yield":
        this.handleYield(member, message.body, nowMs);
        break;
      case "progress": {
        const receiver = this.of(member, message.body.transfer);
        if (receiver === undefined) this.answerFromMemory(member, message.body.transfer);
        else receiver.handleProgress(message.body, nowMs);
        break;
      }
      case "query":
        this.relay.answer(member.epoch, message.body, nowMs);
        break;
      case "relay":
        this.handleRelay(message.body, nowMs);
        break;
      case "order":
      case "commit": {
        const { transfer, targets } = message.body;
        const receiver = this.of(member, transfer);
        if (message.type === "commit" && receiver !== undefined)
          this.relay.noteCommit(receiver.key, message.body);
        if (receiver === undefined) {
          if (targets.includes(this.selfEpoch)) this.answerFromMemory(member, transfer);
        } else if (message.type === "order") receiver.handleOrder(message.body, nowMs);
        else receiver.handleCommit(message.body, nowMs);
        break;
      }
    }
  }

  /** The disk answers. */
  handle(input: InboundInput, nowMs: number): void {
    const receiver = this.transfers.get(inboundName(input.key));
    this.movements = serialAdd(this.movements, 1);
    this.disk.noteSign();
    if (input.kind === "closed") this.disk.noteClosed(input.key);
    // It is about an earlier admission of the same transfer.
    if (receiver?.key.admission !== input.key.admission) return;
    switch (input.kind) {
      case "staged":
        receiver.handleStaged(input, nowMs);
        break;
      case "prepared":
        receiver.handlePrepared(input, nowMs);
        break;
      case "weighed":
        receiver.handleWeighed(input.failure, nowMs);
        break;
      case "switched":
        receiver.handleSwitched();
        break;
      case "committed":
        receiver.handleCommitted(input.failure, nowMs);
        break;
      case "overtaken":
        receiver.handleOvertaken(input.failure, nowMs);
        break;
      case "found":
        receiver.handleFound(input.first, input.findings);
        break;
      case "worked":
        receiver.noteWork();
        break;
    }
  }

  /**
   * The hot path: fragments of one block that follow each other in it.
   *
   * @param last the header of the last of them
   * @returns the transfer that needs payloads, those in `accepted`; undefined when nobody needs any
   */
  acceptRun(last: FragmentHeader, count: number, source: Address): InboundKey | undefined {
    const receiver = this.receiverOf(last);
    this.fragmentPlaces = undefined;
    if (receiver === undefined || !sameAddress(receiver.sender.address, source)) return undefined;
    this.touched.add(receiver);
    setMask(this.accepted, last.index - count + 1, count);
    if (receiver.acceptRun(last, this.accepted)) this.fragmentPlaces = receiver.fragmentPlaces;
    return (this.accepted.low | this.accepted.high) === 0 ? undefined : receiver.key;
  }

  /** To be called when a batch of datagrams has been read and its payloads are in place. */
  afterFragments(nowMs: number): void {
    for (const receiver of this.touched) receiver.afterFragments(nowMs);
    this.touched.clear();
  }

  /** A sender is gone, and with it all that it was sending. */
  senderLeft(epoch: string, reason: string, nowMs: number): void {
    this.waiting.forgetSender(epoch);
    for (const receiver of this.transfers.values()) {
      if (receiver.key.epoch === epoch) receiver.orphan(reason, nowMs);
    }
  }

  tick(nowMs: number): void {
    this.relay.tick(nowMs);
    for (const receiver of this.transfers.values()) {
      receiver.tick(nowMs);
      if (receiver.isForsaken) this.disk.noteOver(receiver.key);
    }
  }

  nextDeadlineMs(): number {
    let earliest = this.relay.atMs;
    for (const receiver of this.transfers.values()) earliest = Math.min(earliest, receiver.nextDeadlineMs());
    return earliest;
  }

  /**
   * Moves the effects of all transfers to the others of the node, clears away those that have ended, and admits those
   * that wait for their places.
   */
  collect(nowMs: number): void {
    // Those that are admitted on the way are visited as well: a Map keeps the order of insertion.
    for (const receiver of this.transfers.values()) {
      // Another transfer may have ended that came before this one.
      receiver.commitInTurn();
      this.takeEffects(receiver, nowMs);
      if (receiver.ended === undefined) continue;
      this.remove(receiver);
      this.ended.add(receiver.key, receiver.ended);
      this.admitWaiting(nowMs);
    }
  }

  private handleOffer(member: Member, offer: Offer, nowMs: number): void {
    if (!offer.targets.includes(this.selfEpoch)) return;
    const key: TransferName = { epoch: member.epoch, transfer: offer.transfer };
    const known = this.transfers.get(inboundName(key));
    const lastWord = this.ended.of(key);
    const reason = this.whyNot(offer, nowMs);
    if (known !== undefined) {
      known.handleOffer(nowMs);
    } else if (lastWord !== undefined) {
      this.answer(member, key, lastWord);
    } else if (reason !== undefined) {
      const refusal = { phase: MemberPhase.failed, reason };
      this.ended.add(key, refusal);
      this.answer(member, key, refusal);
    } else {
      this.letWait(member, offer, nowMs);
    }
  }

  /** Why this node takes no transfer; undefined if it does. */
  private whyNot({ dryRun }: Offer, nowMs: number): string | undefined {
    // A dry run changes nothing: it may compare the files of a node that takes none.
    if (!this.receives && !dryRun) return sentence("does-not-receive");
    const hungMs = this.disk.hungMs(nowMs);
    return hungMs === undefined ? undefined : sentence("disk-hung", Math.floor(hungMs / 1000));
  }

  /** Admits an offered transfer, or lets it wait: the sender goes on offering it. */
  private letWait(sender: Member, offer: Offer, nowMs: number): void {
    const name = { epoch: sender.epoch, transfer: offer.transfer };
    const ranked = { name, rank: offer.rank };
    const isNew = this.waiting.note({ ...ranked, sender, offer, heardMs: nowMs });
    this.admitWaiting(nowMs);
    if (this.transfers.has(inboundName(name))) return;
    const ahead = this.transfers.size + this.waiting.countBefore(ranked);
    const waiting = { phase: MemberPhase.waiting, reason: "", worked: this.movements } as const;
    // A sender that gives no rank knows nothing of admissions.
    const admission = offer.rank === 0 ? {} : { admission: this.admissions, ahead };
    this.answer(sender, name, { ...waiting, ...admission });
    if (!isNew) return;
    for (const receiver of this.transfers.values())
      if (comesBefore(ranked, rankedOf(receiver))) receiver.askToYield(nowMs);
  }

  /** Gives the places that are free to those that wait, in their order (PROTOCOL.md 5.10). */
  private admitWaiting(nowMs: number): void {
    while (this.transfers.size < INBOUND_TRANSFERS && !this.waiting.isEmpty) {
      const first = this.waiting.takeFirst(nowMs);
      if (first === undefined) return;
      // 0 stands for none.
      this.admissions = serialAdd(this.admissions, 1) || 1;
      const key = { ...first.name, admission: this.admissions };
      const receiver = new TransferReceiver(this.context, key, first.sender, first.offer, nowMs);
      this.transfers.set(inboundName(key), receiver);
    }
  }

  /** The sender gives back a place: the transfer waits again, as if it had just been offered. */
  private handleYield(sender: Member, { transfer, target, admission }: Yield, nowMs: number): void {
    const receiver = this.of(sender, transfer);
    if (target !== this.selfEpoch || receiver?.key.admission !== admission) return;
    if (!receiver.yieldPlace()) return;
    this.takeEffects(receiver, nowMs);
    this.remove(receiver);
    this.waiting.note({ ...rankedOf(receiver), sender, offer: receiver.offer, heardMs: nowMs });
    this.admitWaiting(nowMs);
  }

  private takeEffects(receiver: TransferReceiver, nowMs: number): void {
    for (let effect = receiver.poll(); effect !== undefined; effect = receiver.poll()) {
      if (effect.kind !== "send" && effect.kind !== "event") this.disk.noteAsked(nowMs);
      if (effect.kind === "discard") this.disk.noteOver(receiver.key);
      this.effects.push(effect);
    }
  }

  private remove(receiver: TransferReceiver): void {
    this.transfers.delete(inboundName(receiver.key));
    this.touched.delete(receiver);
    this.movements = serialAdd(this.movements, 1);
    if (this.lastUsed?.receiver === receiver) this.lastUsed = undefined;
  }

  /** Another member repeats the COMMIT of a sender. Only a transfer that this node receives can be meant. */
  private handleRelay(relay: Relay, nowMs: number): void {
    this.relay.noteRelay(relay);
    const receiver = this.transfers.get(inboundName({ epoch: relay.sender, transfer: relay.transfer }));
    if (receiver === undefined) return;
    this.relay.noteCommit(receiver.key, relay);
    receiver.handleRelay(relay, nowMs);
  }

  private of({ epoch }: Member, transfer: number): TransferReceiver | undefined {
    return this.transfers.get(inboundName({ epoch, transfer }));
  }

  /** A sender asks for a transfer that is not going on. One that was never known is not answered. */
  private answerFromMemory(member: Member, transfer: number): void {
    const key = { epoch: member.epoch, transfer };
    const lastWord = this.ended.of(key);
    if (lastWord !== undefined) this.answer(member, key, lastWord);
  }

  private answer({ address }: Member, name: TransferName, word: EmptyStatus): void {
    const body = emptyStatus(name, word);
    this.effects.push({
      kind: "send",
      destination: { to: "address", address },
      message: { type: "status", body },
    });
  }

  private receiverOf({ epochHigh, epochLow, transfer }: FragmentHeader): TransferReceiver | undefined {
    const last = this.lastUsed;
    if (
      last !== undefined &&
      last.receiver.key.transfer === transfer &&
      last.low === epochLow &&
      last.high === epochHigh
    ) {
      return last.receiver;
    }
    for (const receiver of this.transfers.values()) {
      const { high, low } = epochHalves(receiver.key.epoch);
      if (receiver.key.transfer === transfer && low === epochLow && high === epochHigh) {
        this.lastUsed = { high, low, receiver };
        return receiver;
      }
    }
    return undefined;
  }
}

function rankedOf({ key, offer }: TransferReceiver): Ranked {
  return { name: { epoch: key.epoch, transfer: key.transfer }, rank: offer.rank };
}
