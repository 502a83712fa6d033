/** One outgoing transfer. */
import { assert } from "../../base/assert.ts";
import { Deadlines } from "../../base/deadlines.ts";
import { serialDistance } from "../../base/serial.ts";
import type { Findings } from "../../wire/findings.ts";
import type { ControlMessage } from "../../wire/message.ts";
import { MemberPhase, type Status } from "../../wire/status-message.ts";
import type { Address, Effect, EngineOptions, Input, TransferRequest } from "../types.ts";
import { spreadMs } from "../spread.ts";
import { abort, Announcements, commits, offers, orders } from "./announcements.ts";
import { Barrier, type MemberProgress } from "./barrier.ts";
import { Debts } from "./debts.ts";
import { FlowControl } from "./flow-control.ts";
import { Inquiries } from "./inquiries.ts";
import { FindingsReader } from "./findings-reader.ts";
import { Ordering } from "./ordering.ts";
import { OutgoingBlocks } from "./outgoing-blocks.ts";
import { NEXT_STATES, type State } from "./states.ts";
import * as times from "./times.ts";
import type { TokenBucket } from "./token-bucket.ts";
import { WantCollector } from "./wants.ts";

/**
 * One transfer at its sender (PROTOCOL.md 5): offers it, sends blocks as fast as the slowest member takes them,
 * sends again what is missing, waits until everybody has everything, and lets them switch together.
 */

type Produced = Extract<Input, { kind: "produced" }>;

export class TransferSender {
  readonly transfer: number;
  private readonly request: TransferRequest;
  private state: State = "sending";
  private readonly barrier: Barrier;
  private readonly flow: FlowControl;
  private readonly blocks: OutgoingBlocks;
  private readonly announcements: Announcements;
  private readonly wants = new WantCollector();
  private readonly findings = new FindingsReader();
  private readonly ordering: Ordering;
  private readonly debts: Debts;
  private readonly deadlines = new Deadlines<"poll" | "send" | "silence">();
  private readonly effects: Effect[] = [];
  private readonly inquiries: Inquiries;
  private lastLookMs: number;
  private isProducing = false;
  private hasSettledSinceProduce = false;
  private hasSaidFinal = false;
  private sourceState: Produced["state"] = "more";

  /** @param nodeBucket holds the rate of all transfers of this node together */
  constructor(request: TransferRequest, options: EngineOptions, nodeBucket: TokenBucket, nowMs: number) {
    this.request = request;
    this.transfer = request.transfer;
    this.barrier = new Barrier(request.targets, nowMs);
    this.flow = new FlowControl(nodeBucket, nowMs);
    const { windowBlocks } = options;
    this.blocks = new OutgoingBlocks(this.transfer, this.effects, this.barrier, this.flow, windowBlocks);
    this.announcements = new Announcements(this.effects, this.flow);
    this.inquiries = new Inquiries(nowMs);
    this.ordering = new Ordering(this.barrier);
    const { barrier, blocks, wants, findings, ordering } = this;
    this.debts = new Debts({ barrier, blocks, wants, findings, ordering });
    this.lastLookMs = nowMs;
    this.deadlines.set("silence", nowMs + times.MEMBER_SILENCE_MS / 5);
    this.offer();
    // So that they know how many they are.
    this.sendProgress(false);
    this.deadlines.set("poll", this.inquiries.nextMs(nowMs));
    this.pump(nowMs);
  }

  get isFinished(): boolean {
    return this.state === "finished";
  }

  get isCommitting(): boolean {
    return this.state === "committing";
  }

  /** For the progress display. */
  get membersProgress(): Iterable<MemberProgress> {
    return this.barrier.progress;
  }

  poll(): Effect | undefined {
    return this.effects.shift();
  }

  nextDeadlineMs(): number {
    return this.isFinished ? Infinity : this.deadlines.nextMs();
  }

