/** Keeps the log of publications of this node, and lets the node catch up with it. */
import { reasonOf } from "../../base/reason.ts";
import type { CatchUpState } from "../../console/catch-up-state.ts";
import type { PushedBy, SendRequest } from "../../console/protocol.ts";
import type { NodeEngine } from "../../engine/node.ts";
import { type Here, type Kept, MISSED } from "../../engine/catch-up/publication-log.ts";
import {
  type Effect,
  inboundName,
  type InboundKey,
  type Member,
  type NodeEvent,
  type TransferResult,
} from "../../engine/types.ts";
import type { Publication } from "../../wire/publication.ts";
import type { DriftAnswer, DriftLook, SourceRules, SourceTotals, StageAnswer } from "../disk/messages.ts";
import type { Driver } from "../pump/driver.ts";
import type { CommitDecision } from "../pump/commits.ts";
import { BroughtTransfers } from "./brought-transfers.ts";
import type { PublicationHearer, TransferServer } from "./publication-hearer.ts";
import type { Log } from "../service/log.ts";
import type { NodeIdentity } from "../service/node-identity.ts";
import type { Settings } from "../settings/settings.ts";
import { EffectTimes } from "./effect-times.ts";
import { ServingTransfer } from "./serving-transfer.ts";
import { forgetDrifted } from "./drift-repair.ts";
import { sentenceOfDrift, stateOf, textOfState } from "./catch-up-words.ts";
import type { PublicationFile } from "./publication-file.ts";
import { FinishedUndos } from "./finished-undos.ts";
import { KeptTransfers } from "./kept-transfers.ts";
import { DiskWatch } from "./disk-watch.ts";
import { OwnPushes } from "./own-pushes.ts";
import { UndoJudge } from "./undo-judge.ts";
import { UnloggedPushes } from "./unlogged-pushes.ts";
import { looksOf, publicationOf } from "./scope-of-push.ts";

/** The parts that a node catches up with. */
export interface CatchUpParts {
  readonly engine: Pick<NodeEngine, "catchUp" | "membership" | "isIdle">;
  readonly identity: NodeIdentity;
  readonly settings: Pick<Settings, "hostName" | "base" | "excludes" | "drift" | "catchUp">;
  readonly log: Log;
  /** Undefined where no log is kept. */
  readonly file: PublicationFile | undefined;
}

/** Reasons of transfers that have failed here, until the log tells which publications they were. */
const REASONS_KEPT = 64;

export class CatchUpKeeper implements PublicationHearer {
  private readonly parts: CatchUpParts;
  private driver: Driver | undefined;
  private transfers: TransferServer | undefined;
  private readonly own: OwnPushes;
  /** The epochs of members of pushes that get by themselves what they lack: one may have died, or be started again, at the end. */
  private readonly catching = new Set<string>();
  private readonly times = new EffectTimes();
  private readonly brought = new BroughtTransfers(this.times);
  readonly unlogged: UnloggedPushes;
  /** The transfers whose commit is being written into the log. */
  private readonly writing = new Map<string, Promise<void>>();
  private readonly reasons = new Map<string, string>();
  private readonly kept: KeptTransfers;
  private readonly undo: UndoJudge;
  readonly finished: FinishedUndos;
  private serving: ServingTransfer | undefined;
  private readonly disk: DiskWatch;
  /** Transfers that have begun here. */
  private begun = 0;
  /** How many entries are not as published, as far as the last look has found. */
  private drifted = 0;

  /** Whether this host began without a log, and has not got yet what others had. */
  isNewcomer: boolean;
  /** Called when it is no newcomer any more. */
  onSettled: () => void = () => undefined;

  constructor(parts: CatchUpParts) {
    this.parts = parts;
    this.isNewcomer = parts.file?.found.isIntact === false;
    if (parts.file !== undefined) this.times.noteLog(parts.file.found.log.all, parts.file.unloggedMs);
    this.unlogged = new UnloggedPushes(parts, this.times);
    this.own = new OwnPushes(parts, this.times, this.unlogged);
    this.kept = new KeptTransfers(parts.log);
    this.undo = new UndoJudge(parts);
    this.finished = new FinishedUndos(parts, () => this.driver?.handle({ kind: "logged" }));
    this.disk = new DiskWatch(parts.settings.base, () => this.nudge(undefined));
  }

  /** Stops all that it has planned. */
  stop(): void {
    this.disk.stop();
    this.serving?.stop();
  }

  /** Connects the parts that are built later. */
  attach(driver: Driver, transfers: TransferServer): void {
    this.driver = driver;
    this.transfers = transfers;
  }

  begin(
    transfer: number,
    request: SendRequest,
    rules: SourceRules,
    by: PushedBy | undefined,
    members: readonly Member[],
  ): Pick<SourceRules, "origin" | "list"> {
    if (request.dryRun) return {};
    if (this.own.isIdle) this.catching.clear();
    for (const { epoch } of members) if (this.catchesUp(epoch)) this.catching.add(epoch);
    return this.own.begin(transfer, request, rules, by, members);
  }

