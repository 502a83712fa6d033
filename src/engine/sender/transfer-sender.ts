/** One outgoing transfer, from its offer to its verdicts. */
import { sentence } from "../../base/reason.ts";
import { serialDistance } from "../../base/serial.ts";
import type { Findings } from "../../wire/findings.ts";
import { MemberPhase, type Status } from "../../wire/status-message.ts";
import type { CommitOrder } from "../commit-order.ts";
import type { Delay, Effect, EngineOptions, Input, TransferName } from "../types.ts";
import { Announcements } from "./announcements.ts";
import { Barrier, type MemberProgress } from "./barrier.ts";
import { Debts } from "./debts.ts";
import { FindingsReader } from "./findings-reader.ts";
import { FlowControl } from "./flow-control.ts";
import { Ordering } from "./ordering.ts";
import { OutgoingBlocks } from "./outgoing-blocks.ts";
import { OwnStage, type OwnStageInput } from "./own-stage.ts";
import { Polls } from "./polls.ts";
import { Production } from "./production.ts";
import type { RankedRequest } from "./ranked-request.ts";
import { SenderLife } from "./states.ts";
import type { TokenBucket } from "./token-bucket.ts";
import type { SilentMembers } from "./silent-members.ts";
import * as times from "./times.ts";
import { WantCollector } from "./wants.ts";

/** The version of the protocol that brought parity (PROTOCOL.md 4.2). */
const PARITY_PROTOCOL = 3;

/** A sender admits its own transfer once. */
const OWN_ADMISSION = 1;

/** What a transfer needs of the node that sends it. */
export interface SendingNode {
  /** The epoch of this node. */
  readonly epoch: string;
  /** Holds the rate of all transfers of this node together. */
  readonly bucket: TokenBucket;
  /** The places of all transfers that this node receives or sends. */
  readonly places: CommitOrder;
  /** Members that an earlier transfer has not heard. */
  readonly silent: SilentMembers;
}

/**
 * One transfer at its sender (PROTOCOL.md 5): offers it, sends blocks as fast as the slowest member takes them,
 * repairs what got lost, waits until everybody has everything, and lets all switch together.
 *
 * Each part below has one state and the rules for it. This class tells the story: which input goes to which part, and
 * in which order everything happens that has become possible.
 */
export class TransferSender {
  readonly transfer: number;
  private readonly request: RankedRequest;
  private readonly effects: Effect[] = [];
  private readonly life = new SenderLife();
  private readonly barrier: Barrier;
  private readonly flow: FlowControl;
  private readonly blocks: OutgoingBlocks;
  private readonly wants = new WantCollector();
  private readonly production: Production;
  private readonly ordering: Ordering;
  private readonly announcements: Announcements;
  private readonly findings: FindingsReader;
  private readonly debts: Debts;
  private readonly polls: Polls;
  /** Undefined for a transfer that leaves the tree of this node as it is. */
  private readonly own: OwnStage | undefined;
  private hasSaidFinal = false;

  /** @param node the epoch of this node, and what all of its transfers share */
  constructor(request: RankedRequest, options: EngineOptions, node: SendingNode, nowMs: number) {
    const { transfer, targets } = request;
    const key: TransferName = { epoch: node.epoch, transfer };
    const { effects, life, wants } = this;
    this.request = request;
    this.transfer = transfer;
    // Each part is given the parts that it judges by.
    const barrier = (this.barrier = new Barrier(targets, nowMs));
    const flow = (this.flow = new FlowControl(node.bucket, nowMs));
    const { windowBlocks } = options;
    const knowsParity = targets.every(({ info }) => info.protocol >= PARITY_PROTOCOL);
    const form = { datagramBytes: request.datagramBytes, knowsParity };
    const blocks = new OutgoingBlocks(transfer, effects, barrier, flow, windowBlocks, form);
    this.blocks = blocks;
    const production = (this.production = new Production(transfer, effects, barrier, blocks, wants));
    const ordering = (this.ordering = new Ordering(barrier, node.places, key));
    // A dry run changes nothing, so it stands before or after nothing.
    if (!request.dryRun) node.places.begin(key);
    const announced = { request, barrier, blocks, wants, production, ordering };
    const announcements = (this.announcements = new Announcements(effects, flow, announced));
    const findings = (this.findings = new FindingsReader(transfer, effects, announcements));
    const stage = { ...key, admission: OWN_ADMISSION };
    const { own } = request;
    if (own !== undefined) this.own = new OwnStage(own, stage, effects, { barrier, ordering }, nowMs);
    const owing = { life, barrier, blocks, production, wants, findings, ordering, own: this.own };
    this.debts = new Debts({ ...owing, silent: node.silent }, nowMs);
    this.polls = new Polls({ life, barrier, ordering, debts: this.debts, announcements }, nowMs);
    announcements.offer();
    // So that members know how many they are, and spread their answers.
    announcements.tellProgress();
    this.polls.plan(nowMs);
    this.pump(nowMs);
  }

