/** Asks a member that is current for the publications that this node lacks. */
import { Deadline } from "../../base/deadline.ts";
import { reasonOf } from "../../base/reason.ts";
import type { Answer, Log, Served } from "../../wire/catch-up-messages.ts";
import type { Publication } from "../../wire/publication.ts";
import type { InboundKey, Member } from "../types.ts";
import { isAbleToCompare, sendTo } from "./able-members.ts";
import type { CatchUpContext } from "./context.ts";
import { LACKS_IT } from "./publication-log.ts";
import { AskingLife, type State } from "./states.ts";
import * as times from "./times.ts";

/** A transfer of the member that was asked, which may bring what is missing. */
interface Brought {
  readonly key: InboundKey;
  /** How it has ended on this node. */
  outcome: "done" | "failed" | "discarded" | undefined;
}

/** One question, and what has come of it. */
interface Question {
  readonly epoch: string;
  readonly digest: string;
  readonly missing: readonly Publication[];
  readonly positions: readonly number[];
  triesLeft: number;
  /** When the member that has agreed has to have begun; undefined before it has agreed. */
  untilMs: number | undefined;
  /** The transfers of that member since, by their numbers: it may have pushes of its own beside the one that it serves with. */
  readonly transfers: Map<number, Brought>;
}

const NO_ANSWER = "no answer";
const NOT_BEGUN = "it has not begun to serve";

/** Reasons that another push has made an attempt vain: it need not fail once more. */
const VAIN: ReadonlySet<string> = new Set(["newer-push", "own-push", "overtaken"]);

/** Refusals that do not say why nobody brings something. */
const SAYS_LITTLE = new RegExp(`(${[LACKS_IT, NO_ANSWER, NOT_BEGUN].join("|")})$`);

/** All nodes ask the same member if they can, so that it serves them with one transfer. */
export class Asking {
  private readonly context: CatchUpContext;
  private readonly onServed: (from: Member, key: InboundKey, publications: Publication[]) => void;
  private readonly life = new AskingLife();
  private readonly due = new Deadline();
  private question: Question | undefined;
  /** Members that could not serve this log, with the reason. */
  private readonly refused = new Map<string, string>();
  /** So many are asked until this node waits. */
  private most = times.MOST_ASKED;
  private failures = 0;
  /** Whether it rests although something may be missing, because nobody was there: so it begins. */
  private isAlone = true;
  /** Attempts in a row that another push has made vain. */
  private inVain = 0;
  /** Whether it waits because nothing is likely to change soon. */
  private isLong = false;
  /** Transfers in a row that were committed here without a word of their sender. */
  private lostWords = 0;
  /** Why this node is behind, as far as it knows. */
  reason = "";

  constructor(
    context: CatchUpContext,
    onServed: (from: Member, key: InboundKey, publications: Publication[]) => void,
  ) {
    this.context = context;
    this.onServed = onServed;
  }

  get state(): State {
    return this.life.state;
  }

  get atMs(): number {
    return this.due.atMs;
  }

  /** Something has changed that may make an attempt succeed: this node tries at once. */
  retry(nowMs: number): void {
    this.forgetRefusals();
    this.failures = 0;
    const isWaiting = this.life.state === "resting" || this.life.state === "patient";
    if (isWaiting || this.isOutOfDate) this.ask(nowMs);
  }

  /** A member is there. If it has not missed this node, it does not tell its log again. */
  memberJoined(nowMs: number): void {
    if (this.isAlone && this.life.state === "resting") this.ask(nowMs);
  }

  /** The log says now what was brought: this node asks for the rest. */
  goOn(nowMs: number): void {
    if (this.life.state === "resting") this.ask(nowMs);
  }

  /** Whether the question is about a former log, and no transfer has begun because of it. */
  private get isOutOfDate(): boolean {
    const { question } = this;
    return question?.transfers.size === 0 && this.isOpen && question.digest !== this.context.log.digest;
  }

