/** Pushes from request to result. */
import { ExitStatus, UserError } from "../../base/user-error.ts";
import type { NodeEngine } from "../../engine/node.ts";
import type { Member, TransferResult } from "../../engine/types.ts";
import type { PeerCredentials } from "../../sys/peer-credentials.ts";
import type { Event, ProgressEvent, PushedBy, SendRequest, SendResult } from "../../console/protocol.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../wire/datagram.ts";
import { findGroupNumber } from "../settings/accounts.ts";
import { compileExcludes } from "../../tree/entries/excludes.ts";
import { simplifyRequest } from "../../tree/scan/request.ts";
import { differenceNames } from "../../wire/differences.ts";
import { type Finding, FindingKind } from "../../wire/findings.ts";
import type { PathReport, SourceReply, SourceTotals } from "../disk/messages.ts";
import type { Driver } from "../pump/driver.ts";
import type { Log } from "../service/log.ts";
import { ownerForGroup, pushedBy } from "./callers.ts";
import type { Settings } from "../settings/settings.ts";
import { chooseTargets, type ChosenTargets } from "./targets.ts";
import { Turns } from "./turns.ts";

/** Progress events come this often. */
const PROGRESS_MS = 200;

/** One transfer that this node sends, from the request to its result. */
interface Running {
  readonly request: SendRequest;
  readonly by: PushedBy | undefined;
  readonly targets: ChosenTargets;
  readonly emit: (event: Event) => void;
  readonly resolve: (result: SendResult) => void;
  readonly beganMs: number;
  readonly hosts: ReadonlyMap<string, string>;
  totals: SourceTotals;
  unreadable: number;
  deleted: number;
  differing: number;
}

/** A request that may be carried out. */
interface Asked extends Pick<Running, "request" | "by" | "emit"> {
  /** Only files of this user are given the group; undefined for files of any user. */
  readonly groupOwner: number | undefined;
}

/** How far a transfer is, as its slowest member has it. */
export interface TransferProgress extends Omit<ProgressEvent, "event"> {
  readonly transfer: number;
  readonly memberCount: number;
}

/** Starts the transfers that clients ask for, a few at a time, and tells them what becomes of them. */
export class Transfers {
  private readonly engine: NodeEngine;
  private readonly driver: Driver;
  private readonly log: Log;
  private readonly settings: Settings;
  /** Told of every transfer that has ended, but for dry runs. */
  private readonly record: (transfer: number, result: SendResult, by: PushedBy | undefined) => void;
  private readonly turns: Turns;
  private readonly running = new Map<number, Running>();
  private lastTransfer = 0;
  private isStopping = false;

  constructor(
    engine: NodeEngine,
    driver: Driver,
    log: Log,
    settings: Settings,
    record: (transfer: number, result: SendResult, by: PushedBy | undefined) => void,
  ) {
    this.record = record;
    this.engine = engine;
    this.driver = driver;
    this.log = log;
    this.settings = settings;
    this.turns = new Turns(settings.parallel);
  }

  get count(): number {
    return this.running.size;
  }

  /** Transfers that wait for their turn. */
  get waiting(): number {
    return this.turns.waitingCount;
  }

  /**
   * Carries out a request to send.
   *
   * @param caller the process that asks; undefined where that cannot be found out
   * @param signal ends the transfer when it is aborted before the commit
   * @throws UserError where there is nobody to send to, or the request is wrong
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
    await this.turns.take(signal);
    try {
      return await this.sendNow({ request, groupOwner, by: pushedBy(caller), emit }, signal);
    } finally {
      this.turns.give();
    }
  }

  /** The engine has finished a transfer. */
  finish(result: TransferResult): void {
    const running = this.running.get(result.transfer);
    if (running === undefined) return;
    this.running.delete(result.transfer);
    const sendResult = this.resultOf(running, result);
    this.log.info(
      {
        files: sendResult.sentEntries,
        bytes: sendResult.sentBytes,
        ms: Math.round(sendResult.durationMs),
        ...running.by,
      },
      `transfer ${result.transfer} to ${sendResult.hosts.length} members ended with status ${sendResult.exitStatus}`,
    );
    if (!running.request.dryRun) this.record(result.transfer, sendResult, running.by);
    running.resolve(sendResult);
  }

