/** One incoming transfer. */
import { assert } from "../../base/assert.ts";
import { Deadlines } from "../../base/deadlines.ts";
import { bitCount } from "../../base/bitmap.ts";
import { serialAdd, serialDistance } from "../../base/serial.ts";
import type { FragmentHeader } from "../../wire/datagram.ts";
import { BLOCK_FRAGMENTS } from "../../wire/limits.ts";
import type { Finding, Inquiry } from "../../wire/findings.ts";
import { MemberPhase } from "../../wire/status-message.ts";
import type { Commit, Offer, Order, Progress } from "../../wire/transfer-messages.ts";
import type { Effect, FragmentMask, InboundKey, Input, Member } from "../types.ts";
import { spreadMs } from "../spread.ts";
import { Assembly } from "./assembly.ts";
import { fellows, type ReceiverContext } from "./context.ts";
import { findingsMessages } from "./findings-messages.ts";
import { Pace } from "./pace.ts";
import { PendingWants } from "./pending-wants.ts";
import { NEXT_STATES, PHASE_OF_STATE, type State } from "./states.ts";
import { buildStatus } from "./status.ts";
import * as times from "./times.ts";

/**
 * One transfer at a member (PROTOCOL.md 5): puts blocks together, has them staged, says what is missing and
 * what it wants, and switches when it is told to. Nothing is acknowledged before the disk has answered.
 */

/** What may be under way before the first report, and the reports that are under way themselves. */
const STAMP_SLACK = 4 * BLOCK_FRAGMENTS;

export class TransferReceiver {
  readonly key: InboundKey;
  readonly sender: Member;
  private readonly context: ReceiverContext;
  private readonly dryRun: boolean;
  private readonly assembly: Assembly;
  private readonly pendingWants = new PendingWants();
  private readonly deadlines = new Deadlines<"report" | "gap" | "repeat" | "silence">();
  private readonly pace: Pace;
  private readonly effects: Effect[] = [];
  private state: State = "receiving";
  private reason = "";
  /** It failed, and must not happen anywhere. */
  private isRefusal = false;
  private findings = 0;
  private worked = 0;
  /** Its place among all transfers; 0 before the sender asks for it. */
  private order = 0;
  /** How many members were asked with it. */
  private asked = 0;
  private stamp = 0;
  private reportedStamp = 0;
  private reportedStagedBelow = 0;
  private reportedMs: number;
  /** Fragments that have arrived, needed or not. */
  private received = 0;
  /** What is missing of blocks below this number has been so for a while. */
  private agedBelow = 0;
  /** What was heard of when the deadline of that name was set: younger gaps have to wait for the next one. */
  private readonly marks = { gap: 0, repeat: 0 };
  private totalBlocks: number | undefined;

  constructor(context: ReceiverContext, key: InboundKey, sender: Member, offer: Offer, nowMs: number) {
    this.context = context;
    this.key = key;
    this.sender = sender;
    this.dryRun = offer.dryRun;
    this.assembly = new Assembly(context.options.windowBlocks);
    this.pace = new Pace(context.random, spreadMs(fellows(offer.targets, context.members())));
    this.reportedMs = nowMs;
    this.effects.push({ kind: "open-stage", key, dryRun: offer.dryRun });
    this.effects.push({
      kind: "event",
      event: { kind: "inbound-began", key, hostName: sender.info.hostName, dryRun: offer.dryRun },
    });
    this.heardSender(nowMs);
    this.reportSoon(nowMs);
  }

  /** Ended, well or not, and it has said so: only the answer to repeated questions is left to give. */
  get ended(): { phase: MemberPhase; reason: string } | undefined {
    if (this.isGoingOn || this.deadlines.isSet("report")) return undefined;
    return { phase: this.phase, reason: this.reason };
  }

  private get phase(): MemberPhase {
    return this.isRefusal ? MemberPhase.refused : PHASE_OF_STATE[this.state];
  }

  private get isGoingOn(): boolean {
    return this.state !== "done" && this.state !== "failed";
  }

