/** Examines members: sends probes to them, and collects what they say. */
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Member, NodeEvent } from "../../engine/types.ts";
import { type Condition, ProbeSeries } from "../../wire/examination-messages.ts";
import { DATAGRAM_BYTES, PROBE_FILLER_BYTES, PROBES_ASKED } from "../../wire/limits.ts";
import type { Say } from "./say.ts";

/**
 * Datagrams of each series. 40 slow ones show a loss of 5 %, in 0.2 s. 400 fast ones are 576 KB, a few windows of a sender. A
 * loss of single packets that are long is none of chance if five of five are gone.
 */
export const SLOW_PROBES = 40;
export const FAST_PROBES = 400;
export const SINGLE_PROBES = 5;

/** Between two slow ones: 2.3 Mbit/s, which every network carries. */
const SLOW_MS = 5;

/** Fast ones that go out at once, a timer's shortest time apart: some 200 Mbit/s. */
const BURST_PROBES = 20;
const BURST_MS = 1;

/** Questions that are only timed, and how often a question is asked that needs an answer. */
const TIMED_QUESTIONS = 4;
const TRIES = 4;

/** How often a member that has answered is asked what has arrived: with half of all packets lost, 19 of 20 members answer. */
export const LAST_TRIES = 12;

/** An answer takes a round trip, and a moment of the other disk. */
const ANSWER_MS = 500;

/** The last probes arrive within this time, or are lost. */
const SETTLE_MS = 100;

/** What was measured of one member. */
export interface Measurement {
  readonly member: Member;
  /** Times there and back, in milliseconds, in the order of the questions. */
  readonly roundTripsMs: number[];
  /** What it has said after the probes; undefined if it has said nothing since. What it said before counts no probe. */
  condition: Condition | undefined;
  /** What it has said first: the difference to the last is what has happened meanwhile. */
  first: Condition | undefined;
  /** By how much its clock is ahead, in milliseconds. */
  clockAheadMs: number;
  /** Probes that it has sent to the group because it was asked, and those that have arrived. */
  answersSent: number;
  answersHeard: number;
}

/** The result of an examination. */
export interface Measurements {
  readonly members: readonly Measurement[];
  /** The rate of the fast probes, in bits a second. */
  readonly fastBitsPerSecond: number;
  /** The length of a long datagram. */
  readonly longBytes: number;
}

/** A question that has no answer yet. */
interface Question {
  readonly measurement: Measurement;
  readonly askedMs: number;
  readonly askedClockMs: number;
  readonly answers: number;
}

/** What an examination needs. */
export interface ExaminationParts {
  readonly say: Say;
  readonly nowMs: () => number;
  /** The longest datagram of this host. */
  readonly datagramBytes: number;
  /** The bound on the rate of this host, in bits a second. */
  readonly mostBitsPerSecond: number;
}

/** One examination of some members (PROTOCOL.md 4.4), in about a second. */
export class Examination {
  private readonly parts: ExaminationParts;
  private readonly number = randomInt(0x1_0000_0000);
  private readonly measurements: ReadonlyMap<string, Measurement>;
  private readonly questions = new Map<number, Question>();
  private lastQuestion = 0;
  private onAnswer: () => void = () => undefined;

  constructor(members: readonly Member[], parts: ExaminationParts) {
    this.parts = parts;
    this.measurements = new Map(
      members.map((member) => {
        const [roundTripsMs, condition, first] = [[], undefined, undefined];
        const counts = { clockAheadMs: 0, answersSent: 0, answersHeard: 0 };
        return [member.epoch, { member, roundTripsMs, condition, first, ...counts }];
      }),
    );
  }

  /** Something has happened to the node. */
  onEvent(event: NodeEvent): void {
    if (event.kind !== "examination" || event.message.body.examination !== this.number) return;
    const measurement = this.measurements.get(event.member.epoch);
    const { message } = event;
    if (measurement === undefined) return;
    if (message.type === "probe" && message.body.series === ProbeSeries.answer) measurement.answersHeard++;
    if (message.type === "condition") this.note(measurement, message.body);
  }

  /** Carries it out. */
  async run(): Promise<Measurements> {
    await this.askAll(
      this.membersBy(() => true),
      PROBES_ASKED / 2,
      TRIES,
    );
    for (let question = 0; question < TIMED_QUESTIONS; question++) await this.askOnce(0);
    const { datagramBytes } = this.parts;
    const longFiller = PROBE_FILLER_BYTES - (DATAGRAM_BYTES - datagramBytes);
    await this.sendSlowly(ProbeSeries.short, 0);
    await this.sendSlowly(ProbeSeries.long, longFiller);
    await this.sendSingly(longFiller);
    const fastBitsPerSecond = await this.sendFast(longFiller);
    await sleep(SETTLE_MS);
    await this.askWhatArrived();
    return { members: [...this.measurements.values()], fastBitsPerSecond, longBytes: datagramBytes };
  }