  memberFailed(transfer: number, host: string, reason: string): void {
    this.running.get(transfer)?.emit({ event: "member-failed", host, reason });
  }

  /** No new transfers; those that wait are refused. */
  stop(): void {
    this.isStopping = true;
    this.turns.refuseAll(stopping());
  }

  private sendNow(asked: Asked, signal: AbortSignal): Promise<SendResult> {
    const { request } = asked;
    const members = [...this.engine.membership.members].sort(byHostName);
    const targets = chooseTargets(members, request.targets, request.excepts);
    if (request.allOrNothing && targets.unknown.length > 0) {
      const aborted = `${targets.unknown.join(", ")} cannot be reached`;
      return Promise.resolve({ ...this.nobody(targets), aborted, exitStatus: ExitStatus.aborted });
    }
    if (targets.members.length === 0) return Promise.resolve(this.nobody(targets));
    return new Promise((resolve) => {
      const transfer = this.start(asked, targets, resolve);
      signal.addEventListener("abort", () => this.cancel(transfer, "msync was interrupted"));
      if (signal.aborted) this.cancel(transfer, "msync was interrupted");
    });
  }

  private nobody({ unknown, unknownExcepts }: ChosenTargets): SendResult {
    if (unknown.length === 0) {
      throw new UserError(
        "there is no member to send to: 'msync --members' lists those that are there",
        ExitStatus.noMembers,
      );
    }
    return { ...emptyResult(), unknown, unknownExcepts, exitStatus: ExitStatus.partial };
  }

  private start(asked: Asked, targets: ChosenTargets, resolve: (result: SendResult) => void): number {
    const { request, groupOwner, by, emit } = asked;
    const transfer = ++this.lastTransfer;
    const hosts = new Map(
      targets.members.map((member) => [member.epoch, displayName(member, targets.members)]),
    );
    const totals = { entries: 0, wantedBytes: 0, sentEntries: 0, sentBytes: 0 };
    const running: Running = {
      request,
      by,
      targets,
      emit,
      resolve,
      hosts,
      totals,
      unreadable: 0,
      deleted: 0,
      differing: 0,
      beganMs: this.driver.nowMs(),
    };
    this.running.set(transfer, running);
    const { dryRun, allOrNothing } = request;
    if (request.progress) this.reportProgress(transfer);
    this.driver.startTransfer(
      { kind: "start-transfer", request: { transfer, targets: targets.members, dryRun, allOrNothing } },
      {
        request: { paths: request.paths, recursive: request.recursive },
        rules: {
          deletes: request.deletes,
          syncs: request.syncs,
          isForced: request.isForced,
          comparesContents: request.comparesContents,
          isCheck: request.isCheck,
          sendsAttributes: request.sendsAttributes,
          excludes: [...this.settings.excludes, ...request.excludes],
          ownedBy: this.settings.ownerMatch ? process.geteuid?.() : undefined,
          group: request.group === "" ? undefined : findGroupNumber(request.group),
          groupOwner,
        },
        detail: request.detail,
        hostOf: (epoch) => hosts.get(epoch) ?? epoch,
        onSource: (reply) => this.onSource(running, reply),
      },
    );
    return transfer;
  }

  private cancel(transfer: number, reason: string): void {
    if (this.running.has(transfer)) this.driver.handle({ kind: "cancel-transfer", transfer, reason });
  }

  private onSource(running: Running, reply: SourceReply): void {
    if (reply.kind === "reports") {
      for (const report of reply.reports) this.onReport(running, report);
      return;
    }
    running.totals = reply.totals;
    running.unreadable = reply.unreadable;
    for (const notice of reply.notices) {
      running.emit({ event: "notice", ...notice });
      if (notice.kind === "unreadable") this.log.warn({ path: notice.path }, notice.reason);
    }
  }

  private onReport(running: Running, report: PathReport): void {
    const differences = report.differences.map(({ host, difference }) => ({
      host,
      kinds: differenceNames(difference),
    }));
    if (running.request.isCheck) running.differing += differences.length;
    running.emit({ event: "path", ...report, differences: running.request.isCheck ? differences : [] });
  }