  /**
   * A member tells something new of its log: now it may serve what it has refused. It may be behind itself. If two halves of a
   * network have pushed, every node lacks something, and each half has what the other one lacks.
   */
  note(member: Member, log: Log, nowMs: number): void {
    const { missing, digest } = this.context.log;
    if (log.digest !== digest || missing.length === 0) return;
    const isHopeful = isAbleToCompare(member) && !this.lacksTheSame(log);
    if (isHopeful) this.refused.delete(member.epoch);
    if (this.life.state === "resting") this.ask(nowMs);
    // A failure of this node itself is not fixed by others.
    else if (isHopeful && this.life.state === "patient" && this.question === undefined)
      this.askMember(member, missing, nowMs);
  }

  answered(member: Member, answer: Answer, nowMs: number): void {
    const { question } = this;
    if (!this.isOpen || question?.epoch !== member.epoch || answer.digest !== question.digest) return;
    // A transfer that has begun is not refused any more.
    if (this.life.state === "promised" && question.transfers.size > 0) return;
    if (!answer.serves) {
      this.refuse(`${member.info.hostName}: ${answer.reason}`, nowMs);
      return;
    }
    if (this.life.state === "asking") this.life.become("promised");
    question.untilMs ??= nowMs + times.SERVE_MS;
    this.promise(question, nowMs);
    this.planEnd(question, nowMs);
  }

  /** The member is to begin. Until then it is asked whether it is still there. */
  private promise(question: Question, nowMs: number): void {
    question.triesLeft = times.ASK_TRIES;
    this.due.set(Math.min(question.untilMs ?? Infinity, nowMs + times.PROMISE_MS));
  }

  /** This node begins to receive a transfer. It may overtake the answer. */
  inboundBegan(key: InboundKey, nowMs: number): void {
    if (this.question?.epoch !== key.epoch || !this.isOpen) return;
    this.question.transfers.set(key.transfer, { key, outcome: undefined });
    this.planEnd(this.question, nowMs);
  }

  /** Whether the question has no answer yet, or has been answered by a promise. */
  private get isOpen(): boolean {
    return this.life.state === "asking" || this.life.state === "promised";
  }

  /** Once a transfer has begun, nothing is due before its end; then the word of its sender follows. */
  private planEnd({ transfers }: Question, nowMs: number): void {
    if (this.life.state !== "promised" || transfers.size === 0) return;
    const isRunning = [...transfers.values()].some(({ outcome }) => outcome === undefined);
    if (isRunning) this.due.clear();
    else this.due.set(nowMs + times.ANSWER_MS);
  }

  inboundEnded(
    key: InboundKey,
    outcome: "done" | "failed" | "discarded" | "yielded",
    reason: string,
    nowMs: number,
  ): void {
    const { question } = this;
    const brought = question?.epoch === key.epoch ? question.transfers.get(key.transfer) : undefined;
    if (question === undefined || brought === undefined || !this.isOpen) return;
    if (outcome === "yielded") {
      // It waits for its turn, and its sender may give it up meanwhile: nobody would say so.
      question.transfers.delete(key.transfer);
      question.untilMs = nowMs + times.SERVE_MS;
      if (this.life.state === "promised") this.promise(question, nowMs);
      return;
    }
    if (outcome === "failed" && VAIN.has(reasonOf(reason).code)) {
      this.askSoon(nowMs);
      return;
    }
    // The word of the server follows: what it could not hand on.
    brought.outcome = outcome;
    this.planEnd(question, nowMs);
    if (outcome === "failed") this.reason = reason;
  }

