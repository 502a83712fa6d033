/** A whole node: membership and all its transfers behind `handle`, `acceptFragment`, `poll`, `nextDeadlineMs`. */
import type { Random } from "../base/random.ts";
import { type FragmentHeader, epochHalves } from "../wire/datagram.ts";
import { INBOUND_TRANSFERS, REMEMBERED_TRANSFERS } from "../wire/limits.ts";
import type { NodeInfo } from "../wire/membership-messages.ts";
import type { ControlMessage } from "../wire/message.ts";
import { MemberPhase, type Status } from "../wire/status-message.ts";
import type { Offer } from "../wire/transfer-messages.ts";
import { Membership, type Peer } from "./membership/membership.ts";
import { CommitOrder } from "./receiver/commit-order.ts";
import type { ReceiverContext } from "./receiver/context.ts";
import { TransferReceiver } from "./receiver/transfer-receiver.ts";
import { TokenBucket } from "./sender/token-bucket.ts";
import { TransferSender } from "./sender/transfer-sender.ts";
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
  type TransferRequest,
} from "./types.ts";

/**
 * A whole node without its disk, its sockets and its clock: membership, and every transfer it sends or receives.
 * What happens goes in by handle() and acceptFragment(), what is to be done comes out of poll(), and
 * nextDeadlineMs() says when to call again. Proven by simulation.
 */
export class NodeEngine {
  readonly membership: Membership;
  private readonly self: Peer;
  private readonly options: EngineOptions;
  private readonly random: Random;
  private readonly info: NodeInfo;
  /** The configured rate is that of the node, however many transfers it sends. */
  private readonly sendBucket: TokenBucket;
  private readonly outbound = new Map<number, TransferSender>();
  private readonly inbound = new Map<string, TransferReceiver>();
  private readonly commitOrder = new CommitOrder();
  /** Ended incoming transfers, for senders that did not hear the last word; oldest first. */
  private readonly remembered = new Map<string, { phase: MemberPhase; reason: string }>();
  private readonly effects: Effect[] = [];
  /** The incoming transfer that the last fragment belonged to: the next one mostly does too. */
  private lastInbound: { high: number; low: number; receiver: TransferReceiver } | undefined;
  private readonly touched = new Set<TransferReceiver>();
  /** Which fragments of the last run are to be kept. */
  readonly accepted: FragmentMask = { low: 0, high: 0 };

  constructor(self: Peer, info: NodeInfo, options: EngineOptions, random: Random) {
    this.self = self;
    this.info = info;
    this.options = options;
    this.random = random;
    this.sendBucket = new TokenBucket(options.fragmentsPerSecond / 1000);
    this.membership = new Membership(info, random);
  }

  get isIdle(): boolean {
    return this.outbound.size === 0 && this.inbound.size === 0;
  }

  outboundTransfer(transfer: number): TransferSender | undefined {
    return this.outbound.get(transfer);
  }

  handle(input: Input, nowMs: number): void {
    switch (input.kind) {
      case "message":
        this.handleMessage(input, nowMs);
        break;
      case "start-transfer":
        this.startTransfer(input.request, nowMs);
        break;
      case "cancel-transfer":
        this.outbound.get(input.transfer)?.cancel(input.reason);
        break;
      case "sent":
        this.outbound.get(input.transfer)?.handleSent(nowMs);
        break;
      case "produced":
        this.outbound.get(input.transfer)?.handleProduced(input, nowMs);
        break;
      case "staged":
        this.inbound.get(inboundName(input.key))?.handleStaged(input, nowMs);
        break;
      case "prepared":
        this.inbound.get(inboundName(input.key))?.handlePrepared(input, nowMs);
        break;
      case "committed":
        this.inbound.get(inboundName(input.key))?.handleCommitted(input.failure, nowMs);
        break;
      case "found":
        this.inbound.get(inboundName(input.key))?.handleFound(input.first, input.findings);
        break;
      case "worked":
        this.inbound.get(inboundName(input.key))?.noteWork();
        break;
      case "tick":
        this.tick(nowMs);
        break;
      case "stop":
        for (const sender of this.outbound.values()) sender.cancel("the daemon is stopping");
        this.membership.stop();
        break;
    }
    this.collect(nowMs);
  }

