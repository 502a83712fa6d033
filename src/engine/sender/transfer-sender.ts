import { assert } from "../../base/assert.ts";
import { Deadlines } from "../../base/deadlines.ts";
import { serialDistance } from "../../base/serial.ts";
import { fragmentCount } from "../../wire/datagram.ts";
import type { ControlMessage } from "../../wire/message.ts";
import { MemberPhase, type Status } from "../../wire/status-message.ts";
import type { Effect, EngineOptions, Input, TransferRequest } from "../types.ts";
import { commits, offers, spreadMs } from "./announcements.ts";
import { Barrier, type MemberProgress } from "./barrier.ts";
import { FlowControl } from "./flow-control.ts";
import { SendQueue } from "./repair.ts";
import * as times from "./times.ts";
import { WantCollector } from "./wants.ts";

/**
 * One transfer at its sender (PROTOCOL.md 5): offers it, sends blocks as fast as the slowest member takes them,
 * sends again what is missing, waits until everybody has everything, and lets them switch together.
 */

/** The only ways from state to state; become() holds them. */
const NEXT_STATES = {
  sending: ["committing", "finished"],
  committing: ["finished"],
  finished: [],
} as const;

type State = keyof typeof NEXT_STATES;
type Produced = Extract<Input, { kind: "produced" }>;

export class TransferSender {
  readonly transfer: number;
  private readonly request: TransferRequest;
  private readonly windowBlocks: number;
  private state: State = "sending";
  private readonly barrier: Barrier;
  private readonly queue: SendQueue;
  private readonly flow: FlowControl;
  private readonly wants = new WantCollector();
  private readonly deadlines = new Deadlines<"poll" | "send" | "silence">();
  private readonly effects: Effect[] = [];
  private readonly fragmentsOfSlot: Uint8Array;
  private pollDelayMs = times.POLL_FIRST_MS;
  private lastLookMs: number;
  private producedBlocks = 0;
  private sentBlocks = 0;
  private isProducing = false;
  private hasSettledSinceProduce = false;
  private hasSaidFinal = false;
  private sourceState: Produced["state"] = "more";
  private pendingSends = 0;

  constructor(request: TransferRequest, options: EngineOptions, nowMs: number) {
    this.request = request;
    this.transfer = request.transfer;
    this.windowBlocks = options.windowBlocks;
    this.barrier = new Barrier(request.targets, nowMs);
    this.queue = new SendQueue(options.windowBlocks);
    this.flow = new FlowControl(options.fragmentsPerSecond);
    this.fragmentsOfSlot = new Uint8Array(options.windowBlocks);
    this.lastLookMs = nowMs;
    this.deadlines.set("silence", nowMs + times.MEMBER_SILENCE_MS / 5);
    this.offer();
    this.schedulePoll(nowMs);
    this.pump(nowMs);
  }

  get isFinished(): boolean {
    return this.state === "finished";
  }

  get isCommitting(): boolean {
    return this.state === "committing";
  }