  /** Asks members, and those again that do not answer. */
  private async askAll(members: readonly Measurement[], answers: number, tries: number): Promise<void> {
    let left = members;
    for (let attempt = 0; attempt < tries && left.length > 0; attempt++) left = await this.ask(left, answers);
  }

  private async askOnce(answers: number): Promise<void> {
    await this.ask(
      this.membersBy(({ first }) => first !== undefined),
      answers,
    );
  }

  /** Only answers from now on count the probes. */
  private async askWhatArrived(): Promise<void> {
    const all = this.membersBy(() => true);
    for (const measurement of all) measurement.condition = undefined;
    await this.askAll(all, 0, TRIES);
    const late = this.membersBy(({ first, condition }) => first !== undefined && condition === undefined);
    await this.askAll(late, 0, LAST_TRIES - TRIES);
  }

  private membersBy(isChosen: (measurement: Measurement) => boolean): Measurement[] {
    return [...this.measurements.values()].filter(isChosen);
  }

  /** Asks members once. Returns those that have not answered in time. */
  private async ask(members: readonly Measurement[], answers: number): Promise<Measurement[]> {
    this.questions.clear();
    for (const [index, measurement] of members.entries()) {
      const { epoch, address } = measurement.member;
      const number = (this.lastQuestion = (this.lastQuestion + 1) & 0xffff);
      const question = { measurement, answers, askedMs: this.parts.nowMs(), askedClockMs: Date.now() };
      this.questions.set(number, question);
      const body = { to: epoch, examination: this.number, number, answers };
      this.parts.say({ to: "address", address }, { type: "inspect", body });
      // The answers of a large fleet in one moment are more than a socket buffer holds.
      if (index % BURST_PROBES === BURST_PROBES - 1) await sleep(BURST_MS);
    }
    if (this.questions.size > 0) await this.answered();
    return [...this.questions.values()].map(({ measurement }) => measurement);
  }

  private async answered(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ANSWER_MS);
      this.onAnswer = () => {
        if (this.questions.size > 0) return;
        clearTimeout(timer);
        resolve();
      };
      this.onAnswer();
    });
    this.onAnswer = () => undefined;
  }

  private note(measurement: Measurement, condition: Condition): void {
    const question = this.questions.get(condition.number);
    if (question?.measurement !== measurement) return;
    this.questions.delete(condition.number);
    const tripMs = this.parts.nowMs() - question.askedMs;
    measurement.roundTripsMs.push(tripMs);
    measurement.clockAheadMs = condition.clockMs - (question.askedClockMs + tripMs / 2);
    measurement.answersSent += question.answers;
    measurement.first ??= condition;
    measurement.condition = condition;
    this.onAnswer();
  }

  private async sendSlowly(series: number, fillerBytes: number): Promise<void> {
    for (let probe = 0; probe < SLOW_PROBES; probe++) {
      this.probe(series, fillerBytes);
      await sleep(SLOW_MS);
    }
  }

  private async sendSingly(fillerBytes: number): Promise<void> {
    const body = { examination: this.number, series: ProbeSeries.single, fillerBytes };
    for (let probe = 0; probe < SINGLE_PROBES; probe++) {
      for (const { member } of this.measurements.values())
        this.parts.say({ to: "address", address: member.address }, { type: "probe", body });
      await sleep(SLOW_MS);
    }
  }

  /** @returns the rate, in bits a second */
  private async sendFast(fillerBytes: number): Promise<number> {
    const { nowMs, datagramBytes, mostBitsPerSecond } = this.parts;
    const allowed = Math.floor((mostBitsPerSecond * BURST_MS) / 1000 / (datagramBytes * 8));
    const burst = Math.max(1, Math.min(BURST_PROBES, allowed));
    const beganMs = nowMs();
    for (let probe = 0; probe < FAST_PROBES; probe++) {
      this.probe(ProbeSeries.fast, fillerBytes);
      if (probe % burst === burst - 1) await sleep(BURST_MS);
    }
    return (FAST_PROBES * datagramBytes * 8) / ((nowMs() - beganMs) / 1000);
  }

  private probe(series: number, fillerBytes: number): void {
    const body = { examination: this.number, series, fillerBytes };
    this.parts.say({ to: "group" }, { type: "probe", body });
  }
}