  handleStatus(epoch: string, status: Status, nowMs: number): void {
    const progress = this.barrier.of(epoch);
    if (this.isFinished || progress === undefined) return;
    if (status.stagedBelow > this.blocks.sent) {
      this.drop(progress, "it reports blocks that were never sent", nowMs);
      return;
    }
    if (status.phase === MemberPhase.waiting) {
      progress.heardMs = nowMs;
      return;
    }
    const isFirstAnswer = !progress.hasAnswered;
    // Fragments are not sealed one by one, so a forged one can make a member see a stamp that never was.
    const seen = this.blocks.sentFragments - Math.max(0, serialDistance(this.blocks.stamp, status.stamp));
    const received = serialDistance(status.received, progress.received);
    this.flow.noteReport(epoch, progress.seen, seen, received);
    this.barrier.update(progress, status, seen, nowMs);
    if (status.phase === MemberPhase.refused && this.state !== "committing") {
      this.abort(`${progress.member.info.hostName}: ${status.reason}`);
      return;
    }
    if (status.phase >= MemberPhase.failed) {
      this.drop(progress, status.reason, nowMs);
      return;
    }
    if (!status.wants.every((want) => this.wants.note(epoch, want))) {
      this.drop(progress, "it answers a manifest that was never sent", nowMs);
      return;
    }
    if (this.state === "sending") this.blocks.addReport(status, seen);
    if (status.phase === MemberPhase.ready) this.findings.begin(progress.member, status.findings);
    if (this.state === "committing" && status.phase === MemberPhase.done)
      this.barrier.settle(progress, "done", "");
    if (isFirstAnswer && spreadMs(this.barrier.size) === 0)
      this.deadlines.set("poll", this.inquiries.putOffMs(nowMs));
    this.pump(nowMs);
  }

  handleProduced(input: Produced, nowMs: number): void {
    this.isProducing = false;
    if (this.isFinished) return;
    // The source may have looked for work before it heard of what was settled meanwhile.
    const isIdle = input.state === "idle" && !this.hasSettledSinceProduce;
    if (input.failure !== undefined) {
      this.abort(input.failure);
      return;
    }
    this.sourceState = input.state === "end" ? "end" : isIdle ? "idle" : "more";
    for (const block of input.blocks) {
      const number = this.blocks.add(block);
      if (block.entries > 0) this.wants.add(number, block.entries);
    }
    if (input.unreadable > 0 && this.request.allOrNothing) {
      this.abort(`${input.unreadable} entries cannot be read here`);
      return;
    }
    this.pump(nowMs);
  }

  handleSent(nowMs: number): void {
    this.blocks.noteSent();
    this.pump(nowMs);
  }

  /** A member tells what it has found. */
  handleFindings(epoch: string, answer: Findings, nowMs: number): void {
    const progress = this.barrier.of(epoch);
    if (this.isFinished || progress === undefined) return;
    progress.heardMs = nowMs;
    const findings = this.findings.take(epoch, answer);
    if (findings.length > 0) {
      progress.movedMs = nowMs;
      this.effects.push({
        kind: "event",
        event: { kind: "findings", transfer: this.transfer, epoch, findings },
      });
    }
    this.pump(nowMs);
  }

  /** A member said goodbye or started anew. */
  handleMemberLeft(epoch: string, reason: string, nowMs: number): void {
    const progress = this.barrier.of(epoch);
    if (progress !== undefined) this.drop(progress, reason, nowMs);
  }

  /** Ends the transfer before the commit, if it is not too late. */
  cancel(reason: string): void {
    if (this.state === "sending" || this.state === "ordering") this.abort(reason);
  }

