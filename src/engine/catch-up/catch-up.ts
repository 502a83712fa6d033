/** Lets a node catch up: its log of publications, and the messages about it. */
import type { Random } from "../../base/random.ts";
import { type Log, NO_LOG, reasonText } from "../../wire/catch-up-messages.ts";
import type { ControlMessage } from "../../wire/message.ts";
import type { Publication } from "../../wire/publication.ts";
import type { CommitOrder } from "../commit-order.ts";
import {
  inboundName,
  type Effect,
  type InboundKey,
  type Member,
  type NodeEvent,
  type TransferName,
} from "../types.ts";
import { Asking } from "./asking.ts";
import { Comparing } from "./comparing.ts";
import type { CatchUpContext } from "./context.ts";
import { KeptAreas } from "./kept-areas.ts";
import { isAbleToCompare, sendTo } from "./able-members.ts";
import { MISSED, type PublicationLog } from "./publication-log.ts";
import { RepeatedWords } from "./repeated-words.ts";
import { Serving } from "./serving.ts";
import { Tellings } from "./tellings.ts";
import * as times from "./times.ts";

/** The surroundings of CatchUp in its node. */
export interface CatchUpParts {
  readonly selfNodeId: string;
  readonly random: Random;
  readonly effects: Effect[];
  readonly places: CommitOrder;
  readonly memberOf: (epoch: string) => Member | undefined;
  readonly members: () => Iterable<Member>;
  /** Whether something was heard of a member at that time or later. */
  readonly isHeardSince: (epoch: string, sinceMs: number) => boolean;
  /** Whether no transfer is going on at this node. */
  readonly isIdle: () => boolean;
}

/** What a node knows of its own log at its start. */
export interface OpenedLog {
  readonly log: PublicationLog;
  /** Whether this node asks and serves; otherwise it only keeps and shows the log. */
  readonly isOn: boolean;
  /** Whether the start still looks at what was left: until keepAreas() this node asks for nothing, because it may have it. */
  readonly isRecovering?: boolean;
  /**
   * The last epoch of this node, whose log was kept; undefined if it was lost. A push of that epoch which the log does not know was
   * lost with the power just after its commit, and the tree has it. The tree may have been lost since an earlier one.
   */
  readonly lastEpoch: string | undefined;
}

/**
 * A node catches up in four steps (PROTOCOL.md 9): members tell each other of their logs, read those that differ, ask one
 * member for what they lack, and that one serves all who ask with one ordinary transfer.
 */
export class CatchUp {
  readonly log: PublicationLog;
  readonly tellings: Tellings;
  private readonly parts: CatchUpParts;
  private readonly opened: OpenedLog;
  private readonly comparing: Comparing;
  private readonly asking: Asking;
  private readonly serving: Serving;
  private readonly areas: KeptAreas;
  /** Members that somebody wants to catch up. */
  private readonly nudges: RepeatedWords;
  private isRecovering: boolean;
  /** What was changed here by hand, for people; empty if that is not known. */
  private drift = "";
  private version: number;
  private digest: string;
  private behind: number;

  constructor(parts: CatchUpParts, opened: OpenedLog) {
    const { effects, random, memberOf, members, isHeardSince, places } = parts;
    this.parts = parts;
    this.opened = opened;
    const log = (this.log = opened.log);
    const current = () => this.current();
    const tellings = (this.tellings = new Tellings({ effects, random, memberOf, members, current }));
    this.isRecovering = opened.isRecovering === true;
    const isCommitting = () => this.isRecovering || this.areas.isCommitting;
    const lookups = { memberOf, members, isHeardSince };
    const context: CatchUpContext = { log, effects, random, ...lookups, tellings, isCommitting };
    this.areas = new KeptAreas(context, parts.isIdle);
    this.comparing = new Comparing(context, (publications, nowMs) => this.learn(publications, nowMs));
    this.serving = new Serving(context, () => opened.isOn);
    this.asking = new Asking(context, (from, key, publications) =>
      this.tell({ kind: "caught-up", from, key, publications }),
    );
    const rhythm = { tries: times.NUDGE_TRIES, againMs: times.NUDGE_MS, growth: 1 };
    this.nudges = new RepeatedWords(rhythm, (epoch) => {
      const member = memberOf(epoch);
      if (member !== undefined) sendTo(effects, member, { type: "nudge", body: null });
    });
    this.version = log.version;
    this.digest = log.digest;
    log.noteState();
    this.behind = log.missing.length;
    places.note(log.highestPlace);
  }