  poll(): Effect | undefined {
    return this.effects.shift();
  }

  nextDeadlineMs(): number {
    return this.deadlines.nextMs();
  }

  /**
   * The hot path: takes note of fragments that stand one behind the other in their block.
   *
   * @param last the header of the last of them
   * @param mask all of them; only those whose payloads are to be kept stay in it
   */
  acceptRun(last: FragmentHeader, mask: FragmentMask): void {
    if (this.state !== "receiving") {
      mask.low = mask.high = 0;
      return;
    }
    this.noteStamp(serialAdd(last.stamp, 1));
    this.received += bitCount(mask.low) + bitCount(mask.high);
    this.assembly.accept(last.block, mask, last.sealedBytes, last.kind);
  }

  /** To be called when the payloads of accepted fragments are in place. */
  afterFragments(nowMs: number): void {
    if (this.state !== "receiving") return;
    this.heardSender(nowMs);
    if (this.assembly.hasGap && !this.deadlines.isSet("gap")) {
      // The newest block may just be arriving.
      this.marks.gap = this.assembly.seenBlocks - 1;
      this.deadlines.set("gap", nowMs + this.pace.gapDelayMs());
    }
    this.stageWhole();
    const unreported = serialDistance(this.stamp, this.reportedStamp);
    const isLate = nowMs - this.reportedMs >= times.REPORT_AT_LEAST_MS;
    if (isLate && !this.deadlines.isSet("report")) this.reportSoon(nowMs);
    if (this.pace.isDue(unreported, this.context.inFlight())) this.deadlines.setNoLater("report", nowMs);
    this.tick(nowMs);
  }

  handleOffer(nowMs: number): void {
    this.heardSender(nowMs);
    this.reportSoon(nowMs);
  }

  handleProgress(progress: Progress, nowMs: number): void {
    this.heardSender(nowMs);
    this.pace.learn(progress.spreadMs);
    if (serialDistance(progress.stamp, this.stamp) > 0) this.stamp = progress.stamp;
    this.assembly.noteSent(progress.sentBlocks);
    if (progress.final) this.totalBlocks = progress.sentBlocks;
    this.pendingWants.confirmBelow(progress.settledBelow);
    if (progress.poll) {
      // The sender asks when nothing is on its way any more.
      this.agedBelow = this.assembly.seenBlocks;
      if (this.pace.isAskedByName(progress.spreadMs)) this.answerNow(nowMs);
      else this.reportSoon(nowMs);
    }
    this.prepareIfWhole();
    this.tick(nowMs);
  }

  handleOrder({ order, targets }: Order, nowMs: number): void {
    if (!targets.includes(this.context.selfEpoch)) return;
    this.heardSender(nowMs);
    if (this.state === "ready") this.become("ordered");
    if (this.state === "ordered") this.order = this.context.commitOrder.place(this.key, order);
    this.asked = fellows(targets, this.context.members());
    this.deadlines.setNoLater("report", nowMs + this.pace.orderDelayMs(this.asked));
    this.tick(nowMs);
  }

  handleCommit({ order, targets }: Commit, nowMs: number): void {
    if (!targets.includes(this.context.selfEpoch)) return;
    this.heardSender(nowMs);
    if (this.state === "ordered") {
      this.order = this.context.commitOrder.place(this.key, order);
      this.become("decided");
      this.asked = fellows(targets, this.context.members());
      this.commitInTurn();
    } else {
      this.reportSoon(nowMs);
    }
    this.tick(nowMs);
  }

  /** Begins the commit when COMMIT has been said and all that come before it are over. */
  commitInTurn(): void {
    if (this.state !== "decided" || !this.context.commitOrder.isFirst(this.key)) return;
    this.become("committing");
    this.effects.push({ kind: "commit", key: this.key });
  }

  /** The sender, or the loss of it, ends the transfer; once COMMIT has been said it is carried out. */
  discard(reason: string): void {
    if (this.state !== "decided" && this.state !== "committing") this.end("failed", reason, "discarded");
  }

