/** One incoming transfer, from its offer to its last word. */
import { sentence } from "../../base/reason.ts";
import { bitCount } from "../../base/bitmap.ts";
import { Deadline } from "../../base/deadline.ts";
import { serialAdd } from "../../base/serial.ts";
import type { FragmentHeader } from "../../wire/datagram.ts";
import type { Finding, Inquiry } from "../../wire/findings.ts";
import type { MemberPhase } from "../../wire/status-message.ts";
import type { Commit, Offer, Order, Progress, Relay } from "../../wire/transfer-messages.ts";
import { spreadMs } from "../spread.ts";
import type { FragmentMask } from "../fragment-mask.ts";
import type { Effect, InboundKey, Input, Member, NodeEvent } from "../types.ts";
import { Assembly } from "./assembly.ts";
import { CommitQuery } from "./commit-query.ts";
import { CommitTurn } from "./commit-turn.ts";
import { fellows, type ReceiverContext } from "./context.ts";
import { FindingsAnswers } from "./findings-answers.ts";
import { Pace } from "./pace.ts";
import { Reports } from "./reports.ts";
import { ReceiverLife } from "./states.ts";
import * as times from "./times.ts";

type InboundOutcome = Extract<NodeEvent, { kind: "inbound-ended" }>["outcome"];

/**
 * One transfer at a member (PROTOCOL.md 5): puts blocks together, has them staged, reports missing fragments and
 * wants, and switches when it is told to. Nothing is acknowledged before the disk has answered.
 */
export class TransferReceiver {
  readonly key: InboundKey;
  readonly sender: Member;
  readonly offer: Offer;
  private readonly context: ReceiverContext;
  private readonly dryRun: boolean;
  private readonly effects: Effect[] = [];
  private readonly life = new ReceiverLife();
  private readonly assembly: Assembly;
  private readonly turn: CommitTurn;
  private readonly query: CommitQuery;
  private readonly findings: FindingsAnswers;
  private readonly reports: Reports;
  /** When the sender has been silent for too long. */
  private readonly silence = new Deadline();
  private totalBlocks: number | undefined;
  /** The newest ORDER, while the disk looks whether something of this node is in the way. */
  private order: Order | undefined;
  private isWeighed = false;
  /** Whether its sender waits for it no more. Once COMMIT has been said it is carried out anyway. */
  isForsaken = false;
  /** Why the sender has left; undefined while it is a member. */
  private orphanedBy: string | undefined;

  constructor(context: ReceiverContext, key: InboundKey, sender: Member, offer: Offer, nowMs: number) {
    this.context = context;
    this.key = key;
    this.sender = sender;
    this.offer = offer;
    this.dryRun = offer.dryRun;
    const { effects, life } = this;
    const assembly = (this.assembly = new Assembly(context.options.windowBlocks));
    const turn = (this.turn = new CommitTurn(context, key, life));
    this.query = new CommitQuery(context, key, life, effects);
    const findings = (this.findings = new FindingsAnswers(key, sender, effects));
    const pace = new Pace(context.random, spreadMs(fellows(offer.targets, context.members())));
    const { rank } = offer;
    const reported = { context, key, rank, sender, life, assembly, turn, findings, pace };
    this.reports = new Reports(reported, effects, nowMs);
    effects.push({ kind: "open-stage", key, dryRun: offer.dryRun });
    const { hostName } = sender.info;
    effects.push({ kind: "event", event: { kind: "inbound-began", key, hostName, dryRun: offer.dryRun } });
    this.heardSender(nowMs);
    this.reports.sayQuietly(nowMs);
  }

  /** Ended, well or not, and it has said so: only the answer to repeated questions is left to give. */
  get ended(): { phase: MemberPhase; reason: string } | undefined {
    if (this.life.isGoingOn || this.reports.isPending) return undefined;
    return { phase: this.life.phase, reason: this.life.reason };
  }

  /** Where the fragments of the last run belong. */
  get fragmentPlaces(): Pick<Assembly, "hasContradicted" | "moves" | "placeOf"> {
    return this.assembly;
  }

  poll(): Effect | undefined {
    return this.effects.shift();
  }

  nextDeadlineMs(): number {
    return Math.min(this.silence.atMs, this.query.atMs, this.reports.nextDeadlineMs());
  }