  get isFinished(): boolean {
    return this.life.state === "finished";
  }

  get isCommitting(): boolean {
    return this.life.state === "committing";
  }

  /** How many other transfers come first at a member that has not admitted this one yet. */
  get ahead(): number {
    let most = 0;
    for (const { ahead } of this.barrier.progress) most = Math.max(most, ahead);
    return most;
  }

  /** For whom this transfer waits, and for what. */
  get delays(): readonly Delay[] {
    return this.isFinished ? [] : this.debts.delays();
  }

  /** For the progress display. */
  get membersProgress(): Iterable<MemberProgress> {
    return this.barrier.progress;
  }

  poll(): Effect | undefined {
    return this.effects.shift();
  }

  nextDeadlineMs(): number {
    if (this.isFinished) return Infinity;
    return Math.min(this.polls.dueMs, this.blocks.retryMs, this.debts.nextLookMs);
  }

  /** A member reports its state. */
  handleStatus(epoch: string, status: Status, nowMs: number): void {
    const progress = this.barrier.of(epoch);
    if (this.isFinished || progress === undefined) return;
    if (status.stagedBelow > this.blocks.sent) {
      this.drop(progress, sentence("impossible-report"), nowMs);
    } else if (status.phase === MemberPhase.waiting) {
      this.barrier.noteWaiting(progress, status, nowMs);
    } else if (this.barrier.isOutdated(progress, status)) {
      progress.heardMs = nowMs;
      // If this is no late STATUS, the YIELD got lost.
      this.announcements.yieldPlace(progress.member, status.admission);
    } else {
      this.takeReport(progress, status, nowMs);
    }
  }

  /** The source has made blocks, or has come to its end. */
  handleProduced(input: Extract<Input, { kind: "produced" }>, nowMs: number): void {
    if (this.isFinished) return;
    // An answer also with a failure: a transfer that ends while one is owed makes the disk look stuck for the next ones.
    this.production.take(input);
    if (input.failure !== undefined) {
      this.abort(input.failure);
      return;
    }
    if (input.unreadable > 0 && this.request.allOrNothing)
      this.abort(sentence("unreadable", input.unreadable));
    this.pump(nowMs);
  }

  /** The socket has taken a block. */
  handleSent(nowMs: number): void {
    this.blocks.noteSent();
    this.pump(nowMs);
  }

  /** A member tells its findings. */
  handleFindings(epoch: string, answer: Findings, nowMs: number): void {
    const progress = this.barrier.of(epoch);
    if (this.isFinished || progress === undefined) return;
    progress.heardMs = nowMs;
    if (this.findings.take(epoch, answer)) progress.movedMs = nowMs;
    this.pump(nowMs);
  }

  /** The disk has answered about the part of this node itself. */
  handleOwn(input: OwnStageInput, nowMs: number): void {
    const { own } = this;
    if (this.isFinished || own === undefined) return;
    own.handle(input, nowMs);
    if (own.failure !== undefined && !this.isCommitting) this.abort(`${own.target.hostName}: ${own.failure}`);
    this.pump(nowMs);
  }

