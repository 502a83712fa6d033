/** The result of a push: from the verdicts of its members to the exit status of msync. */
import { reasonOf, sentence } from "../../base/reason.ts";
import { ExitStatus, UserError } from "../../base/user-error.ts";
import type { SendRequest, SendResult } from "../../console/protocol.ts";
import type { TransferResult, Verdict } from "../../engine/types.ts";
import type { SourceTotals } from "../disk/messages.ts";
import type { PushTargets } from "./missing.ts";

/** What is counted of a transfer while it runs. */
export interface Tally {
  readonly totals: SourceTotals;
  /** Entries that the sender could not read. */
  readonly unreadable: number;
  /** Paths that members delete, added up over the members. */
  readonly deleted: number;
  /** Entries that differ in a check, added up over the members. */
  readonly differing: number;
}

/** The part of a request that decides over its exit status. */
export type RequestTerms = Pick<SendRequest, "allOrNothing" | "isCheck" | "dryRun">;

/** The tally of a transfer that has not begun. */
export const EMPTY_TALLY: Tally = {
  totals: { entries: 0, wantedBytes: 0, sentEntries: 0, sentBytes: 0, savedBytes: 0 },
  unreadable: 0,
  deleted: 0,
  differing: 0,
};

/**
 * The result of a transfer that has ended.
 *
 * @param nameOf the name by which people see a member; undefined for one that the transfer did not begin with
 * @param durationMs from its start to its end
 */
export function resultOfTransfer(
  request: RequestTerms,
  targets: PushTargets,
  tally: Tally,
  nameOf: (epoch: string) => string | undefined,
  { verdicts: ofMembers, aborted, repairedFragments }: TransferResult,
  durationMs: number,
): SendResult {
  const verdicts = [...ofMembers, ...targets.apart];
  const hosts = shownVerdicts(verdicts, nameOf);
  const exitStatus = exitStatusOf(request, targets, tally, { verdicts, aborted });
  return { ...fromTally(targets, tally), exitStatus, hosts, aborted, durationMs, repairedFragments };
}

/**
 * Says of hosts that have failed whether they get it later by themselves: only if others have it.
 *
 * @param catchesUp whether a member gets by itself what it has missed
 */
export function withProspects(
  plain: SendResult,
  { order, verdicts }: TransferResult,
  catchesUp: (epoch: string) => boolean,
): SendResult {
  if (order === 0) return plain;
  const late = new Set(
    verdicts
      .filter(({ epoch, outcome }) => outcome !== "done" && catchesUp(epoch))
      .map(({ address }) => address.ip),
  );
  const hosts = plain.hosts.map((host) =>
    host.outcome !== "done" && late.has(host.address) ? { ...host, catchesUp: true } : host,
  );
  return { ...plain, hosts };
}

function shownVerdicts(
  verdicts: readonly Verdict[],
  nameOf: (epoch: string) => string | undefined,
): SendResult["hosts"] {
  return verdicts
    .map(({ epoch, hostName, address, outcome, reason }) => ({
      host: nameOf(epoch) ?? hostName,
      address: address.ip,
      outcome,
      reason,
      ...(outcome === "done" ? {} : { cause: reasonOf(reason) }),
    }))
    .sort((a, b) => (a.host < b.host ? -1 : 1));
}

/**
 * The result of a request that no member is there for, so that no transfer begins.
 *
 * @param isForSelf whether this host is one of its hosts
 * @returns undefined if a transfer can begin
 * @throws UserError if the request named no host that is missing, and still nobody is left
 */
export function resultWithoutTransfer(
  { allOrNothing }: RequestTerms,
  targets: PushTargets,
  isForSelf = false,
): SendResult | undefined {
  const { members, unknown, apart, missing } = targets;
  const ofKeys = apart.map(({ hostName }) => hostName);
  const absent = [
    ...unknown,
    ...ofKeys,
    ...missing.map(({ host, address }) => (host === "" ? address : host)),
  ];
  const isRefused = allOrNothing && absent.length > 0;
  if ((members.length > 0 || isForSelf) && !isRefused) return undefined;
  if (absent.length === 0) {
    throw new UserError(
      "there is no member to send to: 'msync --members' lists those that are there",
      ExitStatus.noMembers,
    );
  }
  return {
    ...fromTally(targets, EMPTY_TALLY),
    exitStatus: isRefused ? ExitStatus.aborted : ExitStatus.partial,
    hosts: shownVerdicts(apart, () => undefined),
    aborted: isRefused ? sentence("unreachable", absent.join(", ")) : undefined,
    durationMs: 0,
    repairedFragments: 0,
  };
}

/** The exit status of msync for a transfer that has ended. */
export function exitStatusOf(
  { allOrNothing, isCheck, dryRun }: RequestTerms,
  { unknown, missing }: Pick<PushTargets, "unknown" | "missing">,
  { unreadable, deleted, differing }: Tally,
  { verdicts, aborted }: Pick<TransferResult, "verdicts" | "aborted">,
): ExitStatus {
  if (aborted !== undefined && allOrNothing) return ExitStatus.aborted;
  const isEverywhere = verdicts.every((verdict) => verdict.outcome === "done");
  const isComplete = unreadable === 0 && unknown.length === 0 && missing.length === 0;
  if (!isEverywhere || !isComplete || aborted !== undefined) return ExitStatus.partial;
  const hasDifference = differing > 0 || deleted > 0;
  return isCheck && dryRun && hasDifference ? ExitStatus.difference : ExitStatus.ok;
}

function fromTally({ unknown, unknownExcepts, missing }: PushTargets, { totals, ...counts }: Tally) {
  const { entries, sentEntries, sentBytes, savedBytes } = totals;
  const absent = { unknown, unknownExcepts, missing };
  return { result: "send", ...absent, entries, sentEntries, sentBytes, savedBytes, ...counts } as const;
}
