/** A whole node: its membership and all its transfers, without its disk, its sockets and its clock. */
import { sentence } from "../base/reason.ts";
import type { Random } from "../base/random.ts";
import type { FragmentHeader } from "../wire/datagram.ts";
import type { NodeInfo } from "../wire/membership-messages.ts";
import { CatchUp, type OpenedLog } from "./catch-up/catch-up.ts";
import { WithoutLog } from "./catch-up/without-log.ts";
import { isExamination } from "../wire/message.ts";
import { CommitOrder } from "./commit-order.ts";
import { Membership } from "./membership/membership.ts";
import type { Self } from "./membership/peers.ts";
import { type InboundInput, InboundTransfers } from "./receiver/inbound-transfers.ts";
import { RankClock } from "./ranks.ts";
import { OutboundTransfers } from "./sender/outbound-transfers.ts";
import type { OwnStageInput } from "./sender/own-stage.ts";
import type { TransferSender } from "./sender/transfer-sender.ts";
import type { FragmentMask } from "./fragment-mask.ts";
import type { Address, Effect, EngineOptions, InboundKey, Input, LeaveReason } from "./types.ts";

/** Why a member has left, as a reason. */
const LEFT = {
  exit: "was-stopped",
  silence: "fell-silent",
  restart: "was-restarted",
  "cut-off": "own-interface-away",
} as const;

/**
 * A whole node: membership, the transfers that it sends, and those that it receives. Inputs go in by handle() and
 * acceptRun(), effects come out of poll(), and nextDeadlineMs() says when to call again. Proven by
 * simulation.
 */
export class NodeEngine {
  readonly membership: Membership;
  private readonly selfEpoch: string;
  private readonly outbound: OutboundTransfers;
  private readonly inbound: InboundTransfers;
  private readonly ranks = new RankClock();
  private readonly effects: Effect[] = [];
  private readonly places = new CommitOrder();
  private readonly random: Random;
  private readonly selfNodeId: string;
  private readonly withoutLog = new WithoutLog(this.effects);
  /** Undefined for a node that keeps no log of publications. */
  catchUp: CatchUp | undefined;
  private nowMs = 0;

  constructor(self: Self, info: NodeInfo, options: EngineOptions, random: Random) {
    this.selfEpoch = self.epoch;
    this.membership = new Membership(self, info, random);
    this.random = random;
    this.selfNodeId = self.nodeId;
    const { places } = this;
    this.outbound = new OutboundTransfers(options, this.ranks, self.epoch, places);
    this.inbound = new InboundTransfers({
      selfEpoch: self.epoch,
      receives: info.receives,
      options,
      random,
      members: () => this.membership.size,
      places,
      effects: this.effects,
    });
  }

  /** Gives the node its log of publications, before anything happens to it. */
  openLog(opened: OpenedLog): void {
    const { effects, places, random, selfNodeId } = this;
    const memberOf = (epoch: string) => this.membership.memberOf(epoch);
    const members = () => this.membership.members;
    const isHeardSince = this.membership.isHeardSince.bind(this.membership);
    const isIdle = () => this.isIdle;
    const parts = { selfNodeId, random, effects, places, memberOf, members, isHeardSince, isIdle };
    this.catchUp = new CatchUp(parts, opened);
  }

  get isIdle(): boolean {
    return this.outbound.isEmpty && this.inbound.isEmpty;
  }

  /** Which fragments of the last run are to be kept. */
  get accepted(): FragmentMask {
    return this.inbound.accepted;
  }

  /** Where the fragments of the last run belong; undefined if no transfer takes any of it. */
  get fragmentPlaces(): InboundTransfers["fragmentPlaces"] {
    return this.inbound.fragmentPlaces;
  }

  outboundTransfer(transfer: number): TransferSender | undefined {
    return this.outbound.of(transfer);
  }