  /** A member said goodbye or was restarted. */
  handleMemberLeft(epoch: string, reason: string, nowMs: number): void {
    const progress = this.barrier.of(epoch);
    if (progress !== undefined) this.drop(progress, reason, nowMs);
  }

  /** The disk of this node hangs: nothing can be sent. */
  giveUpSource(): void {
    this.cancel(sentence("source-stuck", times.SOURCE_STUCK_MS / 1000));
  }

  /** Whether the source has been asked for blocks and has not answered, since when in milliseconds. */
  get sourceOwesSinceMs(): number | undefined {
    return this.production.owingSinceMs;
  }

  /** Ends the transfer before the commit, if it is not too late. */
  cancel(reason: string): void {
    const { state } = this.life;
    if (state === "sending" || state === "ordering") this.abort(reason);
  }

  tick(nowMs: number): void {
    if (this.isFinished) return;
    if (this.debts.tick(nowMs)) {
      if (this.debts.isSourceLost(nowMs)) {
        this.giveUpSource();
        return;
      }
      this.dropTheLost(nowMs);
      // Members that have their place are not asked for it again. So they are polled, and hear of the sender.
      if (this.life.state === "ordering") this.announcements.poll();
    }
    this.polls.tick(nowMs);
    this.blocks.tick(nowMs);
    this.pump(nowMs);
  }

  private takeReport(progress: MemberProgress, status: Status, nowMs: number): void {
    const { state } = this.life;
    const { member } = progress;
    const isFirstAnswer = !progress.hasAnswered;
    const seen = this.blocks.seenAt(status.stamp);
    const received = serialDistance(status.received, progress.received);
    // Fragments that were sent before the admission did not get lost.
    if (!isFirstAnswer) this.flow.noteReport(member.epoch, progress.window.seen, seen, received);
    this.barrier.update(progress, status, seen, nowMs);
    if (status.phase === MemberPhase.refused && state !== "committing") {
      this.abort(`${member.info.hostName}: ${status.reason}`);
      return;
    }
    if (status.phase >= MemberPhase.failed) {
      this.drop(progress, status.reason, nowMs);
      return;
    }
    if (status.ahead > 0 && !this.barrier.isAdmitted) {
      this.yieldPlace(progress, status.admission);
      return;
    }
    if (!status.wants.every((want) => this.wants.note(member.epoch, want))) {
      this.drop(progress, sentence("impossible-answer"), nowMs);
      return;
    }
    if (state === "sending") this.blocks.addReport(status, seen);
    if (status.phase === MemberPhase.ready) this.findings.begin(member, status.findings);
    if (state === "committing" && status.phase === MemberPhase.done)
      this.barrier.settle(progress, "done", "");
    if (isFirstAnswer) this.polls.noteFirstAnswer(nowMs);
    this.pump(nowMs);
  }

  /**
   * Lets a member admit a transfer that comes before this one, which waits for another member in any case (PROTOCOL.md
   * 5.10). So transfers never wait for each other in a circle.
   */
  private yieldPlace(progress: MemberProgress, admission: number): void {
    const { epoch } = progress.member;
    this.barrier.restart(progress);
    this.wants.forget(epoch);
    this.findings.forget(epoch);
    this.announcements.yieldPlace(progress.member, admission);
  }

  /** Does everything that has become possible. Every input ends with this. */
  private pump(nowMs: number): void {
    if (this.life.state === "sending") {
      this.blocks.forgetStaged();
      // Told at once, so that nobody goes on repeating its answer.
      if (this.production.settle()) this.announcements.tellProgress();
      this.production.ask(nowMs);
      this.sendBlocks(nowMs);
      this.passBarrier(nowMs);
    }
    if (this.life.state === "ordering") this.agree(nowMs);
    this.finishInTurn();
  }

  /** A transfer to this node that came before this one may be over. */
  goOnInTurn(nowMs: number): void {
    if (this.own !== undefined && this.life.state === "ordering") this.agree(nowMs);
    this.finishInTurn();
  }