  handleStaged(input: Extract<Input, { kind: "staged" }>, nowMs: number): void {
    if (this.state !== "receiving") return;
    const { blocks, outcome } = input;
    if (outcome.kind === "failed") {
      this.fail(outcome.reason, nowMs);
      return;
    }
    if (outcome.kind === "corrupt") {
      for (const block of blocks) this.assembly.markCorrupt(block);
      this.stageWhole();
      this.agedBelow = Math.max(this.agedBelow, ...blocks.map((block) => block + 1));
      this.deadlines.setNoLater("report", nowMs + times.GAP_DELAY_MS);
      return;
    }
    for (const block of blocks) this.assembly.markStaged(block);
    this.stageWhole();
    this.findings = Math.max(this.findings, outcome.findings);
    if (outcome.wants !== undefined) {
      const { wants: entries, differences } = outcome;
      for (const block of blocks) this.pendingWants.add(block, { entries, differences });
      this.reportSoon(nowMs);
    }
    const unreported = this.assembly.stagedBelow - this.reportedStagedBelow;
    if (this.pace.isDue(unreported, this.context.options.windowBlocks))
      this.deadlines.setNoLater("report", nowMs);
    this.prepareIfWhole();
    this.tick(nowMs);
  }

  handlePrepared(input: Extract<Input, { kind: "prepared" }>, nowMs: number): void {
    if (this.state !== "preparing") return;
    const { failure } = input;
    this.findings = Math.max(this.findings, input.findings);
    this.isRefusal = input.isRefusal;
    if (failure !== undefined) {
      this.fail(failure, nowMs);
      return;
    }
    this.become("ready");
    this.reportSoon(nowMs);
    this.tick(nowMs);
  }

  handleCommitted(failure: string | undefined, nowMs: number): void {
    if (this.state !== "committing") return;
    const outcome = failure === undefined ? "done" : "failed";
    this.end(outcome, failure ?? "", outcome);
    this.deadlines.setNoLater("report", nowMs + this.pace.doneDelayMs(this.asked));
    this.tick(nowMs);
  }

  handleInquiry(inquiry: Inquiry, nowMs: number): void {
    this.heardSender(nowMs);
    if (inquiry.first < this.findings)
      this.effects.push({ kind: "read-findings", key: this.key, first: inquiry.first });
  }

  /** The findings that were asked for. */
  handleFound(first: number, findings: readonly Finding[]): void {
    const { epoch, transfer } = this.key;
    const destination = { to: "address", address: this.sender.address } as const;
    for (const body of findingsMessages(epoch, transfer, first, findings))
      this.effects.push({ kind: "send", destination, message: { type: "findings", body } });
  }

  /** The disk goes on, though nothing else shows it. */
  noteWork(): void {
    this.worked++;
  }

  tick(nowMs: number): void {
    if (this.deadlines.take("silence", nowMs)) {
      this.discard(`the sender was silent for ${times.SENDER_SILENCE_MS / 1000} seconds`);
    }
    for (const name of ["gap", "repeat"] as const) {
      if (this.deadlines.take(name, nowMs)) this.lookAtGap(this.marks[name], nowMs);
    }
    if (this.deadlines.take("report", nowMs)) this.report(nowMs);
  }

  /** Whatever was heard of long enough ago, and is still missing, is worth a report. */
  private lookAtGap(mark: number, nowMs: number): void {
    this.agedBelow = Math.max(this.agedBelow, mark);
    if (this.state === "receiving" && this.assembly.hasGapBelow(this.agedBelow))
      this.deadlines.setNoLater("report", nowMs);
  }

  private stageWhole(): void {
    for (let whole = this.assembly.takeWhole(); whole !== undefined; whole = this.assembly.takeWhole()) {
      this.effects.push({ kind: "stage", key: this.key, ...whole });
    }
  }

  private become(state: State): void {
    assert(
      (NEXT_STATES[this.state] as readonly State[]).includes(state),
      `no way from ${this.state} to ${state}`,
    );
    this.state = state;
  }

