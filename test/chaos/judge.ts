import type { SendResult } from "../../src/console/protocol.ts";
import { MIXTURE, NOTHING } from "./slots.ts";

/** What a chaos run has to find: verdicts that are true, and trees that one order of all commits explains. */

/** A push of a round, with all that its sender has heard of it. */
export interface Push {
  readonly number: number;
  readonly sender: string;
  readonly slots: readonly string[];
  /** When it was asked for, and when its result came; Infinity if it never came. Its values were at its sender before. */
  beganMs: number;
  endedMs: number;
  /** Undefined if the sender was killed. */
  result: SendResult | undefined;
  /** Slots that it has left out, at one host or, for an empty name, at all of them. */
  readonly omitted: { readonly host: string; readonly slot: string }[];
  /** Whether it may be on hosts that were no members. */
  readonly missesMayCome?: boolean;
}

/** The values of all slots of a host. */
export type Tree = ReadonlyMap<string, number>;

/** What a push has done at a host: "unclear" if nobody claims to know all of it. */
type Fate = "done" | "not done" | "unclear";

/**
 * @param catchesUp whether hosts may have got what they had missed since
 * @returns what is not as it should be; empty if all is well
 */
export function judge(
  asked: readonly Push[],
  before: ReadonlyMap<string, Tree>,
  after: ReadonlyMap<string, Tree>,
  catchesUp = false,
): string[] {
  const pushes = catchesUp ? asked.map(withLater) : asked;
  const problems: string[] = [];
  const later = new Map<number, Set<number>>();
  for (const [host, tree] of after)
    for (const [slot, value] of tree) {
      const touching = pushes.filter(({ slots }) => slots.includes(slot));
      const place = { host, slot, value, old: before.get(host)?.get(slot) ?? NOTHING };
      const problem = problemOf(place, touching, later);
      if (problem !== undefined) problems.push(`${host}:${slot} has the value ${value}: ${problem}`);
    }
  for (const push of pushes) problems.push(...wrongStatus(push));
  const circle = circleIn(later);
  if (circle !== undefined)
    problems.push(`no order of the commits explains the trees: ${circle.join(" < ")}`);
  return problems;
}

/** A host that has missed a push may have got it later, from any other one. */
function withLater(push: Push): Push {
  const { result } = push;
  if (result === undefined || result.aborted !== undefined) return push;
  const hosts = result.hosts.map((host) =>
    host.outcome === "done" ? host : { ...host, outcome: "unconfirmed" as const },
  );
  return { ...push, result: { ...result, hosts }, missesMayCome: true };
}

interface Place {
  readonly host: string;
  readonly slot: string;
  readonly value: number;
  readonly old: number;
}

/** Looks at one slot of one host, and notes what the order of commits must be. */
function problemOf(
  { host, slot, value, old }: Place,
  touching: readonly Push[],
  later: Map<number, Set<number>>,
): string | undefined {
  const fates = new Map(touching.map((push) => [push, fateOf(push, host, slot)]));
  const done = touching.filter((push) => fates.get(push) === "done");
  if (value === MIXTURE) return [...fates.values()].includes("unclear") ? undefined : "it is a mixture";
  const source = touching.find(({ number }) => number === value);
  if (source === undefined) {
    if (value !== old) return "no push has made it";
    const overwritten = done.find(({ sender }) => sender !== host);
    return overwritten === undefined ? undefined : `push ${overwritten.number} says that it is done there`;
  }
  const carriers = touching.filter(
    (push) => push !== source && fates.get(push) !== "not done" && mayCarry(push, source, slot),
  );
  if (carriers.length > 0) return undefined;
  if (source.sender !== host && fates.get(source) === "not done")
    return `push ${value} says that it is not there (${reasonAt(source, host)})`;
  for (const push of done) {
    if (push === source || push.sender === host) continue;
    const after = later.get(push.number) ?? new Set();
    later.set(push.number, after.add(value));
  }
  return undefined;
}

/** Whether a push may have sent another one's value: that one has reached the sender before it was read there. */
function mayCarry(push: Push, source: Push, slot: string): boolean {
  if (push.sender === source.sender) return false;
  return source.beganMs <= push.endedMs && fateOf(source, push.sender, slot) !== "not done";
}

function fateOf({ sender, result, omitted, missesMayCome }: Push, host: string, slot: string): Fate {
  if (sender === host) return "done";
  if (result === undefined) return "unclear";
  if (result.aborted !== undefined) return "not done";
  if (omitted.some((one) => one.slot === slot && ["", host].includes(one.host))) return "unclear";
  const verdict = result.hosts.find((one) => one.host === host);
  if (verdict === undefined) return missesMayCome === true ? "unclear" : "not done";
  if (verdict.outcome === "done") return "done";
  // After a failure in the middle of the switch some slots are new, and the reason names one that is not.
  const isPartly = verdict.outcome === "unconfirmed" || verdict.cause?.when !== "before";
  return isPartly ? "unclear" : "not done";
}

function reasonAt({ result }: Push, host: string): string {
  if (result?.aborted !== undefined) return `aborted: ${result.aborted}`;
  return result?.hosts.find((one) => one.host === host)?.reason ?? "it was no member";
}

/** Status 0 says that all hosts have it. */
function wrongStatus({ number, result }: Push): string[] {
  if (result === undefined) return [];
  const isAllDone = result.hosts.every(({ outcome }) => outcome === "done");
  if (result.exitStatus === 0 && !isAllDone) return [`push ${number} ends with 0: ${JSON.stringify(result)}`];
  return [];
}

/** @returns numbers that would have to come before themselves */
function circleIn(later: ReadonlyMap<number, ReadonlySet<number>>): number[] | undefined {
  const isOver = new Set<number>();
  const walk = (number: number, way: readonly number[]): number[] | undefined => {
    if (way.includes(number)) return [...way.slice(way.indexOf(number)), number];
    if (isOver.has(number)) return undefined;
    for (const next of later.get(number) ?? []) {
      const found = walk(next, [...way, number]);
      if (found !== undefined) return found;
    }
    isOver.add(number);
    return undefined;
  };
  for (const number of later.keys()) {
    const found = walk(number, []);
    if (found !== undefined) return found;
  }
  return undefined;
}