  /**
   * A fragment that was read from the group's socket.
   *
   * @returns the transfer that needs its payload, or undefined when nobody does
   */
  acceptFragment(header: FragmentHeader, source: Address): InboundKey | undefined {
    return this.acceptRun(header, 1, source);
  }

  /**
   * The hot path: fragments of one block that stand one behind the other in it, read as one train.
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
    this.collect(nowMs);
  }

  poll(): Effect | undefined {
    return this.effects.shift();
  }

  nextDeadlineMs(): number {
    let earliest = this.membership.nextDeadlineMs();
    for (const sender of this.outbound.values()) earliest = Math.min(earliest, sender.nextDeadlineMs());
    for (const receiver of this.inbound.values()) earliest = Math.min(earliest, receiver.nextDeadlineMs());
    return earliest;
  }

  private startTransfer(request: TransferRequest, nowMs: number): void {
    const sender = new TransferSender(request, this.options, this.sendBucket, nowMs);
    this.outbound.set(request.transfer, sender);
  }

  private tick(nowMs: number): void {
    this.membership.tick(nowMs);
    for (const sender of this.outbound.values()) sender.tick(nowMs);
    this.rotateOutbound();
    for (const receiver of this.inbound.values()) receiver.tick(nowMs);
  }

  /** Who came first comes last at the next tick: the first one takes what the bucket holds. */
  private rotateOutbound(): void {
    for (const [transfer, sender] of this.outbound) {
      this.outbound.delete(transfer);
      this.outbound.set(transfer, sender);
      return;
    }
  }

  private handleMessage(input: Extract<Input, { kind: "message" }>, nowMs: number): void {
    const { from, source, message } = input;
    if (from.epoch === this.self.epoch) return;
    this.membership.handle(from, source, message, nowMs);
    const member = this.membership.memberOf(from.epoch);
    if (member === undefined || member.nodeId !== from.nodeId) return;
    if (message.type === "status") {
      if (message.body.sender !== this.self.epoch) return;
      this.outbound.get(message.body.transfer)?.handleStatus(from.epoch, message.body, nowMs);
    } else if (message.type === "findings") {
      if (message.body.sender !== this.self.epoch) return;
      this.outbound.get(message.body.transfer)?.handleFindings(from.epoch, message.body, nowMs);
    } else {
      this.handleFromSender(member, message, nowMs);
    }
  }

  private handleFromSender(member: Member, message: ControlMessage, nowMs: number): void {
    if (message.type === "offer") {
      this.handleOffer(member, message.body, nowMs);
      return;
    }
    if (message.type === "inquiry") {
      const key = { epoch: member.epoch, transfer: message.body.transfer };
      this.inbound.get(inboundName(key))?.handleInquiry(message.body, nowMs);
      return;
    }
    if (!isForReceiver(message)) return;
    const key = { epoch: member.epoch, transfer: message.body.transfer };
    const receiver = this.inbound.get(inboundName(key));
    if (receiver === undefined) {
      if (isQuestionFor(message, this.self.epoch)) this.answerFromMemory(member, key);
    } else if (message.type === "progress") receiver.handleProgress(message.body, nowMs);
    else if (message.type === "order") receiver.handleOrder(message.body, nowMs);
    else if (message.type === "commit") receiver.handleCommit(message.body, nowMs);
    else if (concerns(message.body.targets, this.self.epoch)) receiver.discard(message.body.reason);
  }

  private handleOffer(member: Member, offer: Offer, nowMs: number): void {
    if (!offer.targets.includes(this.self.epoch)) return;
    const key = { epoch: member.epoch, transfer: offer.transfer };
    const name = inboundName(key);
    const known = this.inbound.get(name);
    if (known !== undefined) {
      known.handleOffer(nowMs);
      return;
    }
    if (this.remembered.has(name)) {
      this.answerFromMemory(member, key);
    } else if (!this.info.receives) {
      this.remember(name, { phase: MemberPhase.failed, reason: "it does not receive" });
      this.answerFromMemory(member, key);
    } else if (this.inbound.size >= INBOUND_TRANSFERS) {
      // The sender goes on offering it until one of the others has ended.
      this.answer(member, key, { phase: MemberPhase.waiting, reason: "" });
    } else {
      this.inbound.set(name, new TransferReceiver(this.receiverContext(), key, member, offer, nowMs));
    }
  }

