/** The pushes of this node that run or wait: their start, their turns and their end. */
import { sentence } from "../../base/reason.ts";
import { ExitStatus, UserError } from "../../base/user-error.ts";
import type { Event, OutgoingTransfer, PushedBy, SendRequest, SendResult } from "../../console/protocol.ts";
import type { NodeEngine } from "../../engine/node.ts";
import { idOf } from "../../engine/catch-up/undo-choice.ts";
import type { OwnTarget } from "../../engine/own-target.ts";
import type { Member, NodeEvent, TransferResult } from "../../engine/types.ts";
import type { Publication } from "../../wire/publication.ts";
import type { PeerCredentials } from "../../sys/peer-credentials.ts";
import { compileExcludes } from "../../wire/excludes.ts";
import { simplifyRequest } from "../../tree/scan/request.ts";
import type { NamedList, SourceRules, SourceTotals } from "../disk/messages.ts";
import type { PublicationHearer, ServedTransfer } from "../catch-up/publication-hearer.ts";
import type { Driver } from "../pump/driver.ts";
import type { InterfaceWatch } from "../service/interface-watch.ts";
import type { Log } from "../service/log.ts";
import { findGroupNumber } from "../settings/accounts.ts";
import type { ApartHosts } from "./apart-hosts.ts";
import { commandLine, logRequest } from "./audit.ts";
import { ownerForGroup, pushedBy } from "./callers.ts";
import { pathsOfPush } from "./paths-of-push.ts";
import { addressesBeside, unroutedNetwork } from "../../net/interfaces.ts";
import type { Settings } from "../settings/settings.ts";
import { allUnderstand, compressionFor } from "./compression-choice.ts";
import { datagramBytesFor } from "./datagram-length.ts";
import { byHostName, displayName } from "./host-names.ts";
import { addMissing, checkPresent, noMember, type PushTargets } from "./missing.ts";
import { chooseReachable } from "./targets.ts";
import { type TransferProgress, TransferReport } from "./transfer-report.ts";
import { resultOfTransfer, resultWithoutTransfer, withProspects } from "./transfer-result.ts";
import { Turns } from "./turns.ts";
import { WAIT_MS, Waits } from "./waits.ts";

/** Between two progress events: a bar that moves five times a second looks steady. */
const PROGRESS_MS = 200;

/** Between two looks at what a push waits for. */
const LOOK_MS = 500;

/** The parts that transfers work with. */
export interface TransferParts {
  readonly engine: Pick<NodeEngine, "membership" | "outboundTransfer">;
  readonly driver: Pick<Driver, "startTransfer" | "supersede" | "handle" | "nowMs">;
  readonly log: Log;
  readonly settings: Pick<
    Settings,
    "base" | "hostName" | "parallel" | "excludes" | "ownerMatch" | "port" | "compression"
  >;
  /** Knows the hosts that cannot be reached for their key. */
  readonly apart: Pick<ApartHosts, "lost" | "verdictOn">;
  readonly watch: Pick<InterfaceWatch, "state" | "datagramBytes">;
  /** Whether the fleet has a key. */
  readonly isSealed: boolean;
  /** Called with each transfer that has ended, except dry runs. */
  readonly record: (
    transfer: number,
    result: SendResult,
    by: PushedBy | undefined,
    isCatchUp: boolean,
  ) => void;
  /** Keeps the log of what is published. */
  readonly publications: PublicationHearer;
}

/** One transfer that this node sends, from its start to its result. */
interface Running {
  readonly request: SendRequest;
  readonly by: PushedBy | undefined;
  readonly targets: PushTargets;
  readonly report: TransferReport;
  readonly resolve: (result: SendResult, totals: SourceTotals) => void;
  readonly beganMs: number;
  /** Whether it brings what hosts had missed. */
  readonly isCatchUp: boolean;
  /** The push that it takes back; undefined for any other transfer. */
  readonly undoes?: Publication | undefined;
  /** Whether it is going to be repeated after this result: then the history does not have it. */
  readonly isToBeRepeated?: ((result: SendResult) => boolean) | undefined;
}

