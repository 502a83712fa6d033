import { type Here, PublicationLog, publicationName } from "../../src/engine/catch-up/publication-log.ts";
import type { CatchUp } from "../../src/engine/catch-up/catch-up.ts";
import type { CommitOrder } from "../../src/engine/commit-order.ts";
import type { Effect, Member } from "../../src/engine/types.ts";
import type { Publication, Scope } from "../../src/wire/publication.ts";

/** The version of a path: the publication that has brought it, or a change by hand. */
export interface Version {
  /** Undefined for a change by hand. */
  readonly publication: Publication | undefined;
  readonly isDeleted: boolean;
}

export function done(atMs: number, list: string): Here {
  return { atMs, list, reason: "" };
}

export function isSamePublication(a: Publication, b: Publication | undefined): boolean {
  return b !== undefined && publicationName(a) === publicationName(b);
}

export function isBefore(a: Publication, b: Publication): boolean {
  if (a.place !== b.place) return a.place < b.place;
  return a.epoch === b.epoch ? a.number < b.number : a.epoch < b.epoch;
}

export function isSame(a: Version | undefined, b: Version | undefined): boolean {
  // Nothing tells a path that was deleted from one that never was.
  if (b === undefined || b.isDeleted) return a === undefined || a.isDeleted || a.publication === undefined;
  return a?.publication === b.publication || a?.publication === undefined;
}

export function describe(version: Version | undefined): string {
  if (version === undefined) return "nothing";
  const { publication, isDeleted } = version;
  const name = publication === undefined ? "by hand" : `${publication.place} ${publicationName(publication)}`;
  return `${isDeleted ? "deleted " : ""}${name}`;
}

/** A node as others know it. */
export function fellow({ number, nodeId, epoch }: { number: number; nodeId: string; epoch: string }): Member {
  const names = { hostName: `host${number}`, version: "1", protocol: 3, receives: true, sends: true };
  const address = { ip: `10.0.0.${number}`, port: 5000 };
  return { nodeId, epoch, address, info: { ...names, labels: [] }, joinedMs: 0 };
}

/** Deliberate errors of this world, to see its oracles fail. */
export type CatchUpBug =
  | "done-before-log"
  | "serves-older"
  | "newcomer-is-current"
  | "forgets-delete"
  | "stale-ready"
  | "both-halves-win"
  | "overwrites-later"
  | undefined;

/** An area: a publication that may have been committed elsewhere, and the versions that it brings. */
export interface Ready {
  readonly publication: Publication;
  readonly versions: ReadonlyMap<string, Version>;
}

/** A member as a node knows it, when it was heard last. */
export interface Known {
  readonly node: SimulatedNode;
  readonly member: Member;
  heardMs: number;
}

export interface SimulatedNode {
  readonly number: number;
  readonly nodeId: string;
  epoch: string;
  tree: Map<string, Version>;
  /** The last publication of each path on this node, whatever somebody has made of the path since. */
  listed: Map<string, Publication>;
  /** What is on the disk of the log: it outlives a loss of power. */
  disk: { publication: Publication; here: Here }[];
  log: PublicationLog;
  catchUp: CatchUp;
  places: CommitOrder;
  effects: Effect[];
  isUp: boolean;
  half: number;
  /** The members that it knows, by their epochs. */
  members: Map<string, Known>;
  nextAliveMs: number;
  lastTransfer: number;
  /** The state of its log by which the last transfer was made that was brought to it. */
  lastState: number;
  /** The area of a transfer that was ready when the node lost its power. */
  ready: Ready | undefined;
}

/** Whether a node has all that a publication has left on it, as it was published. */
export function isWhole({ listed, tree }: SimulatedNode, publication: Publication | undefined): boolean {
  return [...listed].every(
    ([path, last]) => !isSamePublication(last, publication) || tree.get(path)?.publication === last,
  );
}

export const PATHS = ["a", "b", "d/x", "d/y", "e/z"];
export const ALL: Pick<
  Scope,
  "syncs" | "sendsAttributes" | "isPartial" | "excludes" | "targets" | "excepts"
> = {
  ...{ syncs: false, sendsAttributes: false, isPartial: false, excludes: [], targets: [], excepts: [] },
};

/** The paths of this simulation in a scope. */
export function within(scope: Scope): string[] {
  return PATHS.filter((path) =>
    scope.paths.some((above) => above === "" || path === above || path.startsWith(`${above}/`)),
  );
}

/** What a push brings to each path in its scope, from the tree of its sender. */
export function versionsOf(node: SimulatedNode, publication: Publication): Map<string, Version> {
  const versions = new Map<string, Version>();
  for (const path of within(publication.scope)) {
    const isDeleted = node.tree.get(path) === undefined || node.tree.get(path)?.isDeleted === true;
    if (!isDeleted || publication.scope.deletes !== "nothing") versions.set(path, { publication, isDeleted });
  }
  return versions;
}

/** The last publication of a path that any node has. */
export function lastOf(nodes: readonly SimulatedNode[], path: string): Version | undefined {
  let last: Version | undefined;
  for (const node of nodes) {
    const version = node.tree.get(path);
    if (version?.publication === undefined) continue;
    if (last?.publication === undefined || isBefore(last.publication, version.publication)) last = version;
  }
  return last;
}

/** A deliberate error: a tree that is pushed again is taken to bring what an earlier push has deleted in it. */
export class ForgetfulLog extends PublicationLog {
  protected override leavesNothing(later: Publication, earlier: Publication): boolean {
    const [after, before] = [later.scope, earlier.scope];
    const isWithin = before.paths.every((path) => after.paths.includes(path));
    return super.leavesNothing(later, earlier) || (after.recursive && before.deletes === "also" && isWithin);
  }
}