  /**
   * Ends the transfer when all members have their verdicts, and all transfers to this node that come before it are over:
   * until then it still decides whether they are committed on this node.
   */
  private finishInTurn(): void {
    if (this.life.state !== "committing") return;
    this.own?.commitInTurn();
    const isOver = this.barrier.size === 0 && this.own?.isOver !== false;
    if (isOver && this.ordering.isItsTurn) this.finish(undefined);
  }

  private sendBlocks(nowMs: number): void {
    const { readyMs, hasMoved } = this.blocks.send(nowMs);
    if (hasMoved) {
      this.polls.restart(nowMs);
      this.polls.askOverdue(nowMs);
    }
    if (readyMs !== undefined) this.polls.restart(readyMs);
  }

  private passBarrier(nowMs: number): void {
    if (!this.production.isFinal || !this.blocks.isEmpty) return;
    // The last fragment is followed at once by the word that it was the last.
    if (!this.hasSaidFinal) {
      this.hasSaidFinal = true;
      this.polls.ask(nowMs);
    }
    // A member may still have to begin again, and would tell its findings twice.
    if (this.barrier.isAdmitted) this.findings.ask(nowMs);
    if (!this.wants.isEmpty || !this.findings.isEmpty || !this.barrier.everyone(MemberPhase.ready)) return;
    if (this.request.dryRun) {
      this.barrier.settleAll("done", "");
      this.announcements.endDryRun();
      this.finish(undefined);
      return;
    }
    if (this.own?.isPrepared === false) return;
    this.life.become("ordering");
    this.ordering.propose();
    this.polls.restart(nowMs);
    this.polls.ask(nowMs);
  }

  /** COMMIT is said when all members have the same place for this transfer, and this node is ready to switch. */
  private agree(nowMs: number): void {
    this.ordering.update();
    if (this.ordering.isAgreed) {
      if (this.own?.isReadyInTurn(nowMs) === false) return;
      this.life.become("committing");
      // Its own tree has it already, if it is not to change.
      if (this.own === undefined) this.ordering.settle();
    } else if (!this.ordering.isToBeTold) return;
    this.polls.restart(nowMs);
    this.polls.ask(nowMs);
  }

  private dropTheLost(nowMs: number): void {
    for (const { progress, reason } of this.debts.lost(nowMs)) {
      if (this.isFinished) return;
      this.drop(progress, reason, nowMs);
    }
  }

  /** Goes on without a member; with all or nothing, not at all. */
  private drop(progress: MemberProgress, reason: string, nowMs: number): void {
    const { epoch, info } = progress.member;
    const { hostName } = info;
    const isUnknown = this.isCommitting && progress.phase < MemberPhase.failed;
    this.findings.forget(epoch);
    this.barrier.settle(progress, isUnknown ? "unconfirmed" : "failed", reason);
    const event = { kind: "member-failed", transfer: this.transfer, epoch, hostName, reason } as const;
    this.effects.push({ kind: "event", event });
    if (!this.isCommitting) {
      this.announcements.leaveOut(progress.member);
      if (this.request.allOrNothing) this.abort(`${hostName}: ${reason}`);
      else if (this.barrier.size === 0) this.finish(undefined);
    }
    this.pump(nowMs);
  }

  /** Gives the transfer up: nothing is changed anywhere. */
  private abort(reason: string): void {
    this.announcements.giveUp(reason);
    this.barrier.settleAll("failed", reason);
    this.finish(reason);
  }

  private finish(aborted: string | undefined): void {
    const wasCommitting = this.isCommitting;
    this.life.become("finished");
    this.own?.giveUp(aborted ?? "");
    this.ordering.leave();
    this.effects.push({ kind: "close-source", transfer: this.transfer });
    const { sentFragments, repairedFragments, parityFragments } = this.blocks;
    const { own, barrier } = this;
    const verdicts = own === undefined ? barrier.verdicts : [...barrier.verdicts, own.verdict];
    const order = wasCommitting ? this.ordering.order : 0;
    const fragments = { sentFragments, repairedFragments, parityFragments };
    const result = { transfer: this.transfer, verdicts, aborted, order, ...fragments };
    this.effects.push({ kind: "event", event: { kind: "transfer-finished", result } });
  }
}