  tick(nowMs: number): void {
    if (this.isFinished) return;
    const standstillMs = nowMs - this.lastLookMs;
    this.lastLookMs = nowMs;
    if (standstillMs >= times.STANDSTILL_MS) this.barrier.forgive(standstillMs);
    if (this.deadlines.take("silence", nowMs)) {
      this.deadlines.set("silence", nowMs + times.MEMBER_SILENCE_MS / 10);
      this.dropTheLost(nowMs);
      // Those that have their place are not asked for it again: so that they are heard of, and hear.
      if (this.state === "ordering") this.sendProgress(true);
    }
    if (this.deadlines.take("poll", nowMs)) this.askAgain(nowMs);
    this.deadlines.take("send", nowMs);
    this.pump(nowMs);
  }

  private dropTheLost(nowMs: number): void {
    for (const { progress, reason } of this.debts.lost(this.state, this.isFinal(), nowMs)) {
      if (this.isFinished) return;
      this.drop(progress, reason, nowMs);
    }
  }

  private become(state: State): void {
    assert(
      (NEXT_STATES[this.state] as readonly State[]).includes(state),
      `no way from ${this.state} to ${state}`,
    );
    this.state = state;
  }

  /** Does all that has become possible. Every input ends here. */
  private pump(nowMs: number): void {
    if (this.isFinished) return;
    if (this.state === "sending") {
      this.blocks.forgetStaged();
      this.settleManifests();
      this.produce();
      this.sendBlocks(nowMs);
      this.passBarrier(nowMs);
    }
    if (this.state === "ordering") this.agree(nowMs);
    if (this.state === "committing" && this.barrier.size === 0) this.finish(undefined);
  }

  private settleManifests(): void {
    if (this.wants.isEmpty) return;
    const settled = this.wants.takeSettled(this.barrier.epochs);
    if (settled.length === 0) return;
    for (const one of settled) this.effects.push({ kind: "settle", transfer: this.transfer, ...one });
    if (this.sourceState === "idle") this.sourceState = "more";
    this.hasSettledSinceProduce = true;
    // So that nobody goes on repeating its answer.
    this.sendProgress(false);
  }

  private produce(): void {
    const { room } = this.blocks;
    if (this.isProducing || this.sourceState !== "more" || room <= 0) return;
    this.isProducing = true;
    this.hasSettledSinceProduce = false;
    const count = Math.min(room, times.PRODUCE_BLOCKS);
    this.effects.push({ kind: "produce", transfer: this.transfer, firstBlock: this.blocks.produced, count });
  }

  private sendBlocks(nowMs: number): void {
    const { readyMs, hasMoved } = this.blocks.send(nowMs);
    if (hasMoved) this.deadlines.set("poll", this.inquiries.restart(nowMs));
    if (readyMs === undefined) return;
    this.deadlines.set("send", readyMs);
    this.deadlines.set("poll", this.inquiries.restart(readyMs));
  }

  private isFinal(): boolean {
    return this.sourceState === "end" && this.blocks.sent === this.blocks.produced;
  }

  private passBarrier(nowMs: number): void {
    if (!this.isFinal() || !this.blocks.isEmpty) return;
    // The last fragment is followed at once by the word that it was the last.
    if (!this.hasSaidFinal) {
      this.hasSaidFinal = true;
      this.ask(nowMs);
    }
    this.inquire(nowMs);
    if (!this.wants.isEmpty || !this.findings.isEmpty || !this.barrier.everyone(MemberPhase.ready)) return;
    if (this.request.dryRun) {
      for (const progress of [...this.barrier.progress]) this.barrier.settle(progress, "done", "");
      this.announcements.toAll([abort(this.transfer, "dry run")]);
      this.finish(undefined);
      return;
    }
    this.become("ordering");
    this.inquiries.restart(nowMs);
    this.ask(nowMs);
  }

  /** COMMIT is said when all members have the same place for this transfer. */
  private agree(nowMs: number): void {
    this.ordering.update();
    if (this.ordering.isAgreed) this.become("committing");
    else if (!this.ordering.isToBeTold) return;
    this.inquiries.restart(nowMs);
    this.ask(nowMs);
  }