/** A request that may be carried out. */
export interface Asked extends Pick<Running, "request" | "by" | "undoes" | "isToBeRepeated"> {
  /** Only files of this user are given the group; undefined for files of any user. */
  readonly groupOwner: number | undefined;
  /** This host, if the transfer changes its own tree as well. */
  readonly own?: OwnTarget | undefined;
  /** Sends an event to the client. */
  readonly emit: (event: Event) => void;
  /** The paths of the request below the base directory, for the log of what is published; undefined if they are there already. */
  readonly paths?: readonly string[] | undefined;
  /** The rules of a transfer that brings what members have missed; undefined for a push. */
  readonly rules?: SourceRules;
  /** Called with the number of the transfer, and the names of its hosts by their epochs. */
  readonly onStart?: (transfer: number, hosts: ReadonlyMap<string, string>) => void;
}

/** Starts the transfers that clients ask for, a few at a time, and gives each client the result of its own. */
export class Transfers {
  private readonly parts: TransferParts;
  private readonly turns: Turns;
  private readonly running = new Map<number, Running>();
  private lastTransfer = 0;
  private isStopping = false;

  constructor(parts: TransferParts) {
    this.parts = parts;
    this.turns = new Turns(parts.settings.parallel);
  }

  /** Transfers that run. */
  get count(): number {
    return this.running.size;
  }

  /** Transfers that wait for their turn. */
  get waiting(): number {
    return this.turns.waitingCount;
  }

  /** How far each running transfer is. */
  progress(): TransferProgress[] {
    return [...this.running].map(([transfer, { report }]) => report.progress(this.senderOf(transfer)));
  }

  /** The running transfers for people: who has asked for what, and how far it is. */
  activity(): OutgoingTransfer[] {
    return [...this.running].map(([transfer, { report, request, by, undoes }]) => {
      const { memberCount: _memberCount, ...progress } = report.progress(this.senderOf(transfer));
      return { ...progress, user: by?.user ?? "", request: commandLine(request, undoes && idOf(undoes)) };
    });
  }

  /**
   * Carries out a request to send.
   *
   * @param caller the process that asks; undefined if it is not known
   * @param emit sends an event to the client
   * @param signal ends the transfer if it is aborted before the commit
   * @throws UserError if there is nobody to send to, the request is wrong, or the daemon is stopping
   */
  async send(
    request: SendRequest,
    caller: PeerCredentials | undefined,
    emit: (event: Event) => void,
    signal: AbortSignal,
  ): Promise<SendResult> {
    simplifyRequest(request);
    compileExcludes(request.excludes, "");
    const groupOwner = request.group === "" ? undefined : ownerForGroup(caller, request.group);
    if (this.isStopping) throw stopping();
    const pushes = this.count + this.waiting;
    const timer = setTimeout(() => emit({ event: "waiting", pushes }), WAIT_MS);
    await this.turns.take(signal).finally(() => clearTimeout(timer));
    try {
      const paths = await pathsOfPush(request.paths, this.parts.settings.base);
      // It may have begun to stop meanwhile.
      if (this.isStopping) throw stopping();
      return await this.sendNow({ request, groupOwner, by: pushedBy(caller), emit, paths }, signal);
    } finally {
      this.turns.give();
    }
  }

  /**
   * Takes a push back on all members that it was for.
   *
   * @param choose called when its turn has come
   * @throws UserError as send() does
   */
  takeBack(choose: () => Asked, signal: AbortSignal): Promise<SendResult> {
    return this.inTurn(signal, () => this.sendNow(choose(), signal));
  }

  /** Something has happened to the node. */
  onEvent(event: NodeEvent): void {
    switch (event.kind) {
      case "transfer-finished":
        this.finish(event.result);
        break;
      case "member-failed":
        this.running.get(event.transfer)?.report.onMemberFailed(event.hostName, event.reason);
        break;
      case "findings":
        this.running.get(event.transfer)?.report.onFindings(event.epoch, event.findings);
        break;
    }
  }

  /** So many transfers run at a time from now on. */
  changeParallel(count: number): void {
    this.turns.change(count);
  }

  /** From now on no transfer starts, and requests that wait for their turn are refused. */
  stop(): void {
    this.isStopping = true;
    this.turns.refuseAll(stopping());
  }