  /** The member tells how its transfer has ended. */
  served(member: Member, served: Served, nowMs: number): void {
    const { question } = this;
    if (!this.isOpen || question?.epoch !== member.epoch) return;
    const { key, outcome } = question.transfers.get(served.transfer) ?? {};
    // A transfer overtakes the answer; a word about another question is none to this one.
    const isAnswered = this.life.state === "promised" || outcome !== undefined;
    if (served.digest !== question.digest || !isAnswered) return;
    const hasBrought = outcome === "done" && served.brought.length > 0;
    if (hasBrought && key !== undefined) {
      this.reason = "";
      this.failures = this.lostWords = this.inVain = 0;
      const { missing, positions } = question;
      const brought = new Set(served.brought);
      this.onServed(
        member,
        key,
        missing.filter((_, index) => brought.has(positions[index]!)),
      );
      if (served.reason !== "") {
        this.reason = `${member.info.hostName}: ${served.reason}`;
        this.refused.set(member.epoch, this.reason);
      }
      // The log is written first; then it shows whether something is left.
      this.question = undefined;
      this.life.become("resting");
      this.due.set(nowMs + times.WRITTEN_MS);
    } else if (outcome === "failed") {
      // Its own disk or hook: another member would bring no more.
      this.wait(nowMs);
    } else if (served.reason !== "") {
      this.refuse(`${member.info.hostName}: ${served.reason}`, nowMs);
    } else if (served.brought.length === 0 || key === undefined) {
      // It was interrupted by another push, or had begun before this question, because of an earlier one whose answer was lost.
      this.askSoon(nowMs);
    } else this.wait(nowMs);
  }

  /** Another push has come in between, so this attempt was in vain, and the next one need not be. */
  private askSoon(nowMs: number): void {
    this.life.become("patient");
    this.isLong = false;
    this.due.set(nowMs + Math.min(times.SOON_MOST_MS, times.SOON_MS * 2 ** this.inVain++));
  }

  memberLeft(epoch: string, nowMs: number): void {
    this.refused.delete(epoch);
    if (this.question?.epoch !== epoch) return;
    if (this.life.state === "asking" || this.life.state === "promised") this.ask(nowMs);
  }

  tick(nowMs: number): void {
    if (!this.due.take(nowMs)) return;
    switch (this.life.state) {
      case "asking":
        if (this.question !== undefined && this.question.triesLeft > 0) this.say(this.question, nowMs);
        else this.refuse(NO_ANSWER, nowMs);
        break;
      case "promised":
        if (this.mayBeForgotten(nowMs)) this.say(this.question!, nowMs);
        else this.endWithoutWord(nowMs);
        break;
      case "patient":
        if (this.isLong) this.failures++;
        this.askFurther();
        this.ask(nowMs);
        break;
      default:
        this.ask(nowMs);
    }
  }

  /** A member that has agreed, and has not begun yet, may have died, or have been started again: it is asked once more. */
  private mayBeForgotten(nowMs: number): boolean {
    const { triesLeft = 0, untilMs = 0, transfers } = this.question ?? {};
    return transfers?.size === 0 && triesLeft > 0 && nowMs < untilMs;
  }

  /** The member that has agreed to serve says nothing more. */
  private endWithoutWord(nowMs: number): void {
    const outcomes = [...(this.question?.transfers.values() ?? [])].map(({ outcome }) => outcome);
    if (outcomes.length === 0) this.refuse(NOT_BEGUN, nowMs);
    // It may have died in the middle; then another one brings it.
    else if (outcomes.includes("failed")) this.refuse(this.reason, nowMs);
    // The transfer has brought something, but the word of its sender was lost.
    else if (outcomes.includes("done") && this.lostWords++ < times.LOST_WORDS) this.ask(nowMs);
    else this.refuse("its transfer has ended without a word", nowMs);
  }

  /** The next attempt. If there are more members than one attempt asks, it asks further ones, until all were asked. */
  private askFurther(): void {
    const { missing } = this.context.log;
    const isMore = this.refused.size >= this.most && this.choose(missing, Infinity) !== undefined;
    if (isMore) this.most = this.refused.size + times.MOST_ASKED;
    else this.forgetRefusals();
  }

  private forgetRefusals(): void {
    this.refused.clear();
    this.most = times.MOST_ASKED;
  }

  private refuse(reason: string, nowMs: number): void {
    if (this.question !== undefined) this.refused.set(this.question.epoch, reason);
    this.ask(nowMs);
  }