  /**
   * The hot path: takes note of fragments that follow each other in their block.
   *
   * @param last the header of the last of them
   * @param mask all of them; only those whose payloads are to be kept stay in it
   * @returns whether this transfer still takes fragments
   */
  acceptRun(last: FragmentHeader, mask: FragmentMask): boolean {
    if (this.life.state !== "receiving") {
      mask.low = mask.high = 0;
      return false;
    }
    this.reports.noteRun(serialAdd(last.stamp, 1), bitCount(mask.low) + bitCount(mask.high));
    this.assembly.accept(last.block, mask, last.sealedBytes, last.kind, last.fullBytes);
    return true;
  }

  /** To be called when the payloads of accepted fragments are in place. */
  afterFragments(nowMs: number): void {
    if (this.life.state !== "receiving") return;
    this.heardSender(nowMs);
    this.stageWhole();
    this.reports.afterFragments(nowMs);
    this.tick(nowMs);
  }

  /** Another transfer that comes first waits for this one's place: the sender is told soon. */
  askToYield(nowMs: number): void {
    if (this.life.isGoingOn) this.reports.answer(nowMs);
  }

  /**
   * The sender gives back the place of this transfer, which begins again when it is admitted again.
   *
   * @returns false if it is too late, because members have begun to agree on its commit
   */
  yieldPlace(): boolean {
    const { state } = this.life;
    if (state !== "receiving" && state !== "preparing" && state !== "ready") return false;
    this.end("failed", "", "yielded");
    return true;
  }

  /** The sender has not heard of this member yet, and offers the transfer again. */
  handleOffer(nowMs: number): void {
    this.heardSender(nowMs);
    this.reports.sayQuietly(nowMs);
  }

  handleProgress(progress: Progress, nowMs: number): void {
    this.heardSender(nowMs);
    this.assembly.noteSent(progress.sentBlocks);
    if (progress.final) this.totalBlocks = progress.sentBlocks;
    this.reports.handleProgress(progress, nowMs);
    this.prepareIfWhole();
    this.tick(nowMs);
  }

  handleOrder(order: Order, nowMs: number): void {
    if (!order.targets.includes(this.context.selfEpoch)) return;
    this.heardSender(nowMs);
    if (!this.mustWeigh(order)) this.takePlace(order, nowMs);
    this.tick(nowMs);
  }

  /** Nothing that this node has said itself is in the way of the transfer, or something is. */
  handleWeighed(failure: string | undefined, nowMs: number): void {
    const { order } = this;
    if (this.life.state !== "ready" || order === undefined) return;
    this.isWeighed = true;
    if (failure === undefined) this.takePlace(order, nowMs);
    else this.fail(failure, nowMs);
    this.tick(nowMs);
  }

  private takePlace(order: Order, nowMs: number): void {
    this.turn.takePlace(order);
    this.query.noteSender(nowMs);
    this.reports.answerOrder(nowMs);
  }

  /**
   * With all or nothing, a conflict with a push of this node itself has to be known before COMMIT. Where those end up in the
   * order of commits is not known yet, so any conflict counts.
   */
  private mustWeigh(order: Order): boolean {
    if (!this.offer.allOrNothing || this.isWeighed || this.life.state !== "ready") return false;
    const isAsked = this.order !== undefined;
    this.order = order;
    const own = this.context.commitOrder.ownOpen;
    if (!isAsked) this.effects.push({ kind: "weigh", key: this.key, own });
    return true;
  }

  handleCommit(commit: Commit, nowMs: number): void {
    if (!commit.targets.includes(this.context.selfEpoch)) return;
    this.heardSender(nowMs);
    if (this.turn.decide(commit)) this.commitInTurn();
    else this.reports.answer(nowMs);
    this.tick(nowMs);
  }

  /** Another member repeats a COMMIT that names this node: it counts as the sender's own. */
  handleRelay(relay: Relay, nowMs: number): void {
    if (relay.targets.includes(this.context.selfEpoch) && this.turn.decide(relay)) this.commitInTurn();
    this.tick(nowMs);
  }

  /** Begins the commit when COMMIT has been said and all that come before it are over. */
  commitInTurn(): void {
    if (this.turn.begin()) {
      const { ownAfter, place: order } = this.turn;
      this.effects.push({ kind: "commit", key: this.key, order, ownAfter });
    }
  }

  /** The sender, or the loss of it, ends the transfer; once COMMIT has been said it is carried out. */
  discard(reason: string): void {
    const { state } = this.life;
    if (state !== "decided" && state !== "committing") this.end("failed", reason, "discarded");
  }

  /** The sender is gone. Other members may have heard its COMMIT, so a transfer with a place is not thrown away at once. */
  orphan(reason: string, nowMs: number): void {
    if (this.life.state !== "ordered") {
      this.discard(reason);
      return;
    }
    this.orphanedBy ??= reason;
    this.silence.setNoLater(nowMs + times.ORPHANED_MS);
    this.query.askSoon(nowMs);
  }

