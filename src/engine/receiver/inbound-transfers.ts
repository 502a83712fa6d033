/** All transfers that a node receives, and those that it has received. */
import { sentence } from "../../base/reason.ts";
import type { Random } from "../../base/random.ts";
import { epochHalves, type FragmentHeader } from "../../wire/datagram.ts";
import { INBOUND_TRANSFERS } from "../../wire/limits.ts";
import type { ControlMessage } from "../../wire/message.ts";
import { MemberPhase } from "../../wire/status-message.ts";
import type { Offer, Relay } from "../../wire/transfer-messages.ts";
import {
  type Address,
  type Effect,
  type EngineOptions,
  type FragmentMask,
  type InboundKey,
  inboundName,
  type Input,
  type Member,
  sameAddress,
  setMask,
} from "../types.ts";
import { inFlightShare } from "../window.ts";
import type { CommitOrder } from "../commit-order.ts";
import { CommitRelay } from "./commit-relay.ts";
import type { ReceiverContext } from "./context.ts";
import { EndedTransfers, type LastWord } from "./ended-transfers.ts";
import { emptyStatus } from "./status.ts";
import { TransferReceiver } from "./transfer-receiver.ts";

/** The answers of a node's disk about what it receives. */
export type InboundInput = Extract<
  Input,
  { kind: "staged" | "prepared" | "committed" | "overtaken" | "found" | "worked" }
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
 * All transfers that a node receives (PROTOCOL.md 5.1, 5.7): takes new ones in, leads messages, fragments and the
 * disk's answers to them, and remembers how they have ended. Between them stands the order of their commits.
 */
export class InboundTransfers {
  private readonly selfEpoch: string;
  private readonly receives: boolean;
  private readonly effects: Effect[];
  private readonly context: ReceiverContext;
  private readonly transfers = new Map<string, TransferReceiver>();
  private readonly ended = new EndedTransfers();
  private readonly relay: CommitRelay;
  /** The transfer that the last fragment belonged to: the next one mostly does too. */
  private lastUsed: { high: number; low: number; receiver: TransferReceiver } | undefined;
  /** Transfers to which fragments have come since the last call of afterFragments. */
  private readonly touched = new Set<TransferReceiver>();
  /** Which fragments of the last run are to be kept. */
  readonly accepted: FragmentMask = { low: 0, high: 0 };

  constructor({ selfEpoch, receives, options, random, members, places, effects }: InboundSurroundings) {
    this.selfEpoch = selfEpoch;
    this.receives = receives;
    this.effects = effects;
    const inFlight = () => inFlightShare(options.socketFragments, this.transfers.size);
    this.context = { selfEpoch, random, options, members, inFlight, commitOrder: places };
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
        if (targets.length === 0 || targets.includes(this.selfEpoch))
          this.of(member, transfer)?.discard(reason);
        break;
      }
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
    switch (input.kind) {
      case "staged":
        receiver?.handleStaged(input, nowMs);
        break;
      case "prepared":
        receiver?.handlePrepared(input, nowMs);
        break;
      case "committed":
        receiver?.handleCommitted(input.failure, nowMs);
        break;
      case "overtaken":
        receiver?.handleOvertaken(input.failure, nowMs);
        break;
      case "found":
        receiver?.handleFound(input.first, input.findings);
        break;
      case "worked":
        receiver?.noteWork();
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
    if (receiver === undefined || !sameAddress(receiver.sender.address, source)) return undefined;
    this.touched.add(receiver);
    setMask(this.accepted, last.index - count + 1, count);
    receiver.acceptRun(last, this.accepted);
    return (this.accepted.low | this.accepted.high) === 0 ? undefined : receiver.key;
  }

  /** To be called when a batch of datagrams has been read and its payloads are in place. */
  afterFragments(nowMs: number): void {
    for (const receiver of this.touched) receiver.afterFragments(nowMs);
    this.touched.clear();
  }

  /** A sender is gone, and with it all that it was sending. */
  senderLeft(epoch: string, reason: string, nowMs: number): void {
    for (const receiver of this.transfers.values()) {
      if (receiver.key.epoch === epoch) receiver.orphan(reason, nowMs);
    }
  }

  tick(nowMs: number): void {
    this.relay.tick(nowMs);
    for (const receiver of this.transfers.values()) receiver.tick(nowMs);
  }

  nextDeadlineMs(): number {
    let earliest = this.relay.atMs;
    for (const receiver of this.transfers.values()) earliest = Math.min(earliest, receiver.nextDeadlineMs());
    return earliest;
  }

  /** Moves the effects of all transfers to the others of the node, and clears away those that have ended. */
  collect(): void {
    for (const [name, receiver] of this.transfers) {
      // Another transfer may have ended that came before this one.
      receiver.commitInTurn();
      for (let effect = receiver.poll(); effect !== undefined; effect = receiver.poll())
        this.effects.push(effect);
      if (receiver.ended === undefined) continue;
      this.transfers.delete(name);
      this.ended.add(receiver.key, receiver.ended);
      if (this.lastUsed?.receiver === receiver) this.lastUsed = undefined;
    }
  }

  private handleOffer(member: Member, offer: Offer, nowMs: number): void {
    if (!offer.targets.includes(this.selfEpoch)) return;
    const key = { epoch: member.epoch, transfer: offer.transfer };
    const known = this.transfers.get(inboundName(key));
    const lastWord = this.ended.of(key);
    if (known !== undefined) {
      known.handleOffer(nowMs);
    } else if (lastWord !== undefined) {
      this.answer(member, key, lastWord);
    } else if (!this.receives) {
      const refusal = { phase: MemberPhase.failed, reason: sentence("does-not-receive") };
      this.ended.add(key, refusal);
      this.answer(member, key, refusal);
    } else if (this.transfers.size >= INBOUND_TRANSFERS) {
      // The sender goes on offering it until one of the others has ended.
      this.answer(member, key, { phase: MemberPhase.waiting, reason: "" });
    } else {
      this.transfers.set(inboundName(key), new TransferReceiver(this.context, key, member, offer, nowMs));
    }
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

  private answer({ address }: Member, key: InboundKey, word: LastWord): void {
    const body = emptyStatus(key, word);
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