  /** A member tells what it has found. */
  onFindings(transfer: number, epoch: string, findings: readonly Finding[]): void {
    const running = this.running.get(transfer);
    const host = running?.hosts.get(epoch);
    if (running === undefined || host === undefined) return;
    for (const { kind, path, text } of findings) {
      if (kind === FindingKind.superfluous) {
        running.deleted++;
        running.emit({ event: "superfluous", host, path });
      } else {
        running.emit({ event: "note", host, path, reason: text });
        this.log.warn({ path }, `${host}: ${text}`);
      }
    }
  }

  /** How far the transfers are that run. */
  progress(): TransferProgress[] {
    return [...this.running].map(([transfer, running]) => this.progressOf(transfer, running));
  }

  private reportProgress(transfer: number): void {
    const running = this.running.get(transfer);
    if (running === undefined) return;
    const { phase, sentBytes, wantedBytes, slowest } = this.progressOf(transfer, running);
    running.emit({ event: "progress", phase, sentBytes, wantedBytes, slowest });
    setTimeout(() => this.reportProgress(transfer), PROGRESS_MS).unref();
  }

  private progressOf(transfer: number, running: Running): TransferProgress {
    const sender = this.engine.outboundTransfer(transfer);
    let slowest: { name: string; staged: number } | undefined;
    for (const progress of sender?.membersProgress ?? []) {
      if (slowest !== undefined && slowest.staged <= progress.stagedBelow) continue;
      slowest = { name: running.hosts.get(progress.member.epoch) ?? "", staged: progress.stagedBelow };
    }
    const { wantedBytes } = running.totals;
    const stagedBytes = (slowest?.staged ?? 0) * BLOCK_PLAINTEXT_BYTES;
    return {
      transfer,
      memberCount: running.hosts.size,
      phase: sender?.isCommitting === true ? "committing" : "sending",
      sentBytes: Math.min(stagedBytes, wantedBytes),
      wantedBytes,
      slowest: slowest?.name ?? "",
    };
  }

  private resultOf(running: Running, result: TransferResult): SendResult {
    const hosts = result.verdicts
      .map((verdict) => ({
        host: running.hosts.get(verdict.epoch) ?? verdict.hostName,
        address: verdict.address.ip,
        outcome: verdict.outcome,
        reason: verdict.reason,
      }))
      .sort((a, b) => (a.host < b.host ? -1 : 1));
    const { entries, sentEntries, sentBytes } = running.totals;
    return {
      result: "send",
      exitStatus: this.exitStatus(running, result),
      hosts,
      unknown: running.targets.unknown,
      unknownExcepts: running.targets.unknownExcepts,
      aborted: result.aborted,
      entries,
      sentEntries,
      sentBytes,
      unreadable: running.unreadable,
      deleted: running.deleted,
      differing: running.differing,
      durationMs: this.driver.nowMs() - running.beganMs,
      repairedFragments: result.repairedFragments,
    };
  }

  private exitStatus(running: Running, result: TransferResult): ExitStatus {
    if (result.aborted !== undefined && running.request.allOrNothing) return ExitStatus.aborted;
    const isEverywhere = result.verdicts.every((verdict) => verdict.outcome === "done");
    const isComplete = running.unreadable === 0 && running.targets.unknown.length === 0;
    if (!isEverywhere || !isComplete || result.aborted !== undefined) return ExitStatus.partial;
    const { isCheck, dryRun } = running.request;
    const hasDifference = running.differing > 0 || running.deleted > 0;
    return isCheck && dryRun && hasDifference ? ExitStatus.difference : ExitStatus.ok;
  }
}

function byHostName(a: Member, b: Member): number {
  return a.info.hostName < b.info.hostName ? -1 : 1;
}

function stopping(): UserError {
  return new UserError(
    "the daemon is stopping: start it again and repeat the command",
    ExitStatus.unreachable,
  );
}

/** Hosts are shown by name; where two have one name, with the address. */
export function displayName(member: Member, all: readonly Member[]): string {
  const { hostName } = member.info;
  const isUnique = all.filter((other) => other.info.hostName === hostName).length === 1;
  return isUnique ? hostName : `${hostName}(${member.address.ip})`;
}

function emptyResult(): SendResult {
  return {
    result: "send",
    exitStatus: ExitStatus.ok,
    hosts: [],
    unknown: [],
    unknownExcepts: [],
    aborted: undefined,
    entries: 0,
    sentEntries: 0,
    sentBytes: 0,
    unreadable: 0,
    deleted: 0,
    differing: 0,
    durationMs: 0,
    repairedFragments: 0,
  };
}