  beginUndo(transfer: number, undone: Publication, by: PushedBy | undefined): Pick<SourceRules, "origin"> {
    return this.own.beginUndo(transfer, undone, by);
  }

  end(transfer: number, result: TransferResult, totals: SourceTotals): void {
    const published = this.own.end(transfer, result, totals);
    if (published !== undefined) void this.record(published.publication, published.here);
  }

  catchesUp(epoch: string): boolean {
    const { engine, identity, settings } = this.parts;
    if (epoch === identity.epoch) return settings.catchUp;
    return engine.catchUp?.tellings.heard(epoch)?.catchesUp ?? this.catching.has(epoch);
  }

  /** Whether a member has all that was pushed for it; undefined if it does not say. */
  stateOf(epoch: string): CatchUpState | undefined {
    const told = this.parts.engine.catchUp?.tellings.heard(epoch);
    return told === undefined ? undefined : stateOf(told);
  }

  /** Whether this host has all that was pushed for it; undefined if it keeps no log. */
  get state(): CatchUpState | undefined {
    const { catchUp } = this.parts.engine;
    return catchUp === undefined ? undefined : { ...stateOf(catchUp.current()), drifted: this.drifted };
  }

  /** An answer of the staging thread, with what the log adds to it. */
  judged(answer: StageAnswer): StageAnswer {
    return this.undo.judged(answer);
  }

  /** For `msync --status`. */
  get statusText(): string {
    const { catchUp } = this.parts.engine;
    const { state } = this;
    if (catchUp === undefined || state === undefined)
      return "no: no log of pushes is kept, because the state directory cannot be written (see --state)";
    return `${state.catchesUp ? "" : "no: "}${textOfState(state)} (${catchUp.log.all.length} pushes in the log)`;
  }

  /** This host, or a member, is to get now what it lacks. */
  nudge(member: Member | undefined): void {
    this.driver?.handle({ kind: "nudge", member });
  }

  /**
   * Looks at an answer of the staging thread.
   *
   * @param pass called with the answer when the log is written, if the answer was held back
   * @returns whether it is held back
   */
  hold(answer: StageAnswer, pass: (answer: StageAnswer) => void): boolean {
    const name = inboundName(answer.inbound);
    this.brought.note(answer, this.parts.engine.catchUp?.log);
    this.unlogged.note(answer);
    // The end of a transfer comes after the answer that is held back.
    const writing = this.writing.get(name);
    if (answer.kind === "closed" && writing !== undefined) {
      void writing.then(() => pass(answer));
      return true;
    }
    if (answer.kind !== "committed") return false;
    const isKept = this.kept.has(name);
    const resumed = this.kept.take(answer, this.parts.engine.catchUp?.log.all ?? []);
    const { failure, origin, inbound, order } = answer;
    // The engine tells no end of a transfer that was ready when this host stopped.
    const end = () => {
      if (isKept) this.brought.end(inbound, failure === undefined);
    };
    const publication =
      failure === undefined ? (resumed ?? publicationOf(origin, inbound, order)) : undefined;
    if ((publication === undefined && !this.unlogged.has(name)) || this.parts.file === undefined) {
      end();
      return false;
    }
    const here = this.undo.follows(name) ? MISSED : this.brought.hereOf(answer);
    const record = publication === undefined ? this.unlogged.record() : this.record(publication, here);
    const written = record.then(() => {
      this.writing.delete(name);
      end();
      pass(answer);
    });
    this.writing.set(name, written);
    return true;
  }

  /** The start has kept the areas of these transfers, which were ready when this host stopped. */
  noteKept(names: readonly string[]): void {
    this.driver?.handle({ kind: "areas-kept", names: this.kept.note(names) });
  }

  /**
   * Decides whether an incoming transfer may be committed, and calls back.
   *
   * @param ownAfter transfers of this node that come after it
   */
  decide(
    key: InboundKey,
    commit: (decision: CommitDecision) => void,
    ownAfter: readonly number[] = [],
  ): void {
    // Entries that are read for others may be older than the new ones, and nothing tells which these are.
    if (!this.brought.isPush(key)) this.serving?.stop();
    const isKept = this.kept.has(inboundName(key));
    const own = () => this.own.beside(key);
    this.brought.decide(key, this.parts.engine.catchUp?.log, { isKept, own, ownAfter }, commit);
  }

  onServe(effect: Extract<Effect, { kind: "serve" }>): void {
    void this.serve(effect);
  }

  /** What is to be compared with the tree. */
  get looks(): DriftLook[] {
    const { engine, settings } = this.parts;
    return looksOf(engine.catchUp?.log.all ?? [], settings.excludes, this.removedBy);
  }

  /** A number that changes with each transfer that changes the tree; undefined while a transfer is going on. */
  get quietMark(): number | undefined {
    return this.parts.engine.isIdle ? this.begun : undefined;
  }