  private sendNow(asked: Asked, signal: AbortSignal): Promise<SendResult> {
    const { request } = asked;
    const { apart, engine, isSealed, settings, watch } = this.parts;
    const { targets: names, excepts } = request;
    const members = [...engine.membership.members].sort(byHostName);
    const { list: problems } = engine.membership.problems;
    const surroundings = { problems, members, isSealed, port: settings.port };
    const chosen = chooseReachable(members, apart, names, excepts, request);
    const isAnyChosen = chosen.members.length + chosen.apart.length > 0;
    if (!isAnyChosen && names.length === 0) {
      checkPresent(members, apart, request);
      const { away, chosen: used } = watch.state;
      const ways = { others: addressesBeside(used.name), unrouted: unroutedNetwork(used.ip) };
      throw noMember({ ...surroundings, away, chosen: used, ...ways });
    }
    const all = addMissing(chosen, names, excepts, surroundings);
    // A host that is away gets it later by itself.
    const targets = asked.undoes === undefined ? all : { ...all, unknown: [], unknownExcepts: [] };
    const result = resultWithoutTransfer(request, targets, asked.own !== undefined);
    if (result !== undefined) return Promise.resolve(result);
    return new Promise((resolve) => {
      const transfer = this.start(asked, targets, resolve);
      signal.addEventListener("abort", () => this.cancel(transfer, sentence("interrupted")));
      if (signal.aborted) this.cancel(transfer, sentence("interrupted"));
    });
  }

  /**
   * Brings to members what they have missed.
   *
   * @param onStart called with the number of the transfer
   * @param signal ends it if it is aborted before the commit
   */
  serve(
    members: readonly Member[],
    request: SendRequest,
    rules: SourceRules,
    onStart: (transfer: number) => void,
    signal: AbortSignal,
  ): Promise<ServedTransfer> {
    const targets = { members, unknown: [], unknownExcepts: [], apart: [], missing: [] };
    const asked = { request, rules, groupOwner: undefined, by: undefined, emit: () => undefined };
    const serve = () =>
      new Promise<ServedTransfer>((resolve) => {
        const transfer = this.start(asked, targets, (result, totals) => resolve({ result, totals }));
        onStart(transfer);
        signal.addEventListener("abort", () => this.cancel(transfer, sentence("newer-push")));
        if (signal.aborted) this.cancel(transfer, sentence("newer-push"));
      });
    return this.inTurn(signal, serve);
  }

  supersede(transfer: number, list: NamedList): void {
    this.parts.driver.supersede(transfer, list);
  }

