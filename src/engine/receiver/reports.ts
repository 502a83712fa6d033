/** The reports of a member: when a STATUS is sent, and with which content. */
import { Deadline } from "../../base/deadline.ts";
import { serialDistance } from "../../base/serial.ts";
import { BLOCK_FRAGMENTS } from "../../wire/limits.ts";
import type { Want } from "../../wire/status-message.ts";
import type { Progress } from "../../wire/transfer-messages.ts";
import type { Effect, InboundKey, Member } from "../types.ts";
import type { Assembly } from "./assembly.ts";
import type { CommitTurn } from "./commit-turn.ts";
import type { ReceiverContext } from "./context.ts";
import type { FindingsAnswers } from "./findings-answers.ts";
import { Gaps } from "./gaps.ts";
import type { Pace } from "./pace.ts";
import { PendingWants } from "./pending-wants.ts";
import type { ReceiverLife } from "./states.ts";
import { buildStatus, MOST_AHEAD } from "./status.ts";
import * as times from "./times.ts";

/** The parts of a transfer that a report tells of, and the sender that it goes to. */
export interface ReportedParts {
  readonly context: ReceiverContext;
  readonly key: InboundKey;
  readonly rank: number;
  readonly sender: Member;
  readonly life: ReceiverLife;
  readonly assembly: Assembly;
  readonly turn: CommitTurn;
  readonly findings: FindingsAnswers;
  readonly pace: Pace;
}

/**
 * How far a stamp may be ahead beyond what this member allows in flight. Before the first report a sender sends two
 * blocks whatever the member allows, and later the member may allow less than the sender has heard of, because it
 * receives more transfers. Twice those two blocks leave room for both. A stamp that is ahead by more is no loss: the
 * next PROGRESS says it as well.
 */
const STAMP_SLACK = 4 * BLOCK_FRAGMENTS;

/**
 * The reports of a member on one transfer (PROTOCOL.md 5.3). A STATUS always tells the whole state, so only one
 * thing is planned: when the next one goes.
 */
export class Reports {
  private readonly parts: ReportedParts;
  private readonly effects: Effect[];
  private readonly gaps: Gaps;
  private readonly wants = new PendingWants();
  private readonly due = new Deadline();
  /** The highest stamp seen, plus one. */
  private stamp = 0;
  /** Fragments that have arrived, needed or not. */
  private received = 0;
  /** Whether the last question was for this member alone: then the sender waits for it. */
  private isAskedByName = false;
  /** How often the disk has told that it works. */
  private worked = 0;
  /** How things were at the last report. */
  private last: { stamp: number; stagedBelow: number; atMs: number };

  /** @param effects where reports are put */
  constructor(parts: ReportedParts, effects: Effect[], nowMs: number) {
    this.parts = parts;
    this.effects = effects;
    this.gaps = new Gaps(parts.assembly, parts.pace);
    this.last = { stamp: 0, stagedBelow: 0, atMs: nowMs };
  }

  /** Whether a report is still to be sent. */
  get isPending(): boolean {
    return this.due.isSet;
  }

  /** When there is something to do, in milliseconds. */
  nextDeadlineMs(): number {
    return Math.min(this.due.atMs, this.gaps.nextLookMs);
  }

  /**
   * The hot path: fragments have arrived. Fragments are not sealed one by one. A stamp further on than the sender
   * may have come since the last report is forged; it would make the sender believe that everything on its way has
   * arrived.
   *
   * @param stamp the stamp after the last of them
   */
  noteRun(stamp: number, fragments: number): void {
    this.received += fragments;
    const ahead = serialDistance(stamp, this.stamp);
    if (ahead <= 0) return;
    const most = serialDistance(this.last.stamp, this.stamp) + this.parts.context.inFlight() + STAMP_SLACK;
    if (ahead <= most) this.stamp = stamp;
  }

  /** Fragments have arrived, and their blocks are noted. */
  afterFragments(nowMs: number): void {
    this.gaps.noteFragments(nowMs);
    const isLate = nowMs - this.last.atMs >= times.REPORT_AT_LEAST_MS;
    if (isLate && !this.due.isSet) this.answer(nowMs);
    const unreported = serialDistance(this.stamp, this.last.stamp);
    if (this.parts.pace.isDue(unreported, this.parts.context.inFlight())) this.due.setNoLater(nowMs);
  }

