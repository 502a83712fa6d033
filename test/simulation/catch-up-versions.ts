import { type Here, PublicationLog, publicationName } from "../../src/engine/catch-up/publication-log.ts";
import type { CatchUp } from "../../src/engine/catch-up/catch-up.ts";
import type { CommitOrder } from "../../src/engine/commit-order.ts";
import type { Effect, Member } from "../../src/engine/types.ts";
import { type Addressee, isFor } from "../../src/engine/catch-up/scopes.ts";
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

/** A node as the words of -t name it. */
export function addressee({ number, hostName }: Pick<SimulatedNode, "number" | "hostName">): Addressee {
  return { hostName, ip: `10.0.0.${number}`, labels: [] };
}

/** A node as others know it. */
export function fellow(node: SimulatedNode): Member {
  const { nodeId, epoch } = node;
  const { hostName, ip, labels } = addressee(node);
  const names = { hostName, version: "1", protocol: 3, receives: true, sends: true };
  return { nodeId, epoch, address: { ip, port: 5000 }, info: { ...names, labels }, joinedMs: 0 };
}

/** Whether a version is one of a push for a node. */
export function isForNode(version: Version | undefined, node: SimulatedNode): boolean {
  return version?.publication !== undefined && isFor(version.publication.scope, addressee(node));
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
  hostName: string;
  epoch: string;
  /** Paths that its own patterns exclude. */
  excludes: ReadonlySet<string>;
  /** Nothing can be written on its disk. */
  isFull: boolean;
  /** Its process stands still until then; what arrives waits for it. */
  pausedUntilMs: number;
  tree: Map<string, Version>;
  /** The last publication of each path on this node, whatever somebody has made of the path since. */
  listed: Map<string, Publication>;
  /** All paths that each publication has brought here, by its name. */
  lists: Map<string, Set<string>>;
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
export function isWhole({ listed, tree }: SimulatedNode, publication: Publication): boolean {
  return [...listed].every(
    ([path, last]) => !isSamePublication(last, publication) || tree.get(path)?.publication === last,
  );
}

/** Whether it can bring it to a node that lacks some: also what these have replaced of it has to be there. */
export function isWholeWith(
  { listed, lists, tree }: SimulatedNode,
  publication: Publication,
  lacked: readonly Publication[],
): boolean {
  return [...(lists.get(publicationName(publication)) ?? [])].every((path) => {
    const last = listed.get(path);
    const isLacked = lacked.some((one) => isSamePublication(one, last));
    return !isLacked || tree.get(path)?.publication === last;
  });
}

/** A publication has brought a path to a node, or has left it alone there because of its patterns. */
export function noteListed(node: SimulatedNode, path: string, publication: Publication): void {
  const name = publicationName(publication);
  const paths = node.lists.get(name) ?? new Set();
  node.lists.set(name, paths.add(path));
  node.listed.set(path, publication);
}

/** The files of a node are lost, and so is all that its lists say of them. */
export function forgetTree(node: SimulatedNode): void {
  Object.assign(node, { tree: new Map(), listed: new Map(), lists: new Map() });
}

export const PATHS = ["a", "b", "d/x", "d/y", "e/z"];
export const ALL: Pick<
  Scope,
  "syncs" | "sendsAttributes" | "isPartial" | "excludes" | "targets" | "excepts"
> = {
  ...{ syncs: false, sendsAttributes: false, isPartial: false, excludes: [], targets: [], excepts: [] },
};

/** The scope of a push. */
export function scopeOf(paths: string[], deletes: boolean, limits: Partial<Scope>): Scope {
  const isTree = paths.length === 1 && !PATHS.includes(paths[0] ?? "");
  return { ...ALL, paths, recursive: isTree, deletes: isTree && deletes ? "also" : "nothing", ...limits };
}

/** The paths of this simulation in a scope. */
export function within({ paths, excludes }: Scope): string[] {
  const isBelow = (path: string) =>
    paths.some((above) => above === "" || path === above || path.startsWith(`${above}/`));
  return PATHS.filter((path) => isBelow(path) && !excludes.includes(path));
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

/** The last publication of a path that any node has, and that is for one of them. */
export function lastFor(
  one: SimulatedNode,
  nodes: readonly SimulatedNode[],
  path: string,
): Version | undefined {
  let last: Version | undefined;
  for (const node of nodes) {
    const version = node.tree.get(path);
    if (version?.publication === undefined || !isForNode(version, one)) continue;
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