  /**
   * Fragments are not sealed one by one. A stamp further on than the sender may have come since the last report is
   * forged; it would make the sender believe that everything on its way has arrived.
   */
  private noteStamp(stamp: number): void {
    const ahead = serialDistance(stamp, this.stamp);
    const most = serialDistance(this.reportedStamp, this.stamp) + this.context.inFlight() + STAMP_SLACK;
    if (ahead > 0 && ahead <= most) this.stamp = stamp;
  }

  private heardSender(nowMs: number): void {
    if (this.isGoingOn) this.deadlines.set("silence", nowMs + times.SENDER_SILENCE_MS);
  }

  private reportSoon(nowMs: number): void {
    this.deadlines.setNoLater("report", nowMs + this.pace.answerDelayMs());
  }

  /** The sender waits for this member: whatever it has said before may have got lost. */
  private answerNow(nowMs: number): void {
    this.pendingWants.repeatAll();
    this.deadlines.setNoLater("report", nowMs);
  }

  private prepareIfWhole(): void {
    if (this.state !== "receiving" || this.totalBlocks !== this.assembly.stagedBelow) return;
    if (this.dryRun) {
      this.become("ready");
      return;
    }
    this.become("preparing");
    this.effects.push({ kind: "prepare", key: this.key });
  }

  private fail(reason: string, nowMs: number): void {
    this.end("failed", reason, "failed");
    this.report(nowMs);
  }

  private end(state: "done" | "failed", reason: string, outcome: "done" | "failed" | "discarded"): void {
    if (!this.isGoingOn) return;
    const hasCommitted = this.state === "committing";
    this.become(state);
    this.reason = reason;
    this.deadlines.clearAll();
    this.context.commitOrder.leave(this.key);
    if (!hasCommitted) this.effects.push({ kind: "discard", key: this.key });
    this.effects.push({ kind: "event", event: { kind: "inbound-ended", key: this.key, outcome, reason } });
  }

  private report(nowMs: number): void {
    const dueWants = this.pendingWants.due(nowMs, this.pace.wantRepeatMs);
    const { status, wants } = buildStatus(
      {
        sender: this.key.epoch,
        transfer: this.key.transfer,
        phase: this.phase,
        stamp: this.stamp,
        stagedBelow: this.assembly.stagedBelow,
        windowEnd: this.assembly.windowEnd,
        inFlight: this.context.inFlight(),
        received: this.received >>> 0,
        reason: this.reason,
        findings: this.findings,
        worked: this.workDone() >>> 0,
        order: this.order,
      },
      this.state === "receiving"
        ? this.assembly.missingBelow(this.missingEnd())
        : { runs: [], fragments: [] },
      dueWants,
    );
    this.pendingWants.noteSent(wants, nowMs);
    const destination = { to: "address", address: this.sender.address } as const;
    this.effects.push({ kind: "send", destination, message: { type: "status", body: status } });
    this.reportedStamp = this.stamp;
    this.reportedStagedBelow = this.assembly.stagedBelow;
    this.reportedMs = nowMs;
    this.pace.drawShare();
    this.scheduleNextReport(nowMs, dueWants.length > wants.length);
  }

  /** While it waits for its turn, each of the others that comes to its end brings it on. */
  private workDone(): number {
    return this.state === "decided" ? this.worked + this.context.commitOrder.departures : this.worked;
  }

  private scheduleNextReport(nowMs: number, hasMoreWants: boolean): void {
    if (!this.isGoingOn) return;
    if (hasMoreWants) this.deadlines.setNoLater("report", nowMs);
    else if (!this.assembly.isWhole) {
      this.marks.repeat = this.assembly.seenBlocks;
      this.deadlines.set("repeat", nowMs + this.pace.gapRepeatMs);
    } else if (!this.pendingWants.isEmpty)
      this.deadlines.setNoLater("report", nowMs + this.pace.wantRepeatMs);
  }

  /** With many members, what is not missing for long is left out: others have asked for most of it. */
  private missingEnd(): number {
    return this.pace.spreadMs === 0 ? Infinity : this.agedBelow;
  }
}