  /** The tree was compared with what was published. */
  noteDrift(answer: DriftAnswer): void {
    const { engine, file, log } = this.parts;
    const { catchUp } = engine;
    if ("failure" in answer) {
      log.warn(`the tree cannot be compared with what was published: ${answer.failure}`);
      return;
    }
    const text = answer.count === 0 ? "" : sentenceOfDrift(answer);
    this.drifted = answer.count;
    this.driver?.handle({ kind: "drifted", text });
    if (text === "" || catchUp === undefined || file === undefined) return;
    const lost = forgetDrifted(this.parts, answer, file.unloggedMs);
    if (lost.length === 0) return;
    void file.add(catchUp.log, lost).then(() => {
      this.driver?.handle({ kind: "logged" });
      this.nudge(undefined);
    });
  }

  onEvent(event: NodeEvent): void {
    switch (event.kind) {
      case "inbound-began":
      case "own-stage-began":
        if (event.kind === "inbound-began" && event.dryRun) break;
        this.begun++;
        if (this.parts.file !== undefined) this.disk.noteAttempt();
        break;
      case "publications-learned":
        this.noteLearned(event.publications);
        break;
      case "caught-up":
        this.noteCaughtUp(event);
        break;
      case "inbound-ended":
      case "own-stage-ended":
        this.undo.forget(inboundName(event.key));
        this.brought.end(event.key, event.outcome === "done");
        if (event.outcome !== "done") this.noteFailure(event.key, event.reason);
        break;
      default:
    }
  }

  private async record(publication: Publication, here: Here): Promise<void> {
    const { engine, file } = this.parts;
    const { catchUp } = engine;
    if (catchUp === undefined || file === undefined) return;
    catchUp.log.add(publication, here);
    this.serving?.noteEffect(publication, here);
    const kept = catchUp.log.find(publication);
    if (kept !== undefined) await file.add(catchUp.log, [kept]);
    if (this.isNewcomer && catchUp.log.missing.length === 0) {
      this.isNewcomer = false;
      this.onSettled();
    }
    this.driver?.handle({ kind: "logged" });
  }

  private readonly removedBy = (list: string): readonly string[] => this.parts.file?.removedBy(list) ?? [];

  private noteFailure({ epoch, transfer }: InboundKey, why: string): void {
    this.reasons.set(inboundName({ epoch, transfer }), why);
    if (this.parts.file !== undefined) this.disk.begin(reasonOf(why).code);
    for (const oldest of this.reasons.keys()) {
      if (this.reasons.size <= REASONS_KEPT) break;
      this.reasons.delete(oldest);
    }
  }

  private noteLearned(publications: readonly Publication[]): void {
    const { engine, file, log } = this.parts;
    const { catchUp } = engine;
    if (catchUp === undefined || file === undefined) return;
    this.finished.look();
    const kept: Kept[] = [];
    for (const publication of publications) {
      const one = catchUp.log.find(publication);
      if (one === undefined) continue;
      const { epoch, number } = publication;
      const why = this.reasons.get(inboundName({ epoch, transfer: number }));
      if (why !== undefined && one.here.atMs === undefined) one.here = { ...MISSED, reason: why };
      kept.push(one);
    }
    void file.add(catchUp.log, kept);
    const { all, missing } = catchUp.log;
    const { length } = missing.filter((position) => !catchUp.hasArea((all[position] as Kept).publication));
    if (length > 0)
      log.info(`this host lacks ${length} ${length === 1 ? "push" : "pushes"}, and asks for them`);
  }

  private noteCaughtUp({ from, key, publications }: Extract<NodeEvent, { kind: "caught-up" }>): void {
    const { engine, file, log } = this.parts;
    const { catchUp } = engine;
    const here = this.brought.take(key);
    if (catchUp === undefined || file === undefined || here === undefined) return;
    const kept: Kept[] = [];
    for (const publication of publications) {
      if (!catchUp.log.add(publication, here)) continue;
      const one = catchUp.log.find(publication);
      if (one !== undefined) kept.push(one);
    }
    void file.add(catchUp.log, kept);
    if (catchUp.log.missing.length === 0) {
      this.disk.stop();
      this.drifted = 0;
      this.driver?.handle({ kind: "drifted", text: "" });
    }
    const count = `${kept.length} ${kept.length === 1 ? "push" : "pushes"}`;
    log.info(`${from.info.hostName} has brought ${count} that this host had missed`);
    this.driver?.handle({ kind: "logged" });
  }

  private async serve(effect: Extract<Effect, { kind: "serve" }>): Promise<void> {
    const { engine, log, settings } = this.parts;
    const serving = (this.serving = new ServingTransfer(effect, this.transfers, log));
    const { all = [] } = engine.catchUp?.log ?? {};
    const result = await serving.run(all, settings.excludes, this.removedBy);
    if (this.serving === serving) this.serving = undefined;
    this.driver?.handle({ kind: "serve-ended", ...result });
  }
}