  /** The log as this node tells it. */
  current(): Log {
    const { log } = this;
    const missing = log.missing;
    const first = log.all[missing[0] ?? -1];
    const known = missing.map((position) => log.all[position]?.here.reason ?? "").find((text) => text !== "");
    // Why nobody brings it tells more than why it was missed.
    const why = this.asking.reason === "" ? (known ?? "") : this.asking.reason;
    const reason = missing.length === 0 ? this.drift : why;
    return {
      place: log.highestPlace,
      digest: log.digest,
      count: log.all.length,
      behind: missing.length,
      lacks: log.lacks,
      catchesUp: this.opened.isOn,
      asks: false,
      sinceMs: first?.publication.timeMs ?? 0,
      reason: reasonText(reason),
    };
  }

  /** A member says something. */
  handle(member: Member, message: ControlMessage, nowMs: number): void {
    this.tellings.noteContact(member.epoch, nowMs);
    switch (message.type) {
      case "log":
        this.parts.places.note(message.body.place);
        this.noteLog(member, message.body, nowMs);
        break;
      case "fetch":
        this.comparing.answer(member, message.body);
        break;
      case "piece":
        this.comparing.take(member, message.body, nowMs);
        break;
      case "ask":
        this.serving.ask(member, message.body, nowMs);
        break;
      case "answer":
        this.asking.answered(member, message.body, nowMs);
        break;
      case "served":
        this.asking.served(member, message.body, nowMs);
        break;
      case "nudge":
        this.nudge(nowMs);
        // So that it is not said again.
        this.tellings.tell(member);
        break;
      default:
    }
    this.noteChange(nowMs);
  }

  private noteLog(member: Member, told: Log, nowMs: number): void {
    if (told.digest === NO_LOG.digest) {
      this.tellings.noteNone(member.epoch);
      this.nudges.end(member.epoch);
      return;
    }
    const before = this.tellings.heard(member.epoch);
    this.tellings.note(member.epoch, told, nowMs);
    this.nudges.heard(member.epoch);
    this.comparing.note(member.epoch, told, nowMs);
    this.serving.heard(member.epoch, told, nowMs);
    if (told.asks) this.tellings.tell(member);
    const isOther = before?.digest !== told.digest;
    // It may have missed that this node has told so.
    if (isOther && this.comparing.isSurpassed(told)) this.tellings.remind(nowMs);
    const isNews = isOther || before.behind !== told.behind;
    if (this.asks && isNews) this.asking.note(member, told, nowMs);
  }

  /** Somebody wants this node to catch up now, even if it does not by itself, or something has changed that was in its way. */
  nudge(nowMs: number, member?: Member): void {
    if (member === undefined) {
      this.asking.retry(nowMs);
      return;
    }
    this.nudges.begin(member.epoch, nowMs);
    this.nudges.tick(nowMs);
  }

  /** Whether this node asks by itself, or was told to, and has not ended. */
  private get asks(): boolean {
    return this.opened.isOn || this.asking.state !== "resting";
  }

  /** The transfer that serves others has ended. */
  serveEnded(
    transfer: number,
    brought: readonly number[],
    reason: string,
    nowMs: number,
    torn: readonly (readonly [number, number])[] = [],
  ): void {
    this.serving.ended(transfer, brought, reason, nowMs, torn);
  }

  /** The log was changed by the program: a publication has taken effect here. */
  logged(nowMs: number): void {
    this.noteChange(nowMs);
  }

  /** The start is over, and has kept the areas of transfers that were ready when this node died. */
  keepAreas(names: readonly TransferName[], nowMs: number): void {
    this.isRecovering = false;
    this.areas.keep(names, nowMs);
  }

  /** Whether the area of a publication is there, so that nobody may have to bring it. */
  hasArea({ epoch, number }: Publication): boolean {
    return this.areas.has({ epoch, transfer: number });
  }

