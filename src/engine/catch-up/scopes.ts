/** Comparisons of scopes: which one covers another, which ones overlap, and whom a publication is for. */
import { DecodeError } from "../../base/bytes.ts";
import { compileGlob, matches } from "../../base/glob.ts";
import type { Publication, Scope } from "../../wire/publication.ts";

/** How people can name a host. */
export interface Addressee {
  readonly hostName: string;
  readonly ip: string;
  readonly labels: readonly string[];
}

/** Whether one publication comes before another one, in the order that all nodes agree on. */
export function isEarlier(a: Publication, b: Publication): boolean {
  if (a.place !== b.place) return a.place < b.place;
  if (a.epoch !== b.epoch) return a.epoch < b.epoch;
  return a.number < b.number;
}

/** Whether one path is another one or lies below it. */
function isWithin(path: string, above: string): boolean {
  return above === "" || path === above || path.startsWith(`${above}/`);
}

/** Whether two scopes may be about the same entry. A path of either may be a directory. */
export function overlap(a: Scope, b: Scope): boolean {
  return a.paths.some((one) => b.paths.some((other) => isWithin(one, other) || isWithin(other, one)));
}

/**
 * Whether a later publication leaves nothing of an earlier one: each entry of the earlier one is named by the later one,
 * or deleted by it, at all hosts that the earlier one was for. The paths of a scope exist on its sender, or are deleted. One that
 * takes back another says nothing of the paths that this has left alone, so it covers none.
 */
export function covers(later: Publication, earlier: Publication): boolean {
  const [after, before] = [later.scope, earlier.scope];
  if (later.undoes !== undefined) return false;
  if (!isForAll(after) && !(areSame(after.targets, before.targets) && areSame(after.excepts, before.excepts)))
    return false;
  if (before.sendsAttributes && !after.sendsAttributes) return false;
  // Each condition holds from the first to the third of three if it does from each to the next. So what a log has in the end does not
  // depend on the order in which its node has heard of the publications.
  if (!isSubset(after.excludes, before.excludes)) return false;
  if (isNamedAgain(after, before)) return true;
  const isExact = after.recursive && after.deletes === "also" && !after.isPartial;
  if (!isExact) return false;
  return before.paths.every((path) => after.paths.some((above) => isWithin(path, above)));
}

/**
 * Whether all that was pushed by its name is named again. A tree that is pushed again without a delete is none of that: what its
 * sender has removed meanwhile is still as it was published.
 */
function isNamedAgain(after: Scope, before: Scope): boolean {
  return (
    !before.recursive && !after.isPartial && after.deletes !== "only" && isSubset(before.paths, after.paths)
  );
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}

function isSubset(some: readonly string[], all: readonly string[]): boolean {
  return some.every((text) => all.includes(text));
}

/** Whether a publication is for every host. */
export function isForAll({ targets, excepts }: Scope): boolean {
  return targets.length === 0 && excepts.length === 0;
}

/** Whether a publication is for a host, by the words of -t and --except. */
export function isFor(scope: Scope, host: Addressee): boolean {
  if (scope.targets.length > 0 && !scope.targets.some((word) => meets(host, word))) return false;
  return !scope.excepts.some((word) => meets(host, word));
}

/** Whether a word of -t or --except means a host. A pattern that is not valid means none. */
function meets({ hostName, ip, labels }: Addressee, word: string): boolean {
  const isLabel = word.startsWith("@");
  const texts = isLabel ? labels : [hostName, ip, `${hostName}(${ip})`];
  const pattern = isLabel ? word.slice(1) : word;
  if (texts.includes(pattern)) return true;
  try {
    const glob = compileGlob(pattern);
    return texts.some((text) => matches(glob, text));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return false;
  }
}
