/** The events of a running transfer for msync, and the counts for its result. */
import { reasonOf, sentenceOf } from "../../base/reason.ts";
import type { Event, ProgressEvent, SendRequest } from "../../console/protocol.ts";
import type { TransferSender } from "../../engine/sender/transfer-sender.ts";
import { MemberPhase } from "../../wire/status-message.ts";
import { differenceNames } from "../../wire/differences.ts";
import { type Finding, FindingKind } from "../../wire/findings.ts";
import type { PathReport, TransferReply } from "../disk/messages.ts";
import type { Log } from "../service/log.ts";
import { StagedBytes } from "./staged-bytes.ts";
import { EMPTY_TALLY, type Tally } from "./transfer-result.ts";

/** The state of a transfer in the engine, as far as progress is read from it; undefined before and after it. */
type Sender = Pick<TransferSender, "membersProgress" | "isCommitting"> | undefined;

/** How far a transfer is; its slowest member decides. */
export interface TransferProgress extends Omit<ProgressEvent, "event"> {
  readonly transfer: number;
  readonly memberCount: number;
}

/**
 * Paths of one transfer that are logged: enough to find what is wrong. Users of a directory in the tree can make any number of
 * entries that cannot be sent or made. All are told to msync.
 */
const LOGGED_PATHS = 100;

/** Turns what the disk and the members tell of one transfer into events for msync, and counts it. */
export class TransferReport {
  private readonly transfer: number;
  private readonly isCheck: boolean;
  private readonly hosts: ReadonlyMap<string, string>;
  private readonly emit: (event: Event) => void;
  private readonly log: Log;
  private totals = EMPTY_TALLY.totals;
  private readonly staged = new StagedBytes();
  private unreadable = 0;
  private failed = 0;
  private deleted = 0;
  private differing = 0;
  private logged = 0;

  /**
   * @param hosts for each member's epoch the name by which people see it
   * @param emit sends an event to msync
   */
  constructor(
    transfer: number,
    { isCheck }: Pick<SendRequest, "isCheck">,
    hosts: ReadonlyMap<string, string>,
    emit: (event: Event) => void,
    log: Log,
  ) {
    this.transfer = transfer;
    this.isCheck = isCheck;
    this.hosts = hosts;
    this.emit = emit;
    this.log = log;
  }

  /** The counts up to now. */
  get tally(): Tally {
    const { totals, unreadable, deleted, differing } = this;
    return { totals, unreadable, deleted, differing };
  }

  /** The name by which people see a member; undefined for one that the transfer did not begin with. */
  hostOf(epoch: string): string | undefined {
    return this.hosts.get(epoch);
  }

  /** The reading thread has made blocks, or tells which entries are sent. */
  onSource(reply: TransferReply): void {
    if (reply.kind === "reports") {
      for (const report of reply.reports) this.onPath(report);
      return;
    }
    if (reply.kind === "withheld") {
      const { withheld: _before, ...totals } = this.totals;
      this.totals = reply.withheld === undefined ? totals : { ...totals, withheld: reply.withheld };
      return;
    }
    this.totals = reply.totals;
    this.staged.note(reply.firstBlock + reply.blocks.length, reply.totals.sentBytes);
    this.unreadable = reply.unreadable;
    for (const { kind, path, reason: cause } of reply.notices) {
      const reason = sentenceOf(cause);
      this.emit({ event: "notice", kind, path, reason, cause });
      if (kind === "unreadable") this.logPath(path, reason);
    }
  }

  /** A member tells what it has found. */
  onFindings(epoch: string, findings: readonly Finding[]): void {
    const host = this.hosts.get(epoch);
    if (host === undefined) return;
    for (const { kind, path, text } of findings) {
      if (kind === FindingKind.superfluous) {
        this.deleted++;
        this.emit({ event: "superfluous", host, path });
      } else {
        const cause = reasonOf(text);
        if (cause.code === "unlisted") this.deleted += Number(cause.args[0]);
        this.emit({ event: "note", host, path, reason: text, cause });
        this.logPath(path, `${host}: ${text}`);
      }
    }
  }

  /** The transfer goes on without a member. */
  onMemberFailed(host: string, reason: string): void {
    this.failed++;
    this.emit({ event: "member-failed", host, reason, cause: reasonOf(reason) });
  }

  /** Tells how far the transfer is. */
  emitProgress(sender: Sender): void {
    const { transfer: _transfer, memberCount: _memberCount, ...progress } = this.progress(sender);
    this.emit({ event: "progress", ...progress });
  }

  /** How far the transfer is. */
  progress(sender: Sender): TransferProgress {
    let slowest: { name: string; staged: number } | undefined;
    let [behind, isBegun] = [0, false];
    const isCommitting = sender?.isCommitting === true;
    const goal = isCommitting ? MemberPhase.done : MemberPhase.ready;
    for (const { member, phase, stagedBelow } of sender?.membersProgress ?? []) {
      isBegun = true;
      if (phase < goal) behind++;
      if (slowest !== undefined && slowest.staged <= stagedBelow) continue;
      slowest = { name: this.hosts.get(member.epoch) ?? "", staged: stagedBelow };
    }
    const { wantedBytes, entries } = this.totals;
    const stagedBytes = slowest === undefined ? 0 : this.staged.below(slowest.staged);
    const hosts = this.hosts.size;
    return {
      transfer: this.transfer,
      memberCount: hosts,
      phase: isCommitting ? "committing" : "sending",
      sentBytes: Math.min(stagedBytes, wantedBytes),
      wantedBytes,
      slowest: slowest?.name ?? "",
      entries,
      hosts,
      hostsReady: isBegun ? hosts - this.failed - behind : 0,
      hostsFailed: this.failed,
    };
  }

  private logPath(path: string, sentence: string): void {
    this.logged++;
    if (this.logged <= LOGGED_PATHS) this.log.warn({ path }, sentence);
    else if (this.logged === LOGGED_PATHS + 1)
      this.log.warn(
        `transfer ${this.transfer}: there are more paths with problems than are logged; msync names all`,
      );
  }

  private onPath(report: PathReport): void {
    const differences = report.differences.map(({ host, difference }) => ({
      host,
      kinds: differenceNames(difference),
    }));
    if (this.isCheck) this.differing += differences.length;
    this.emit({ event: "path", ...report, differences: this.isCheck ? differences : [] });
  }
}