  private receiverContext(): ReceiverContext {
    return {
      selfEpoch: this.self.epoch,
      random: this.random,
      options: this.options,
      members: () => this.membership.size,
      commitOrder: this.commitOrder,
      inFlight: () => Math.max(1, Math.floor(this.options.socketFragments / Math.max(1, this.inbound.size))),
    };
  }

  private answerFromMemory(member: Member, key: InboundKey): void {
    const memory = this.remembered.get(inboundName(key));
    if (memory !== undefined) this.answer(member, key, memory);
  }

  private answer(member: Member, key: InboundKey, about: { phase: MemberPhase; reason: string }): void {
    const status: Status = {
      sender: key.epoch,
      transfer: key.transfer,
      ...about,
      stamp: 0,
      stagedBelow: 0,
      windowEnd: 0,
      inFlight: 0,
      received: 0,
      missingRuns: [],
      missingFragments: [],
      wants: [],
      findings: 0,
      worked: 0,
      order: 0,
    };
    const destination = { to: "address", address: member.address } as const;
    this.effects.push({ kind: "send", destination, message: { type: "status", body: status } });
  }

  private remember(name: string, memory: { phase: MemberPhase; reason: string }): void {
    this.remembered.set(name, memory);
    for (const oldest of this.remembered.keys()) {
      if (this.remembered.size <= REMEMBERED_TRANSFERS) break;
      this.remembered.delete(oldest);
    }
  }

  private receiverOf(header: FragmentHeader): TransferReceiver | undefined {
    const last = this.lastInbound;
    if (
      last !== undefined &&
      last.receiver.key.transfer === header.transfer &&
      last.low === header.epochLow &&
      last.high === header.epochHigh
    ) {
      return last.receiver;
    }
    for (const receiver of this.inbound.values()) {
      const { high, low } = epochHalves(receiver.key.epoch);
      if (receiver.key.transfer === header.transfer && low === header.epochLow && high === header.epochHigh) {
        this.lastInbound = { high, low, receiver };
        return receiver;
      }
    }
    return undefined;
  }

  /** Moves the effects of all parts into one queue, and clears away what has ended. */
  private collect(nowMs: number): void {
    for (let effect = this.membership.poll(); effect !== undefined; effect = this.membership.poll()) {
      this.effects.push(effect);
      if (effect.kind === "event" && effect.event.kind === "member-left") {
        this.memberLeft(effect.event.member.epoch, effect.event.reason, nowMs);
      }
    }
    for (const [transfer, sender] of this.outbound) {
      this.drain(sender);
      if (sender.isFinished) this.outbound.delete(transfer);
    }
    for (const [name, receiver] of this.inbound) {
      // Whatever has happened may have let another transfer out of its way.
      receiver.commitInTurn();
      this.drain(receiver);
      if (receiver.ended === undefined) continue;
      this.inbound.delete(name);
      this.remember(name, receiver.ended);
      if (this.lastInbound?.receiver === receiver) this.lastInbound = undefined;
    }
  }

  private memberLeft(epoch: string, reason: "exit" | "silence" | "restart", nowMs: number): void {
    const text = { exit: "it was stopped", silence: "it fell silent", restart: "it was restarted" }[reason];
    for (const sender of this.outbound.values()) sender.handleMemberLeft(epoch, text, nowMs);
    for (const receiver of this.inbound.values()) {
      if (receiver.key.epoch === epoch) receiver.discard(`the sender left: ${text}`);
    }
  }

  private drain(part: { poll(): Effect | undefined }): void {
    for (let effect = part.poll(); effect !== undefined; effect = part.poll()) this.effects.push(effect);
  }
}

type ReceiverMessage = Extract<ControlMessage, { type: "progress" | "order" | "commit" | "abort" }>;

function isForReceiver(message: ControlMessage): message is ReceiverMessage {
  return ["progress", "order", "commit", "abort"].includes(message.type);
}

/** Whether a node that has ended the transfer is asked what came of it. */
function isQuestionFor(message: ReceiverMessage, epoch: string): boolean {
  if (message.type === "progress") return true;
  return message.type !== "abort" && message.body.targets.includes(epoch);
}

/** No targets at all stand for everybody. */
function concerns(targets: readonly string[], epoch: string): boolean {
  return targets.length === 0 || targets.includes(epoch);
}
