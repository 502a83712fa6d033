/** The result of a push: from the verdicts of its members to the exit status of msync. */
import { reasonOf, sentence } from "../../base/reason.ts";
import { ExitStatus, UserError } from "../../base/user-error.ts";
import { foreignText } from "../../console/foreign-text.ts";
import type { ForeignHost, SendRequest, SendResult } from "../../console/protocol.ts";
import type { TransferResult, Verdict } from "../../engine/types.ts";
import type { SourceTotals } from "../disk/messages.ts";
import type { ChosenTargets } from "./targets.ts";

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
  totals: { entries: 0, wantedBytes: 0, sentEntries: 0, sentBytes: 0 },
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
  targets: ChosenTargets,
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
 * The result of a request that no member is there for, so that no transfer begins.
 *
 * @param heard who is heard under another key
 * @returns undefined if a transfer can begin
 * @throws UserError if the request named no host that is missing, and still nobody is left
 */
export function resultWithoutTransfer(
  { allOrNothing }: RequestTerms,
  targets: ChosenTargets,
  heard: readonly ForeignHost[] = [],
): SendResult | undefined {
  const { members, unknown, apart } = targets;
  const missing = [...unknown, ...apart.map(({ hostName }) => hostName)];
  const isRefused = allOrNothing && missing.length > 0;
  if (members.length > 0 && !isRefused) return undefined;
  if (missing.length === 0) throw noMember(heard);
  return {
    ...fromTally(targets, EMPTY_TALLY),
    exitStatus: isRefused ? ExitStatus.aborted : ExitStatus.partial,
    hosts: shownVerdicts(apart, () => undefined),
    aborted: isRefused ? sentence("unreachable", missing.join(", ")) : undefined,
    durationMs: 0,
    repairedFragments: 0,
  };
}

/** Adds who is heard under another key, where the request may have meant such a host: by a name, or as one of all. */
export function withStrangers(
  { targets }: Pick<SendRequest, "targets">,
  result: SendResult,
  heard: readonly ForeignHost[],
): SendResult {
  const mayBeMeant = targets.length === 0 || result.unknown.length > 0;
  return mayBeMeant && heard.length > 0 ? { ...result, foreign: heard } : result;
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

/** Nobody is there; where packets under another key come in, that is mostly why. */
function noMember(heard: readonly ForeignHost[]): UserError {
  const reason =
    heard.length === 0
      ? "'msync --members' lists those that are there"
      : `${foreignText(heard)}: add a common key to the key files of both hosts, and reload makuosan`;
  return new UserError(`there is no member to send to: ${reason}`, ExitStatus.noMembers);
}

/** The exit status of msync for a transfer that has ended. */
export function exitStatusOf(
  { allOrNothing, isCheck, dryRun }: RequestTerms,
  { unknown }: Pick<ChosenTargets, "unknown">,
  { unreadable, deleted, differing }: Tally,
  { verdicts, aborted }: Pick<TransferResult, "verdicts" | "aborted">,
): ExitStatus {
  if (aborted !== undefined && allOrNothing) return ExitStatus.aborted;
  const isEverywhere = verdicts.every((verdict) => verdict.outcome === "done");
  const isComplete = unreadable === 0 && unknown.length === 0;
  if (!isEverywhere || !isComplete || aborted !== undefined) return ExitStatus.partial;
  const hasDifference = differing > 0 || deleted > 0;
  return isCheck && dryRun && hasDifference ? ExitStatus.difference : ExitStatus.ok;
}

function fromTally({ unknown, unknownExcepts }: ChosenTargets, { totals, ...counts }: Tally) {
  const { entries, sentEntries, sentBytes } = totals;
  return { result: "send", unknown, unknownExcepts, entries, sentEntries, sentBytes, ...counts } as const;
}
