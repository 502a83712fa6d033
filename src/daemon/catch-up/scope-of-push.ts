/** Makes the scope of a push, and the request of a transfer that serves others. */
import type { SendRequest } from "../../console/protocol.ts";
import type { Kept } from "../../engine/catch-up/publication-log.ts";
import type { InboundKey } from "../../engine/types.ts";
import type { Origin } from "../../wire/origin.ts";
import { directoryOf } from "../../wire/path-rules.ts";
import { isSmallEnough, type Publication, type Scope } from "../../wire/publication.ts";
import { normalizePath } from "../../wire/request-paths.ts";
import type { DriftLook, NamedList, SourceRules } from "../disk/messages.ts";

/**
 * The scope of a push. If it has too many paths to travel, the directories above them stand for them: the list of what was
 * published says exactly what is handed on.
 *
 * @param request its paths are below the base directory, as pathsOfPush() makes them
 * @returns undefined if it is still too large, because of its patterns
 */
export function scopeOfPush(request: SendRequest, rules: SourceRules): Scope | undefined {
  const deletes = rules.deletes !== "nothing" || rules.syncs;
  let scope: Scope = {
    paths: [...new Set(request.paths.map(normalizePath))].sort(),
    recursive: request.recursive,
    deletes: rules.deletes,
    syncs: rules.syncs,
    sendsAttributes: rules.sendsAttributes,
    isPartial: rules.ownedBy !== undefined,
    excludes: deletes ? [...new Set(rules.excludes)].sort() : [],
    targets: [...request.targets].sort(),
    excepts: [...request.excepts].sort(),
  };
  while (!isSmallEnough(scope) && !scope.paths.includes("")) {
    const paths = [...new Set(scope.paths.map(directoryOf))].sort();
    scope = { ...scope, paths, recursive: true, isPartial: true };
  }
  return isSmallEnough(scope) ? scope : undefined;
}

/**
 * A publication of this host as its members know it, so that all have the same log.
 *
 * @param paths in its manifest: none of those that are not there, or are excluded; undefined if it is about no paths
 * @returns undefined if there are none: then nothing is published
 */
export function asTold<P extends Pick<Publication, "scope">>(
  publication: P,
  paths: readonly string[] | undefined,
): P | undefined {
  if (paths === undefined) return publication;
  return paths.length === 0 ? undefined : { ...publication, scope: { ...publication.scope, paths } };
}

/** What a transfer announces that takes back a publication. */
export function reverseOf({ nodeId, epoch, number, scope }: Publication) {
  // Only names that are gone are deleted where it is brought to others.
  const reversed: Scope = { ...scope, deletes: "nothing", syncs: true };
  return { scope: reversed, undoes: { nodeId, epoch, number } } as const;
}

/** Publications that one transfer can bring: deletes of all of them keep to the same patterns. */
export interface Service {
  readonly positions: readonly number[];
  readonly request: SendRequest;
  readonly rules: SourceRules;
}

/**
 * The transfer for the first of some publications, with all others that go with it.
 *
 * @param all the log
 * @param positions those of which it is made
 * @param lacked all that those who ask lack: also those that another transfer could not bring
 * @param digest of the log
 * @param removedBy reads the paths that are gone because of an undo, by its list
 */
export function serviceOf(
  all: readonly Kept[],
  positions: readonly number[],
  lacked: readonly number[],
  digest: string,
  ownExcludes: readonly string[],
  removedBy: (list: string) => readonly string[],
): Service | undefined {
  const kindOf = ({ scope }: Kept["publication"]) => JSON.stringify([scope.excludes, scope.sendsAttributes]);
  const [first] = positions.map((position) => all[position]);
  if (first === undefined) return undefined;
  const kind = kindOf(first.publication);
  const together = positions.filter((position) => {
    const kept = all[position];
    return kept !== undefined && kindOf(kept.publication) === kind;
  });
  const scopes = together.flatMap((position) => all[position]?.publication.scope ?? []);
  const removed = together.flatMap((position) => {
    const { publication, here } = all[position] as Kept;
    return publication.undoes === undefined || here.list === "" ? [] : removedBy(here.list);
  });
  const paths = [...new Set([...scopes.flatMap((scope) => scope.paths), ...removed])];
  const common = {
    deletes: scopes.some((scope) => scope.deletes !== "nothing") ? ("also" as const) : ("nothing" as const),
    syncs: scopes.some((scope) => scope.syncs),
    // The members that had it have agreed to its deletes.
    isForced: true,
    comparesContents: false,
    isCheck: false,
    sendsAttributes: first.publication.scope.sendsAttributes,
    excludes: [...new Set([...first.publication.scope.excludes, ...ownExcludes])],
  };
  const request: SendRequest = {
    command: "send",
    paths,
    recursive: true,
    dryRun: false,
    allOrNothing: false,
    targets: [],
    excepts: [],
    group: "",
    detail: "none",
    progress: false,
    ...common,
  };
  const published = listsOf(all, new Set(together), new Set(lacked));
  const rules: SourceRules = {
    ...common,
    ownedBy: undefined,
    group: undefined,
    origin: { kind: "catch-up", digest },
    published,
  };
  return { positions: together, request, rules };
}

/** All publications that have taken effect here, in as few scans as they can be compared with the tree. */
export function looksOf(
  all: readonly Kept[],
  ownExcludes: readonly string[],
  removedBy: (list: string) => readonly string[],
): DriftLook[] {
  const looks: DriftLook[] = [];
  let left = [...all.keys()].filter((position) => (all[position]?.here.list ?? "") !== "");
  for (;;) {
    const service = serviceOf(all, left, left, "", ownExcludes, removedBy);
    if (service === undefined) return looks;
    const { request, rules, positions } = service;
    looks.push({ request, rules: { ...rules, origin: undefined } });
    const done = new Set(positions);
    left = left.filter((position) => !done.has(position));
  }
}

/**
 * The lists of this node in the order in which they took effect. Several publications that came together have one list.
 *
 * @param served those that are brought now
 * @param lacked all that those who ask lack: a path that an earlier one leads through may be of a later one
 */
function listsOf(
  all: readonly Kept[],
  served: ReadonlySet<number>,
  lacked: ReadonlySet<number>,
): NamedList[] {
  const lists = new Map<string, NamedList>();
  all.forEach(({ here: { atMs, list } }, position) => {
    if (atMs === undefined || list === "") return;
    const before = lists.get(list);
    const isServed = served.has(position) || before?.isServed === true;
    const isLacked = lacked.has(position) || before?.isLacked === true;
    lists.set(list, { name: list, atMs, isServed, isLacked });
  });
  return [...lists.values()].sort((a, b) => a.atMs - b.atMs);
}

/** What a transfer publishes; undefined if it publishes nothing. */
export function publicationOf(
  origin: Origin | undefined,
  { epoch, transfer: number }: InboundKey,
  place: number | undefined,
): Publication | undefined {
  if (origin === undefined || origin.kind === "catch-up" || place === undefined) return undefined;
  return { ...origin.announced, epoch, number, place };
}