  /** Why nobody brings it: what a member says that has it tells more than that another one lacks it, too. */
  private get bestRefusal(): string {
    const reasons = [...this.refused.values()];
    return reasons.find((reason) => !SAYS_LITTLE.test(reason)) ?? reasons[0] ?? "";
  }

  private ask(nowMs: number): void {
    const { missing } = this.context.log;
    this.question = undefined;
    if (this.context.isCommitting()) {
      this.rest();
      this.due.set(nowMs + times.WRITTEN_MS);
      return;
    }
    const member = missing.length === 0 ? undefined : this.choose(missing);
    this.isAlone = member === undefined && missing.length > 0 && this.refused.size === 0;
    if (member === undefined) {
      if (missing.length > 0 && this.refused.size > 0) {
        this.reason = this.bestRefusal;
        this.wait(nowMs);
      } else this.rest();
      return;
    }
    this.askMember(member, missing, nowMs);
  }

  private askMember({ epoch }: Member, positions: readonly number[], nowMs: number): void {
    const { log } = this.context;
    const { digest } = log;
    const missing = positions.flatMap((position) => log.all[position]?.publication ?? []);
    const question = { epoch, digest, missing, positions };
    this.question = { ...question, triesLeft: times.ASK_TRIES, untilMs: undefined, transfers: new Map() };
    this.life.become("asking");
    this.say(this.question, nowMs);
  }

  private say(question: Question, nowMs: number): void {
    const { epoch, digest, positions } = question;
    question.triesLeft--;
    this.due.set(nowMs + times.ASK_AGAIN_MS);
    const member = this.context.memberOf(epoch);
    if (member === undefined) return;
    const { effects, log, tellings } = this.context;
    // It reads this log at once if it has another one, and says so when it has read it.
    if (tellings.heard(epoch)?.digest !== log.digest) tellings.tell(member);
    sendTo(effects, member, { type: "ask", body: { digest, missing: positions } });
  }

  private rest(): void {
    if (this.life.state !== "resting") this.life.become("resting");
    this.due.clear();
  }

  private wait(nowMs: number): void {
    if (this.life.state === "resting") this.life.become("asking");
    if (this.life.state !== "patient") this.life.become("patient");
    const hasChanged = this.question !== undefined && this.question.digest !== this.context.log.digest;
    // The log has changed meanwhile, so this attempt was in vain and the next one need not be.
    this.isLong = !hasChanged;
    const delayMs = hasChanged
      ? times.ANSWER_MS
      : Math.min(times.PATIENCE_MOST_MS, times.PATIENCE_MS * 2 ** this.failures);
    this.due.set(nowMs + delayMs);
  }

  /** Whether a member lacks the same as this node. */
  private lacksTheSame({ digest, lacks }: Log): boolean {
    const { log } = this.context;
    return digest === log.digest && lacks === log.lacks;
  }

  /**
   * The member that all nodes would ask: one that lacks nothing, has not pushed any of it, and has the lowest node id. Those
   * who have pushed may have changed their files since.
   */
  private choose(missing: readonly number[], most = this.most): Member | undefined {
    if (this.refused.size >= most) return undefined;
    const { log, tellings } = this.context;
    const publishers = new Set(missing.map((position) => log.all[position]?.publication.nodeId));
    let best: { member: Member; rank: number } | undefined;
    for (const member of this.context.members()) {
      const told = tellings.heard(member.epoch);
      if (!isAbleToCompare(member) || this.refused.has(member.epoch)) continue;
      // One whose last LOG is another, or got lost, may have the same by now: it says nothing if another one has told that.
      const isKnown = told?.digest === log.digest;
      const isLate = isKnown && told.behind > 0;
      const isHopeless = told !== undefined && this.lacksTheSame(told);
      const order = (isKnown ? 0 : 4) + (isLate ? 2 : 0) + (isHopeless ? 4 : 0);
      const rank = order + (publishers.has(member.nodeId) ? 1 : 0);
      const isBetter =
        best === undefined || rank < best.rank || (rank === best.rank && member.nodeId < best.member.nodeId);
      if (isBetter) best = { member, rank };
    }
    return best?.member;
  }
}
