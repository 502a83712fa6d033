/** All transfers that a node sends. */
import type { RankClock } from "../ranks.ts";
import type { Effect, EngineOptions, Input, TransferRequest } from "../types.ts";
import type { CommitOrder } from "../commit-order.ts";
import type { OwnStageInput } from "./own-stage.ts";
import { SilentMembers } from "./silent-members.ts";
import { SOURCE_STUCK_MS } from "./times.ts";
import { TokenBucket } from "./token-bucket.ts";
import { type SendingNode, TransferSender } from "./transfer-sender.ts";

/** The answers of a node's socket and disk about what it sends. */
export type OutboundInput = Extract<Input, { kind: "sent" | "produced" }>;

/** All transfers that a node sends, by their numbers. They share the configured rate. */
export class OutboundTransfers {
  private readonly options: EngineOptions;
  private readonly ranks: RankClock;
  private readonly node: SendingNode;
  private readonly transfers = new Map<number, TransferSender>();
  private readonly silent = new SilentMembers();
  /** Transfers that are over while the disk still owes blocks of them, and since when. */
  private readonly owed = new Map<number, number>();

  /**
   * @param ranks the clock that the ranks of transfers are drawn from
   * @param epoch of this node
   * @param places of all transfers that this node receives or sends
   */
  constructor(options: EngineOptions, ranks: RankClock, epoch: string, places: CommitOrder) {
    this.options = options;
    this.ranks = ranks;
    // The configured rate is that of the node, however many transfers it sends.
    const bucket = new TokenBucket(options.fragmentsPerSecond / 1000);
    this.node = { epoch, bucket, places, silent: this.silent };
  }

  get isEmpty(): boolean {
    return this.transfers.size === 0;
  }

  of(transfer: number): TransferSender | undefined {
    return this.transfers.get(transfer);
  }

  start(request: TransferRequest, nowMs: number): void {
    const ranked = { ...request, rank: this.ranks.draw() };
    const sender = new TransferSender(ranked, this.options, this.node, nowMs);
    this.transfers.set(request.transfer, sender);
    // A disk that hangs would only let this one wait as long as the one before.
    for (const sinceMs of this.owed.values()) if (nowMs - sinceMs >= SOURCE_STUCK_MS) sender.giveUpSource();
  }

  handle(input: OutboundInput, nowMs: number): void {
    const sender = this.transfers.get(input.transfer);
    if (input.kind === "produced") this.owed.delete(input.transfer);
    if (input.kind === "sent") sender?.handleSent(nowMs);
    else sender?.handleProduced(input, nowMs);
  }

  /** The disk has answered about what a transfer changes on this node itself. */
  handleOwn(input: OwnStageInput, nowMs: number): void {
    this.transfers.get(input.key.transfer)?.handleOwn(input, nowMs);
  }

  /** A member has said something. */
  memberHeard(epoch: string): void {
    this.silent.forget(epoch);
  }

  memberLeft(epoch: string, reason: string, nowMs: number): void {
    this.silent.forget(epoch);
    for (const sender of this.transfers.values()) sender.handleMemberLeft(epoch, reason, nowMs);
  }

  /** The configured rate is another one, from the next send on. */
  changeRate(fragmentsPerSecond: number, nowMs: number): void {
    this.node.bucket.setRate(fragmentsPerSecond / 1000, nowMs);
  }

  cancelAll(reason: string): void {
    for (const sender of this.transfers.values()) sender.cancel(reason);
  }

  tick(nowMs: number): void {
    for (const sender of this.transfers.values()) sender.tick(nowMs);
    this.rotate();
  }

  nextDeadlineMs(): number {
    let earliest = Infinity;
    for (const sender of this.transfers.values()) earliest = Math.min(earliest, sender.nextDeadlineMs());
    return earliest;
  }

  /** Moves the effects of all transfers to the others of the node, and clears away those that have ended. */
  collect(effects: Effect[], nowMs: number): void {
    for (const [transfer, sender] of this.transfers) {
      sender.goOnInTurn(nowMs);
      for (let effect = sender.poll(); effect !== undefined; effect = sender.poll()) effects.push(effect);
      if (!sender.isFinished) continue;
      this.transfers.delete(transfer);
      if (sender.sourceOwesSinceMs !== undefined) this.owed.set(transfer, sender.sourceOwesSinceMs);
    }
  }

  /** The first one takes what the bucket holds, so it comes last at the next tick. */
  private rotate(): void {
    for (const [transfer, sender] of this.transfers) {
      this.transfers.delete(transfer);
      this.transfers.set(transfer, sender);
      return;
    }
  }
}