  /** Where the members are, for the progress display. */
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
    if (status.stagedBelow > this.sentBlocks) {
      this.drop(progress, "it reports blocks that were never sent", nowMs);
      return;
    }
    if (status.phase === MemberPhase.waiting) {
      progress.heardMs = nowMs;
      return;
    }
    const isFirstAnswer = !progress.hasAnswered;
    // Fragments are not sealed one by one, so a forged one can make a member see a stamp that never was.
    const stamp = serialDistance(status.stamp, this.queue.stamp) > 0 ? this.queue.stamp : status.stamp;
    this.barrier.update(progress, { ...status, stamp }, nowMs);
    if (status.phase === MemberPhase.failed) {
      this.drop(progress, status.reason, nowMs);
      return;
    }
    if (!status.wants.every((want) => this.wants.note(epoch, want))) {
      this.drop(progress, "it answers a manifest that was never sent", nowMs);
      return;
    }
    if (this.state === "sending") this.noteMissing(epoch, status, stamp);
    if (this.state === "committing" && status.phase === MemberPhase.done)
      this.barrier.settle(progress, "done", "");
    if (isFirstAnswer) this.schedulePoll(nowMs);
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
      const number = this.producedBlocks++;
      if (block.entries > 0) this.wants.add(number, block.entries);
      this.fragmentsOfSlot[number % this.windowBlocks] = fragmentCount(block.sealedBytes);
    }
    if (input.unreadable > 0 && this.request.allOrNothing) {
      this.abort(`${input.unreadable} entries cannot be read here`);
      return;
    }
    this.pump(nowMs);
  }

  handleSent(nowMs: number): void {
    this.pendingSends--;
    this.pump(nowMs);
  }

  /** A member said goodbye or started anew. */
  handleMemberLeft(epoch: string, reason: string, nowMs: number): void {
    const progress = this.barrier.of(epoch);
    if (progress !== undefined) this.drop(progress, reason, nowMs);
  }

  /** Ends the transfer before the commit, if it is not too late. */
  cancel(reason: string): void {
    if (this.state === "sending") this.abort(reason);
  }

  tick(nowMs: number): void {
    if (this.isFinished) return;
    const standstillMs = nowMs - this.lastLookMs;
    this.lastLookMs = nowMs;
    if (standstillMs >= times.STANDSTILL_MS) this.barrier.forgive(standstillMs);
    if (this.deadlines.take("silence", nowMs)) {
      this.deadlines.set("silence", nowMs + times.MEMBER_SILENCE_MS / 10);
      this.dropTheLost(nowMs);
    }
    if (this.deadlines.take("poll", nowMs)) this.ask(nowMs);
    this.deadlines.take("send", nowMs);
    this.pump(nowMs);
  }

  /** Members that have fallen silent, and such as answer and do not get on: a disk may hang for ever. */
  private dropTheLost(nowMs: number): void {
    for (const progress of this.barrier.silentSince(nowMs)) {
      if (this.isFinished) return;
      this.drop(progress, `no answer for ${times.MEMBER_SILENCE_MS / 1000} seconds`, nowMs);
    }
    for (const progress of [...this.barrier.progress]) {
      if (this.isFinished) return;
      if (!this.isOwing(progress)) progress.movedMs = nowMs;
      if (nowMs - progress.movedMs < times.MEMBER_STUCK_MS) continue;
      this.drop(
        progress,
        `it answers, but has not got on for ${times.MEMBER_STUCK_MS / 1000} seconds`,
        nowMs,
      );
    }
  }

  /** Whether it is this member that the transfer waits for. */
  private isOwing(progress: MemberProgress): boolean {
    if (this.state === "committing") return progress.phase < MemberPhase.done;
    const owesStatus = progress.stagedBelow < this.sentBlocks || this.wants.isOwedBy(progress.member.epoch);
    return owesStatus || (this.isFinal() && progress.phase < MemberPhase.ready);
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
      this.queue.forgetBelow(this.barrier.stagedBelow());
      this.settleManifests();
      this.produce();
      this.sendBlocks(nowMs);
      this.passBarrier(nowMs);
    }
    if (this.state === "committing" && this.barrier.size === 0) this.finish(undefined);
  }

  private settleManifests(): void {
    if (this.wants.isEmpty) return;
    for (const settled of this.wants.takeSettled(this.barrier.epochs)) {
      this.effects.push({ kind: "settle", transfer: this.transfer, ...settled });
      if (this.sourceState === "idle") this.sourceState = "more";
      this.hasSettledSinceProduce = true;
    }
  }

  private produce(): void {
    const room = this.barrier.stagedBelow() + this.windowBlocks - this.producedBlocks;
    if (this.isProducing || this.sourceState !== "more" || room <= 0) return;
    this.isProducing = true;
    this.hasSettledSinceProduce = false;
    const count = Math.min(room, times.PRODUCE_BLOCKS);
    this.effects.push({ kind: "produce", transfer: this.transfer, firstBlock: this.producedBlocks, count });
  }

  private sendBlocks(nowMs: number): void {
    while (this.pendingSends < times.PENDING_SENDS) {
      if (this.queue.isEmpty && !this.queueNextBlock()) break;
      const readyMs = this.flow.readyMs(nowMs);
      if (readyMs > nowMs) {
        this.deadlines.setNoLater("send", readyMs);
        break;
      }
      const room = this.barrier.inFlightRoom(this.queue.stamp);
      // A member whose socket holds less than a block gets it in pieces.
      const fragments = this.queue.peek(Math.min(this.flow.largestSend(), this.barrier.leastInFlight()));
      if (fragments > room) break;
      const sending = this.queue.take(fragments);
      assert(sending !== undefined, "what was peeked at is there");
      this.flow.noteSent(sending.fragments, nowMs);
      this.pendingSends++;
      this.effects.push({ kind: "send-block", transfer: this.transfer, ...sending });
      this.pollDelayMs = times.POLL_FIRST_MS;
      this.deadlines.set("poll", nowMs + this.pollDelayMs);
    }
  }

  private queueNextBlock(): boolean {
    if (this.sentBlocks >= Math.min(this.producedBlocks, this.barrier.windowEnd())) return false;
    const block = this.sentBlocks++;
    this.queue.addBlock(block, this.fragmentsOfSlot[block % this.windowBlocks] as number);
    return true;
  }

  private isFinal(): boolean {
    return this.sourceState === "end" && this.sentBlocks === this.producedBlocks;
  }

  private noteMissing(epoch: string, status: Status, stamp: number): void {
    let lost = 0;
    const stagedBelow = this.barrier.stagedBelow();
    const note = (block: number, maskLow: number, maskHigh: number) => {
      if (block >= this.sentBlocks || block < stagedBelow) return;
      lost += this.queue.addMissing(block, maskLow, maskHigh, stamp);
    };
    for (const { block, maskLow, maskHigh } of status.missingFragments) note(block, maskLow, maskHigh);
    for (const { firstBlock, blocks } of status.missingRuns) {
      const end = Math.min(firstBlock + blocks, this.sentBlocks);
      for (let block = firstBlock; block < end; block++) note(block, -1, -1);
    }
    this.flow.noteLost(epoch, lost);
  }

  private passBarrier(nowMs: number): void {
    if (!this.isFinal() || !this.queue.isEmpty) return;
    // The last fragment is followed at once by the word that it was the last.
    if (!this.hasSaidFinal) {
      this.hasSaidFinal = true;
      this.ask(nowMs);
    }
    if (!this.wants.isEmpty || !this.barrier.everyone(MemberPhase.ready)) return;
    if (this.request.dryRun) {
      for (const progress of [...this.barrier.progress]) this.barrier.settle(progress, "done", "");
      this.send({ type: "abort", body: { transfer: this.transfer, targets: [], reason: "dry run" } });
      this.finish(undefined);
      return;
    }
    this.become("committing");
    this.pollDelayMs = times.POLL_FIRST_MS;
    this.ask(nowMs);
  }

  /** Asks the members for what is still missing from them: an answer to the offer, a status, or DONE. */
  private ask(nowMs: number): void {
    if (this.state === "committing") {
      this.send(...commits(this.transfer, this.barrier.below(MemberPhase.done)));
    } else {
      this.offer();
      this.sendProgress();
    }
    this.schedulePoll(nowMs);
  }

  private schedulePoll(nowMs: number): void {
    this.deadlines.set("poll", nowMs + this.pollDelayMs);
    this.pollDelayMs = Math.min(times.POLL_MOST_MS, this.pollDelayMs * 2);
  }

  private offer(): void {
    this.send(...offers(this.transfer, this.request.dryRun, this.barrier.unanswered()));
  }

  private sendProgress(): void {
    this.send({
      type: "progress",
      body: {
        transfer: this.transfer,
        sentBlocks: this.sentBlocks,
        stamp: this.queue.stamp,
        settledBelow: this.wants.settledBelow(this.producedBlocks),
        final: this.isFinal(),
        poll: true,
        spreadMs: spreadMs(this.barrier.size),
      },
    });
  }

  private drop(progress: MemberProgress, reason: string, nowMs: number): void {
    const { epoch, info, address } = progress.member;
    const outcome =
      this.state === "committing" && progress.phase !== MemberPhase.failed ? "unconfirmed" : "failed";
    this.barrier.settle(progress, outcome, reason);
    this.effects.push({
      kind: "event",
      event: { kind: "member-failed", transfer: this.transfer, epoch, hostName: info.hostName, reason },
    });
    if (this.state === "sending") {
      const farewell = "the sender goes on without this member";
      const body = { transfer: this.transfer, targets: [epoch], reason: farewell };
      this.effects.push({
        kind: "send",
        destination: { to: "address", address },
        message: { type: "abort", body },
      });
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
    const body = { transfer: this.transfer, targets: [], reason };
    for (let copy = 0; copy < 3; copy++) this.send({ type: "abort", body });
    for (const progress of [...this.barrier.progress]) this.barrier.settle(progress, "failed", reason);
    this.finish(reason);
  }

  private finish(aborted: string | undefined): void {
    this.become("finished");
    this.effects.push({ kind: "close-source", transfer: this.transfer });
    const counts = { sentFragments: this.queue.stamp, repairedFragments: this.queue.repaired };
    const result = { transfer: this.transfer, verdicts: this.barrier.verdicts, aborted, ...counts };
    this.effects.push({ kind: "event", event: { kind: "transfer-finished", result } });
  }

  private send(...messages: ControlMessage[]): void {
    for (const message of messages)
      this.effects.push({ kind: "send", destination: { to: "group" }, message });
  }
}
