/** Finds the members for `-t` and `--except`. */
import { DecodeError } from "../../base/bytes.ts";
import { compileGlob, isPattern, matches } from "../../base/glob.ts";
import { sentence } from "../../base/reason.ts";
import { ExitStatus, UserError } from "../../base/user-error.ts";
import type { SendRequest } from "../../console/protocol.ts";
import type { Member, Problem, Verdict } from "../../engine/types.ts";
import type { ApartHosts } from "./apart-hosts.ts";

/** Most names, patterns and labels of one request: each is compared with up to 4,096 members while everything else waits. */
const NAMES = 1_024;

/** The members that a request names, and the names that match none. */
export interface ChosenTargets {
  readonly members: readonly Member[];
  readonly unknown: readonly string[];
  /** Names of `--except` that match none. */
  readonly unknownExcepts: readonly string[];
  /** The verdicts on hosts that were chosen and cannot be reached for their key. */
  readonly apart: readonly Verdict[];
}

/**
 * Finds the members for `-t` and `--except`. Each name is a host name or an address, a pattern for those, or `@` and a
 * label or a pattern for labels. No name at all means every member. A member that does not receive is chosen only by its
 * own name or address: it answers with the reason.
 *
 * @param isCheck whether nothing is sent: then members that do not receive are chosen like all others
 * @throws UserError for a name that two members have, or a pattern that is not valid
 */
export function chooseTargets(
  members: readonly Member[],
  names: readonly string[],
  excepts: readonly string[],
  isCheck = false,
): ChosenTargets {
  const takes = (member: Member) => isCheck || receives(member);
  if (names.length + excepts.length > NAMES) {
    throw new UserError(
      `${names.length + excepts.length} hosts are named: give ${NAMES} at the most, or use patterns`,
    );
  }
  const chosen = new Set(names.length === 0 ? members.filter(takes) : []);
  const unknown: string[] = [];
  for (const name of names) {
    const found = isSelection(name) ? select(members, name).filter(takes) : named(members, name);
    if (found.length === 0) unknown.push(name);
    for (const member of found) chosen.add(member);
  }
  const unknownExcepts: string[] = [];
  for (const name of excepts) {
    const found = select(members, name);
    if (found.length === 0) unknownExcepts.push(name);
    for (const member of found) chosen.delete(member);
  }
  return { members: [...chosen], unknown, unknownExcepts, apart: [] };
}

/**
 * Finds the members for a push, and the hosts among the chosen ones that it cannot reach for their key. A host that was a
 * member and is heard under another key is chosen as if it still were one.
 *
 * @param rules of the push: a check compares the files of members that do not receive, and another dry run tells that they do
 *   not
 * @throws UserError as chooseTargets() does
 */
export function chooseReachable(
  members: readonly Member[],
  apart: Pick<ApartHosts, "lost" | "verdictOn">,
  names: readonly string[],
  excepts: readonly string[],
  { isCheck, dryRun }: Pick<SendRequest, "isCheck" | "dryRun">,
): ChosenTargets {
  const isOnlyCheck = isCheck && dryRun;
  const chosen = chooseTargets([...members, ...apart.lost()], names, excepts, isOnlyCheck);
  const reachable: Member[] = [];
  const verdicts: Verdict[] = [];
  for (const member of chosen.members) {
    const verdict =
      apart.verdictOn(member, members.includes(member)) ??
      (dryRun && !isCheck && !receives(member) ? notReceiving(member) : undefined);
    if (verdict === undefined) reachable.push(member);
    else verdicts.push(verdict);
  }
  return { ...chosen, members: reachable, apart: verdicts };
}

/** A member answers a dry run also if it would turn the push itself down. */
function notReceiving({ epoch, info, address }: Member): Verdict {
  return { epoch, hostName: info.hostName, address, outcome: "failed", reason: sentence("does-not-receive") };
}

/** Whether a name may mean several members. */
export function isSelection(name: string): boolean {
  return name.startsWith("@") || isPattern(name);
}

/** How people can name a host. */
export interface NamedHost {
  readonly hostName: string;
  readonly ip: string;
  readonly labels: readonly string[];
}

/**
 * Whether a name of `-t` or `--except` means a host.
 *
 * @throws UserError for a pattern that is not valid
 */
export function meets(host: NamedHost, name: string): boolean {
  if (!isSelection(name)) return namesOf(host).includes(name);
  return selectorOf(name)(host);
}

/** The last form is that of --members, if two members have one name. */
function namesOf({ hostName, ip }: NamedHost): readonly string[] {
  return [hostName, ip, `${hostName}(${ip})`];
}

/** Finds the hosts that a pattern or a label means. */
function selectorOf(name: string): (host: NamedHost) => boolean {
  const isLabel = name.startsWith("@");
  const glob = compile(isLabel ? name.slice(1) : name);
  return (host) => (isLabel ? host.labels : namesOf(host)).some((text) => matches(glob, text));
}

/** How people can name a member. */
export function namedMember({ info, address }: Member): NamedHost {
  return { hostName: info.hostName, ip: address.ip, labels: info.labels };
}

/** How people can name a host that a problem is about. */
export function namedProblem({ ip, info }: Problem): NamedHost {
  return { ip, hostName: info?.hostName ?? "", labels: info?.labels ?? [] };
}

function receives(member: Member): boolean {
  return member.info.receives;
}

function named(members: readonly Member[], name: string): Member[] {
  const found = members.filter((member) => namesOf(namedMember(member)).includes(name));
  if (found.length <= 1) return found;
  const addresses = found.map((member) => member.address.ip).join(" and ");
  throw new UserError(
    `${found.length} members are called ${name} (${addresses}): name one by its address, or give each its own name ` +
      "with 'makuosan --set name=NAME' and 'systemctl restart makuosan' there",
    ExitStatus.partial,
  );
}

function select(members: readonly Member[], name: string): Member[] {
  const isSelected = selectorOf(name);
  return members.filter((member) => isSelected(namedMember(member)));
}

function compile(pattern: string) {
  try {
    return compileGlob(pattern);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new UserError(`the pattern '${pattern}' ends with a backslash: leave it out`);
  }
}