  handleStaged({ blocks, outcome }: Extract<Input, { kind: "staged" }>, nowMs: number): void {
    if (this.life.state !== "receiving") return;
    if (outcome.kind === "failed") {
      this.fail(outcome.reason, nowMs);
      return;
    }
    if (outcome.kind === "corrupt") {
      for (const block of blocks) this.assembly.markCorrupt(block);
      this.reports.noteCorrupt(blocks, nowMs);
      return;
    }
    for (const block of blocks) this.assembly.markStaged(block);
    this.stageWhole();
    this.findings.note(outcome.findings);
    const { wants: entries, differences } = outcome;
    if (entries !== undefined) this.reports.addWants(blocks, { entries, differences }, nowMs);
    this.reports.noteStaged(nowMs);
    this.prepareIfWhole();
    this.tick(nowMs);
  }

  handlePrepared(input: Extract<Input, { kind: "prepared" }>, nowMs: number): void {
    if (this.life.state !== "preparing") return;
    this.findings.note(input.findings);
    if (input.isRefusal) this.life.refuse();
    if (input.failure !== undefined) {
      this.fail(input.failure, nowMs);
      return;
    }
    this.life.become("ready");
    this.reports.sayQuietly(nowMs);
    this.tick(nowMs);
  }

  /** The tree has changed, so the next transfer may commit; the disk still deletes what this one has taken out. */
  handleSwitched(): void {
    if (this.life.state === "committing") this.turn.leave();
  }

  handleCommitted(failure: string | undefined, nowMs: number): void {
    if (this.life.state !== "committing") return;
    const outcome = failure === undefined ? "done" : "failed";
    this.end(outcome, failure ?? "", outcome);
    this.reports.sayCommitted(nowMs);
    this.tick(nowMs);
  }

  /**
   * Another transfer has replaced entries that this one relies on. It fails now, so that the sender hears of it before
   * COMMIT; after COMMIT the disk answers.
   */
  handleOvertaken(failure: string, nowMs: number): void {
    const { state, isGoingOn } = this.life;
    if (!isGoingOn || state === "decided" || state === "committing") return;
    this.fail(failure, nowMs);
    this.tick(nowMs);
  }

  handleInquiry(inquiry: Inquiry, nowMs: number): void {
    this.heardSender(nowMs);
    this.findings.ask(inquiry.first);
  }

  /** The disk gives the findings that were asked for. */
  handleFound(first: number, findings: readonly Finding[]): void {
    this.findings.give(first, findings);
  }

  /** The disk goes on, though nothing else shows it. */
  noteWork(): void {
    this.reports.noteWork();
  }

  tick(nowMs: number): void {
    this.query.tick(nowMs);
    if (this.silence.take(nowMs)) {
      this.isForsaken = true;
      this.discard(this.orphanedBy ?? sentence("sender-silent", times.SENDER_SILENCE_MS / 1000));
    }
    this.reports.tick(nowMs);
  }

  private stageWhole(): void {
    for (let whole = this.assembly.takeWhole(); whole !== undefined; whole = this.assembly.takeWhole()) {
      this.effects.push({ kind: "stage", key: this.key, ...whole });
    }
  }

  private heardSender(nowMs: number): void {
    this.isForsaken = false;
    if (!this.life.isGoingOn) return;
    this.silence.set(nowMs + times.SENDER_SILENCE_MS);
    this.query.noteSender(nowMs);
  }

  private prepareIfWhole(): void {
    if (this.life.state !== "receiving" || this.totalBlocks !== this.assembly.stagedBelow) return;
    if (this.dryRun) {
      this.life.become("ready");
      return;
    }
    this.life.become("preparing");
    this.effects.push({ kind: "prepare", key: this.key });
  }

  private fail(reason: string, nowMs: number): void {
    this.end("failed", reason, "failed");
    this.reports.send(nowMs);
  }

  private end(state: "done" | "failed", reason: string, outcome: InboundOutcome): void {
    if (!this.life.isGoingOn) return;
    const hasCommitted = this.life.state === "committing";
    this.life.become(state);
    this.life.reason = reason;
    this.silence.clear();
    this.query.stop();
    this.reports.stop();
    this.turn.leave();
    if (!hasCommitted) this.effects.push({ kind: "discard", key: this.key });
    this.effects.push({ kind: "event", event: { kind: "inbound-ended", key: this.key, outcome, reason } });
  }
}
