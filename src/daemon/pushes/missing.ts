/** Finds the hosts that a push means and cannot reach, because something is in the way. */
import { ExitStatus, UserError } from "../../base/user-error.ts";
import type { MissingHost } from "../../console/protocol.ts";
import type { ChosenInterface, InterfaceAddress } from "../../net/interfaces.ts";
import type { Member, Problem, ProblemKind } from "../../engine/types.ts";
import { openPort, sentenceOfProblem } from "../service/problem-sentences.ts";
import type { SendRequest } from "../../console/protocol.ts";
import type { ApartHosts } from "./apart-hosts.ts";
import { chooseReachable, type ChosenTargets, isSelection, meets, namedProblem } from "./targets.ts";

/** The targets of a push, with those that are no members although they are heard. */
export interface PushTargets extends ChosenTargets {
  readonly missing: readonly MissingHost[];
}

/** What this node knows of the hosts that are no members. */
export interface Surroundings {
  readonly problems: readonly Problem[];
  /** All members: a node that is one is not missing, although packets in its name may come from elsewhere. */
  readonly members: readonly Pick<Member, "nodeId">[];
  /** Whether the fleet has a key. */
  readonly isSealed: boolean;
  /** The UDP port of the fleet. */
  readonly port: number;
}

/** The same for a push that has no member, with the ways of this host to others. */
export interface LonelySurroundings extends Surroundings {
  /** Why this host has no network; undefined if it has one. */
  readonly away?: string | undefined;
  /** The interface that is used. */
  readonly chosen: ChosenInterface;
  /** The network of the interface, if the kernel has no route to it. */
  readonly unrouted?: string | undefined;
  /** Addresses on other interfaces: the fleet may be in one of those networks. */
  readonly others: readonly InterfaceAddress[];
}

/** Problems of members: the push reaches them, or their verdict says why not. */
const OF_MEMBERS: readonly ProblemKind[] = ["unheard", "mute"];

/**
 * Finds the hosts that a request means and that are no members. Without a name it means all hosts of the fleet. A host is of the
 * fleet if its packets open; in a fleet without a key, anybody is. A host that the request names is meant in any case.
 *
 * @param chosen the members that the request means; its unknown names may be those of such hosts
 */
export function addMissing(
  chosen: ChosenTargets,
  names: readonly string[],
  excepts: readonly string[],
  surroundings: Surroundings,
): PushTargets {
  const { problems, members, port } = surroundings;
  const present = new Set(members.map(({ nodeId }) => nodeId));
  const found = problems.filter(
    (problem) =>
      !OF_MEMBERS.includes(problem.kind) &&
      !present.has(problem.nodeId ?? "") &&
      isMeant(problem, names, surroundings) &&
      !excepts.some((name) => meets(namedProblem(problem), name)),
  );
  const unknown = chosen.unknown.filter(
    (name) => !found.some((problem) => meets(namedProblem(problem), name)),
  );
  const unknownExcepts = chosen.unknownExcepts.filter(
    (name) => !problems.some((problem) => meets(namedProblem(problem), name)),
  );
  const missing = found.map((problem) => ({
    host: problem.info?.hostName ?? "",
    address: problem.ip,
    reason: sentenceOfProblem(problem, port),
  }));
  return { ...chosen, unknown, unknownExcepts, missing };
}

/**
 * Checks a push to everybody that reaches no member although there are some.
 *
 * @throws UserError if `--except` names all of them, or none of them receives
 */
export function checkPresent(
  members: readonly Member[],
  apart: Pick<ApartHosts, "lost" | "verdictOn">,
  { excepts, isCheck, dryRun }: Pick<SendRequest, "excepts" | "isCheck" | "dryRun">,
): void {
  const all = chooseReachable(members, apart, [], [], { isCheck, dryRun });
  const count = all.members.length + all.apart.length;
  if (count > 0 && excepts.length > 0) {
    throw nobody(
      count === 1
        ? "--except names the only member: leave a name out"
        : `--except names all ${count} members: leave a name out`,
    );
  }
  if (members.length > 0 && count === 0) {
    throw nobody(
      members.length === 1
        ? "the only member does not receive: run 'makuosan --set receive=yes' and 'systemctl restart makuosan' there"
        : "no member receives: run 'makuosan --set receive=yes' and 'systemctl restart makuosan' there",
    );
  }
}

function nobody(why: string): UserError {
  return new UserError(`there is no member to send to: ${why}`, ExitStatus.noMembers);
}

/** The error of a push to everybody that has no member. */
export function noMember({ problems, port, away, chosen, unrouted, others }: LonelySurroundings): UserError {
  const reasons = away === undefined ? problems.map((problem) => sentenceOfProblem(problem, port)) : [away];
  if (away === undefined && unrouted !== undefined) {
    reasons.unshift(
      `this host has no route to ${unrouted}: run 'ip route add ${unrouted} dev ${chosen.name}', ` +
        "and make it last in the settings of the network",
    );
  }
  const why = reasons.length === 0 ? silence(chosen, others, port) : reasons.join("; ");
  return nobody(why);
}

/** Nobody is heard: the other hosts are in another network, do not run, or are behind a firewall. */
function silence(chosen: ChosenInterface, others: readonly InterfaceAddress[], port: number): string {
  const [other] = others;
  const heard = `no other host is heard on ${chosen.name} (${chosen.ip})`;
  if (other !== undefined) {
    const names = others.map(({ name, ip }) => `${name} (${ip})`).join(", ");
    return (
      `${heard}; this host also has ${names}: to use another one, run ` +
      `'makuosan --set interface=${other.name}' and 'systemctl restart makuosan'`
    );
  }
  return `${heard}: run 'systemctl start makuosan' on the others. Is UDP ${port} let in here? ${openPort(port)}`;
}

function isMeant(problem: Problem, names: readonly string[], { isSealed }: Surroundings): boolean {
  const host = namedProblem(problem);
  if (names.some((name) => !isSelection(name) && meets(host, name))) return true;
  const isOfFleet = problem.kind !== "foreign-key" && (problem.isProven || !isSealed);
  if (!isOfFleet || problem.info?.receives === false) return false;
  return names.length === 0 || names.some((name) => meets(host, name));
}