  handle(input: Input, nowMs: number): void {
    this.nowMs = nowMs;
    switch (input.kind) {
      case "message":
        this.handleMessage(input, nowMs);
        break;
      case "start-transfer":
        this.outbound.start(input.request, nowMs);
        break;
      case "cancel-transfer":
        this.outbound.of(input.transfer)?.cancel(input.reason);
        break;
      case "sent":
      case "produced":
        this.outbound.handle(input, nowMs);
        break;
      case "staged":
      case "prepared":
      case "weighed":
      case "switched":
      case "committed":
      case "overtaken":
      case "found":
      case "closed":
      case "worked":
        this.inbound.handle(input, nowMs);
        if (input.key.epoch === this.selfEpoch && isOfOwnStage(input)) this.outbound.handleOwn(input, nowMs);
        if (input.kind === "committed") this.catchUp?.committed(input.key, nowMs);
        break;
      case "tick":
        this.membership.tick(nowMs);
        this.outbound.tick(nowMs);
        this.inbound.tick(nowMs);
        this.catchUp?.tick(nowMs);
        break;
      case "areas-kept":
      case "logged":
      case "drifted":
      case "nudge":
      case "serve-ended":
        if (this.catchUp !== undefined) handleCatchUp(this.catchUp, input, nowMs);
        break;
      case "say":
        this.effects.push({ kind: "send", destination: input.destination, message: input.message });
        break;
      case "cut-off":
        this.membership.cutOff();
        break;
      case "length-changed":
        this.membership.describe({ datagramBytes: input.datagramBytes }, nowMs);
        break;
      case "labels-changed":
        this.membership.describe({ labels: input.labels }, nowMs);
        break;
      case "rate-changed":
        this.outbound.changeRate(input.fragmentsPerSecond, nowMs);
        break;
      case "renamed":
        this.membership.rename(input.nodeId, nowMs);
        break;
      case "stop":
        this.outbound.cancelAll(sentence("daemon-stopping"));
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
   * The hot path: fragments of one block that follow each other in it, read as one train.
   *
   * @param last the header of the last of them
   * @returns the transfer that needs payloads, those in `accepted`; undefined when nobody needs any
   */
  acceptRun(last: FragmentHeader, count: number, source: Address): InboundKey | undefined {
    return this.inbound.acceptRun(last, count, source);
  }

  /** To be called when a batch of datagrams has been read and its payloads are in place. */
  afterFragments(nowMs: number): void {
    this.inbound.afterFragments(nowMs);
    this.collect(nowMs);
  }

  poll(): Effect | undefined {
    const effect = this.effects.shift();
    if (effect?.kind === "event") this.catchUp?.onEvent(effect.event, this.nowMs);
    return effect;
  }

  nextDeadlineMs(): number {
    return Math.min(
      this.membership.nextDeadlineMs(),
      this.outbound.nextDeadlineMs(),
      this.inbound.nextDeadlineMs(),
      this.catchUp?.nextDeadlineMs() ?? Infinity,
    );
  }

  /** Membership hears every message first: a transfer is spoken of by members alone. */
  private handleMessage(input: Extract<Input, { kind: "message" }>, nowMs: number): void {
    const { from, source, message } = input;
    if (from.epoch === this.selfEpoch) return;
    this.membership.handle(from, source, message, nowMs);
    const member = this.membership.memberOf(from.epoch);
    if (member === undefined || member.nodeId !== from.nodeId) return;
    if (isExamination(message)) {
      this.effects.push({ kind: "event", event: { kind: "examination", member, message } });
      return;
    }
    this.outbound.memberHeard(from.epoch);
    // Also an offer to others: what begins here from now on comes later.
    if (message.type === "offer") this.ranks.note(message.body.rank);
    (this.catchUp ?? this.withoutLog).handle(member, message, nowMs);
    if (message.type !== "status" && message.type !== "findings") {
      this.inbound.handleMessage(member, message, nowMs);
      return;
    }
    // A message for another node, recorded and sent again to this one, still has a good seal.
    if (message.body.sender !== this.selfEpoch) return;
    const sender = this.outbound.of(message.body.transfer);
    if (message.type === "status") sender?.handleStatus(from.epoch, message.body, nowMs);
    else sender?.handleFindings(from.epoch, message.body, nowMs);
  }

  /** Moves the effects of all parts into one queue, and lets transfers know of members that have left. */
  private collect(nowMs: number): void {
    for (let effect = this.membership.poll(); effect !== undefined; effect = this.membership.poll()) {
      this.effects.push(effect);
      if (effect.kind === "event" && effect.event.kind === "member-left") {
        this.memberLeft(effect.event.member.epoch, effect.event.reason, nowMs);
      }
    }
    this.outbound.collect(this.effects, nowMs);
    this.inbound.collect(nowMs);
    // Transfers that this node sends may have waited for one that has just ended.
    this.outbound.collect(this.effects, nowMs);
  }

  private memberLeft(epoch: string, reason: LeaveReason, nowMs: number): void {
    const text = sentence(LEFT[reason]);
    this.outbound.memberLeft(epoch, text, nowMs);
    this.inbound.senderLeft(epoch, sentence("sender-left", text), nowMs);
  }
}

/** Whether an answer of the disk brings on what a transfer of this node changes on it. */
function isOfOwnStage(input: InboundInput): input is InboundInput & OwnStageInput {
  return input.kind !== "staged" && input.kind !== "closed";
}

/** What the program says about the log of publications. */
function handleCatchUp(
  catchUp: CatchUp,
  input: Extract<Input, { kind: "areas-kept" | "logged" | "drifted" | "nudge" | "serve-ended" }>,
  nowMs: number,
): void {
  switch (input.kind) {
    case "areas-kept":
      catchUp.keepAreas(input.names, nowMs);
      break;
    case "logged":
      catchUp.logged(nowMs);
      break;
    case "drifted":
      catchUp.drifted(input.text, nowMs);
      break;
    case "nudge":
      catchUp.nudge(nowMs, input.member);
      break;
    case "serve-ended":
      catchUp.serveEnded(input.transfer, input.brought, input.reason, nowMs, input.torn);
      break;
  }
}