  /** Asks some members for what they have found. */
  private inquire(nowMs: number): void {
    for (const { member, first } of this.findings.takeDue(nowMs)) {
      const body = { transfer: this.transfer, first };
      this.announcements.toOne(member.address, { type: "inquiry", body });
    }
  }

  /** Asks the members for what is still missing from them: an answer to the offer, a status, a place, or DONE. */
  private ask(nowMs: number): void {
    const { order } = this.ordering;
    if (this.state === "committing") {
      this.announcements.toAll(commits(this.transfer, order, this.barrier.below(MemberPhase.done)));
    } else if (this.state === "ordering") {
      this.announcements.toAll(orders(this.transfer, order, this.ordering.behind));
      this.ordering.noteTold();
    } else {
      this.offer();
      this.sendProgress(true);
    }
    this.deadlines.set("poll", this.inquiries.noteAskedAll(nowMs, this.barrier.size));
  }

  private askAgain(nowMs: number): void {
    const owing = [...this.barrier.progress].filter((one) =>
      this.debts.isHoldingUp(one, this.state, this.isFinal()),
    );
    const asked = this.inquiries.whom(owing, this.barrier.size, nowMs);
    if (asked === "all" || this.state !== "sending") {
      this.ask(nowMs);
      return;
    }
    if (asked.length > 0) this.offer();
    for (const { member } of asked) this.sendProgress(true, member.address);
    this.deadlines.set("poll", this.inquiries.nextMs(nowMs));
  }

  private offer(): void {
    this.announcements.toAll(offers(this.transfer, this.request.dryRun, this.barrier.unanswered()));
  }

  /** Tells everybody how far this transfer is, or asks one member, which then need not spread its answer. */
  private sendProgress(poll: boolean, address?: Address): void {
    const body = {
      transfer: this.transfer,
      sentBlocks: this.blocks.sent,
      stamp: this.blocks.stamp,
      settledBelow: this.wants.settledBelow(this.blocks.produced),
      final: this.isFinal(),
      poll,
      spreadMs: address === undefined ? spreadMs(this.barrier.size) : 0,
    };
    const message: ControlMessage = { type: "progress", body };
    if (address === undefined) this.announcements.toAll([message]);
    else this.announcements.toOne(address, message);
  }

  private drop(progress: MemberProgress, reason: string, nowMs: number): void {
    const { epoch, info, address } = progress.member;
    const isUnknown = this.state === "committing" && progress.phase < MemberPhase.failed;
    const outcome = isUnknown ? "unconfirmed" : "failed";
    this.findings.forget(epoch);
    this.barrier.settle(progress, outcome, reason);
    this.effects.push({
      kind: "event",
      event: { kind: "member-failed", transfer: this.transfer, epoch, hostName: info.hostName, reason },
    });
    if (this.state !== "committing") {
      const farewell = "the sender goes on without this member";
      this.announcements.toOne(address, abort(this.transfer, farewell, [epoch]));
      if (this.request.allOrNothing) {
        this.abort(`${info.hostName}: ${reason}`);
        return;
      }
      if (this.barrier.size === 0) {
        this.finish(undefined);
        return;
      }
    }
    this.pump(nowMs);
  }

  private abort(reason: string): void {
    const message = abort(this.transfer, reason);
    this.announcements.toAll([message, message, message]);
    for (const progress of [...this.barrier.progress]) this.barrier.settle(progress, "failed", reason);
    this.finish(reason);
  }

  private finish(aborted: string | undefined): void {
    this.become("finished");
    this.effects.push({ kind: "close-source", transfer: this.transfer });
    const { sentFragments, repairedFragments } = this.blocks;
    const result = {
      transfer: this.transfer,
      verdicts: this.barrier.verdicts,
      aborted,
      sentFragments,
      repairedFragments,
    };
    this.effects.push({ kind: "event", event: { kind: "transfer-finished", result } });
  }
}