  /** The sender tells how far it is, or asks. */
  handleProgress(progress: Progress, nowMs: number): void {
    const { pace, assembly } = this.parts;
    pace.learn(progress.spreadMs);
    if (serialDistance(progress.stamp, this.stamp) > 0) this.stamp = progress.stamp;
    this.wants.confirmBelow(progress.settledBelow);
    if (!progress.poll) return;
    // The sender asks when nothing is on its way any more.
    this.gaps.age(assembly.seenBlocks);
    this.isAskedByName = pace.isAskedByName(progress.spreadMs);
    if (!this.isAskedByName) {
      this.answer(nowMs);
      return;
    }
    // The sender waits for this member: earlier answers may have got lost.
    this.wants.repeatAll();
    this.due.setNoLater(nowMs);
  }

  /** Blocks have been staged: reports when that has used up this member's share of the window. */
  noteStaged(nowMs: number): void {
    const { assembly, pace, context } = this.parts;
    const unreported = assembly.stagedBelow - this.last.stagedBelow;
    if (pace.isDue(unreported, context.options.windowBlocks)) this.due.setNoLater(nowMs);
  }

  /** Blocks did not open: they are missing again. */
  noteCorrupt(blocks: readonly number[], nowMs: number): void {
    for (const block of blocks) this.gaps.age(block + 1);
    this.due.setNoLater(nowMs + times.GAP_DELAY_MS);
  }

  /** A manifest block was compared: its answer is repeated until the sender has confirmed it. */
  addWants(blocks: readonly number[], answer: Omit<Want, "block">, nowMs: number): void {
    for (const block of blocks) this.wants.add(block, answer);
    this.answer(nowMs);
  }

  /** The disk goes on, though nothing else shows it. */
  noteWork(): void {
    this.worked++;
  }

  /** Plans an answer that all members give, within the spread. */
  answer(nowMs: number): void {
    this.due.setNoLater(nowMs + this.parts.pace.answerDelayMs());
  }

  /** Plans the word that the transfer is accepted, or that all is staged and durable. */
  sayQuietly(nowMs: number): void {
    this.due.setNoLater(nowMs + (this.isAskedByName ? 0 : this.parts.pace.quietDelayMs()));
  }

  /** Plans the answer to an ORDER. */
  answerOrder(nowMs: number): void {
    const { pace, turn } = this.parts;
    this.due.setNoLater(nowMs + pace.orderDelayMs(turn.asked));
  }

  /** Plans the word that the commit is over. */
  sayCommitted(nowMs: number): void {
    const { pace, turn } = this.parts;
    this.due.setNoLater(nowMs + pace.orderDelayMs(turn.asked));
  }

  /** Plans nothing more. */
  stop(): void {
    this.due.clear();
    this.gaps.stop();
  }

  /** Sends a report when it is due. */
  tick(nowMs: number): void {
    const hasGap = this.gaps.tick(nowMs);
    if (hasGap && this.parts.life.state === "receiving") this.due.setNoLater(nowMs);
    if (this.due.take(nowMs)) this.send(nowMs);
  }

  /** Sends a report. */
  send(nowMs: number): void {
    const { key, rank, sender, life, assembly, turn, findings, pace, context } = this.parts;
    const dueWants = this.wants.due(nowMs, pace.wantRepeatMs);
    const { status, wants } = buildStatus(
      {
        sender: key.epoch,
        transfer: key.transfer,
        phase: life.phase,
        stamp: this.stamp,
        stagedBelow: assembly.stagedBelow,
        windowEnd: assembly.windowEnd,
        inFlight: context.inFlight(),
        received: this.received >>> 0,
        reason: life.reason,
        findings: findings.total,
        worked: (this.worked + turn.departures) >>> 0,
        order: turn.place,
        // A sender that gives no rank does not know them.
        admission: rank === 0 ? 0 : key.admission,
        ahead: rank === 0 ? 0 : this.ahead,
      },
      life.state === "receiving" ? this.gaps.missing() : { runs: [], fragments: [] },
      dueWants,
    );
    this.wants.noteSent(wants, nowMs);
    const destination = { to: "address", address: sender.address } as const;
    this.effects.push({ kind: "send", destination, message: { type: "status", body: status } });
    this.last = { stamp: this.stamp, stagedBelow: assembly.stagedBelow, atMs: nowMs };
    pace.drawShare();
    this.planNext(nowMs, dueWants.length > wants.length);
  }

  /** Transfers that ask for the place of this one. */
  private get ahead(): number {
    const { context, key, rank } = this.parts;
    return Math.min(MOST_AHEAD, context.waitingBefore({ name: key, rank }));
  }

  private planNext(nowMs: number, hasMoreWants: boolean): void {
    const { life, assembly, pace } = this.parts;
    if (!life.isGoingOn) return;
    if (hasMoreWants) this.due.setNoLater(nowMs);
    else if (!assembly.isWhole) this.gaps.noteReported(nowMs);
    else if (!this.wants.isEmpty) this.due.setNoLater(nowMs + pace.wantRepeatMs);
  }
}
