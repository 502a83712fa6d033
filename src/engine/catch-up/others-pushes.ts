/**
 * Pushes that are for some hosts only. One may have taken effect on a host that it is not for: on its sender, or on one that had
 * another name or label then. Nobody knows that but this host.
 */
import type { Publication } from "../../wire/publication.ts";
import { type Addressee, covers, isEarlier, isFor, overlap } from "./scopes.ts";

/** A publication in a log, and what is known of its effect there. */
interface Known {
  readonly publication: Publication;
  readonly here: { readonly atMs: number | undefined; readonly list: string };
}

/**
 * A publication takes effect on a node. A later one that is not for it does not hold that up, and loses its paths.
 *
 * @returns those later ones that have taken effect on it until now
 */
export function overtakenBy<K extends Known>(
  publication: Publication,
  kept: readonly K[],
  isForSelf: (one: Publication) => boolean,
): K[] {
  return kept.filter(
    ({ publication: later, here }) =>
      here.atMs !== undefined &&
      isEarlier(publication, later) &&
      overlap(publication.scope, later.scope) &&
      !isForSelf(later),
  );
}

/**
 * Whether the tree has something later of the same paths that is not for those who ask, and that the log has left out for a publication
 * which has not taken effect here.
 */
export function hasHidden(
  publication: Publication,
  { all, former }: { readonly all: readonly Known[]; readonly former: readonly Known[] },
  asking: readonly Addressee[],
): boolean {
  const isReplaced = (one: Publication) =>
    all.some(
      ({ publication: later, here }) =>
        here.atMs !== undefined && isEarlier(one, later) && covers(later, one),
    );
  return former.some(
    ({ publication: hidden, here }) =>
      (here.atMs !== undefined || here.list !== "") &&
      isEarlier(publication, hidden) &&
      overlap(publication.scope, hidden.scope) &&
      !asking.every((host) => isFor(hidden.scope, host)) &&
      !isReplaced(hidden),
  );
}

/** Whether there is a later publication of some of the same paths that is not for a host. */
export function isFollowedForOthers(all: readonly Known[], position: number, host: Addressee): boolean {
  const one = all[position]?.publication;
  return all.some(
    ({ publication }, later) =>
      later > position &&
      one !== undefined &&
      overlap(publication.scope, one.scope) &&
      !isFor(publication.scope, host),
  );
}
