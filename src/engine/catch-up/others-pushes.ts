/**
 * Pushes that are for some hosts only. One may have taken effect on a host that it is not for: on its sender, or on one that had
 * another name or label then. Nobody knows that but this host.
 */
import type { Publication } from "../../wire/publication.ts";
import { type Addressee, covers, isEarlier, isFor, isForAll, overlap } from "./scopes.ts";

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

/** A member that may take part in a transfer which serves, and what it lacks of that. */
export interface Taking {
  /** Positions in the log. */
  readonly lacks: ReadonlySet<number>;
  /** The publications that are not for it. */
  readonly others: ReadonlySet<Publication>;
}

/** The later publications of the same paths that are for some hosts only, of each position in a log, each looked for once. */
export class LaterForSome {
  private readonly all: readonly Known[];
  private readonly forSome: readonly (readonly [number, Publication])[];
  private readonly found = new Map<number, readonly Publication[]>();

  constructor(all: readonly Known[]) {
    this.all = all;
    this.forSome = all.flatMap(({ publication }, position) =>
      isForAll(publication.scope) ? [] : [[position, publication] as const],
    );
  }

  /** A host that lacks some positions. */
  taking(lacks: readonly number[], host: Addressee): Taking {
    const others = this.forSome.flatMap(([, one]) => (isFor(one.scope, host) ? [] : [one]));
    return { lacks: new Set(lacks), others: new Set(others) };
  }

  /** Whether one of these positions would take a later publication of others from a host that does not lack that position. */
  undoes(positions: readonly number[], { lacks, others }: Taking): boolean {
    if (others.size === 0) return false;
    return positions.some(
      (position) => !lacks.has(position) && this.after(position).some((later) => others.has(later)),
    );
  }

  private after(position: number): readonly Publication[] {
    const known = this.found.get(position);
    if (known !== undefined) return known;
    const scope = this.all[position]?.publication.scope;
    const after = this.forSome.flatMap(([later, publication]) =>
      scope !== undefined && later > position && overlap(publication.scope, scope) ? [publication] : [],
    );
    this.found.set(position, after);
    return after;
  }
}