  /** The disk has committed a transfer, or could not; the log is written. */
  committed(key: InboundKey, nowMs: number): void {
    if (!this.areas.ended(key)) return;
    this.areas.look(nowMs);
    if (this.opened.isOn) this.asking.retry(nowMs);
  }

  /** Something was changed here by hand; or nothing is any more, with an empty text. */
  drifted(text: string, nowMs: number): void {
    if (this.drift !== text) this.tellings.changed(nowMs);
    this.drift = text;
  }

  /** Something has happened to the node. */
  onEvent(event: NodeEvent, nowMs: number): void {
    switch (event.kind) {
      case "member-joined":
        this.serving.memberJoined(event.member, nowMs);
        if (isAbleToCompare(event.member)) this.tellings.tellNewcomer(event.member, nowMs);
        if (this.asks) this.asking.memberJoined(nowMs);
        break;
      case "member-left":
        this.tellings.memberLeft(event.member.epoch);
        this.nudges.end(event.member.epoch);
        this.comparing.forget(event.member.epoch);
        this.asking.memberLeft(event.member.epoch, nowMs);
        this.serving.memberLeft(event.member, nowMs);
        break;
      case "inbound-began":
        if (event.dryRun) break;
        this.serving.inboundBegan(inboundName(event.key));
        this.asking.inboundBegan(event.key, nowMs);
        break;
      case "own-stage-began":
        this.serving.inboundBegan(inboundName(event.key));
        break;
      case "own-stage-ended":
        this.serving.inboundEnded(inboundName(event.key));
        break;
      case "inbound-ended":
        this.serving.inboundEnded(inboundName(event.key));
        this.asking.inboundEnded(event.key, event.outcome, event.reason, nowMs);
        break;
      default:
    }
    this.noteChange(nowMs);
  }

  tick(nowMs: number): void {
    this.tellings.tick(nowMs);
    this.nudges.tick(nowMs);
    this.comparing.tick(nowMs);
    this.asking.tick(nowMs);
    this.serving.tick(nowMs);
    this.areas.tick(nowMs);
    this.noteChange(nowMs);
  }

  nextDeadlineMs(): number {
    return Math.min(
      this.tellings.atMs,
      this.nudges.atMs,
      this.comparing.atMs,
      this.asking.atMs,
      this.serving.atMs,
      this.areas.atMs,
    );
  }

  private learn(publications: readonly Publication[], nowMs: number): void {
    const learned = publications.filter((publication) => {
      // Others know less of its effect here than this node does.
      if (this.log.find(publication) !== undefined) return false;
      const { nodeId, epoch, undoes } = publication;
      // The tree has its own pushes. The files of an undo come from others.
      const isPush = undoes === undefined && nodeId === this.parts.selfNodeId;
      const isOwn = isPush && epoch === this.opened.lastEpoch;
      return this.log.add(publication, isOwn ? { atMs: 0, list: "", reason: "" } : MISSED);
    });
    this.parts.places.note(this.log.highestPlace);
    if (learned.length > 0) this.tell({ kind: "publications-learned", publications: learned });
    this.noteChange(nowMs);
  }

  private noteChange(nowMs: number): void {
    const { log } = this;
    if (log.version === this.version) return;
    this.version = log.version;
    const behind = log.missing.length;
    const isChanged = log.digest !== this.digest || behind !== this.behind;
    if (isChanged) this.tellings.changed(nowMs);
    const isNews = log.digest !== this.digest;
    if (isNews) {
      this.comparing.noteKnown(this.digest);
      log.noteState();
    }
    const isBrought = behind < this.behind;
    if (isBrought) this.tellings.sayItself();
    if (behind === 0) this.asking.reason = "";
    this.digest = log.digest;
    this.behind = behind;
    // What has been made ready here already need not be asked for.
    this.areas.look(nowMs);
    if (isNews) this.serving.logChanged(nowMs);
    if (!this.asks) return;
    if (isNews) this.asking.retry(nowMs);
    else if (isBrought) this.asking.goOn(nowMs);
  }

  private tell(event: NodeEvent): void {
    this.parts.effects.push({ kind: "event", event });
  }
}