  private async inTurn<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    if (this.isStopping) throw stopping();
    await this.turns.take(signal);
    try {
      return await work();
    } finally {
      this.turns.give();
    }
  }

  private start(asked: Asked, targets: PushTargets, resolve: Running["resolve"]): number {
    const { request, by, emit, undoes, own, isToBeRepeated } = asked;
    const { driver, log } = this.parts;
    const transfer = ++this.lastTransfer;
    const { members } = targets;
    const hosts = new Map(members.map((member) => [member.epoch, displayName(member, members)]));
    if (own !== undefined) hosts.set(own.epoch, own.hostName);
    logRequest(log, transfer, request, by, members.length, undoes && idOf(undoes));
    const report = new TransferReport(transfer, request, hosts, emit, log);
    const isCatchUp = asked.rules !== undefined;
    const rules = asked.rules ?? this.pushRules(asked, transfer, members);
    const kept = { request, by, targets, report, resolve, isCatchUp, undoes, isToBeRepeated };
    this.running.set(transfer, { ...kept, beganMs: driver.nowMs() });
    asked.onStart?.(transfer, hosts);
    if (request.progress) this.reportProgress(transfer);
    const nameOf = (epoch: string | undefined) =>
      epoch === undefined ? this.parts.settings.hostName : (report.hostOf(epoch) ?? epoch);
    this.reportWaits(transfer, new Waits(nameOf), emit);
    const { dryRun, allOrNothing } = request;
    const datagramBytes = datagramBytesFor(members, this.parts.watch.datagramBytes);
    driver.startTransfer(
      {
        kind: "start-transfer",
        request: { transfer, targets: members, dryRun, allOrNothing, datagramBytes, own },
      },
      {
        request: { paths: request.paths, recursive: request.recursive },
        rules,
        compression: compressionFor(members, request, this.parts.settings.compression),
        tellsDigests: allUnderstand(members),
        tellsChunks: request.wholeFile !== true && allUnderstand(members),
        digestsData: allUnderstand(members),
        detail: request.detail,
        hostOf: (epoch) => report.hostOf(epoch) ?? epoch,
        onSource: (reply) => report.onSource(reply),
      },
    );
    return transfer;
  }

  private pushRules(asked: Asked, transfer: number, members: readonly Member[]): SourceRules {
    const rules = this.rulesOf(asked);
    const { request, by, undoes, paths = request.paths } = asked;
    if (undoes !== undefined)
      return { ...rules, excludes: [], ...this.parts.publications.beginUndo(transfer, undoes, by) };
    const below = { ...request, paths: [...paths] };
    return { ...rules, ...this.parts.publications.begin(transfer, below, rules, by, members) };
  }

  private rulesOf({ request, groupOwner }: Asked): SourceRules {
    const { excludes, ownerMatch } = this.parts.settings;
    return {
      deletes: request.deletes,
      syncs: request.syncs,
      isForced: request.isForced,
      comparesContents: request.comparesContents,
      isCheck: request.isCheck,
      sendsAttributes: request.sendsAttributes,
      excludes: [...excludes, ...request.excludes],
      ownedBy: ownerMatch ? process.geteuid?.() : undefined,
      group: request.group === "" ? undefined : findGroupNumber(request.group),
      groupOwner,
    };
  }

  /** Gives a transfer up, if its commit has not begun. */
  cancel(transfer: number, reason: string): void {
    if (this.running.has(transfer)) this.parts.driver.handle({ kind: "cancel-transfer", transfer, reason });
  }

  private reportProgress(transfer: number): void {
    const running = this.running.get(transfer);
    if (running === undefined) return;
    running.report.emitProgress(this.senderOf(transfer));
    setTimeout(() => this.reportProgress(transfer), PROGRESS_MS).unref();
  }

  /** Says what the push waits for, also where no progress is shown. */
  private reportWaits(transfer: number, waits: Waits, emit: (event: Event) => void): void {
    if (!this.running.has(transfer)) return;
    const sender = this.senderOf(transfer);
    const events = sender === undefined ? [] : waits.look(sender, this.parts.driver.nowMs());
    for (const event of events) {
      emit(event);
      if (event.event === "slow")
        this.parts.log.warn(
          `transfer ${transfer}: ${event.host} has been ${event.doing} for ${event.seconds} s`,
        );
    }
    setTimeout(() => this.reportWaits(transfer, waits, emit), LOOK_MS).unref();
  }

  private senderOf(transfer: number) {
    return this.parts.engine.outboundTransfer(transfer);
  }

  private finish(result: TransferResult): void {
    const { transfer } = result;
    const running = this.running.get(transfer);
    if (running === undefined) return;
    this.running.delete(transfer);
    const { request, by, targets, report, beganMs, isCatchUp, resolve } = running;
    const durationMs = this.parts.driver.nowMs() - beganMs;
    const nameOf = (epoch: string) => report.hostOf(epoch);
    const { tally } = report;
    const { undoes, isToBeRepeated } = running;
    const common = resultOfTransfer(request, targets, tally, nameOf, result, durationMs);
    const plain = undoes === undefined ? common : { ...common, undoes: idOf(undoes) };
    const sendResult = request.dryRun
      ? plain
      : withProspects(plain, result, (epoch) => this.parts.publications.catchesUp(epoch));
    this.parts.publications.end(transfer, result, tally.totals);
    const { sentEntries: files, sentBytes: bytes, savedBytes: saved, hosts, exitStatus } = sendResult;
    this.parts.log.info(
      { files, bytes, saved, ms: Math.round(durationMs), ...by },
      `transfer ${transfer} to ${hosts.length} members ended with status ${exitStatus}`,
    );
    if (!request.dryRun && isToBeRepeated?.(sendResult) !== true)
      this.parts.record(transfer, sendResult, by, isCatchUp);
    resolve(sendResult, tally.totals);
  }
}

function stopping(): UserError {
  return new UserError(
    "the daemon is stopping: start it again and repeat the command",
    ExitStatus.unreachable,
  );
}
