/** Chooses the publication that `msync --undo` takes back. */
import type { Publication, PublicationId } from "../../wire/publication.ts";
import { inboundName } from "../types.ts";
import { type PublicationLog, publicationName } from "./publication-log.ts";
import { isEarlier, overlap } from "./scopes.ts";

/** What is to be taken back, or why nothing can be. */
export type UndoChoice =
  | { readonly kind: "chosen"; readonly publication: Publication }
  /** There is none that is not taken back already. */
  | { readonly kind: "nothing" }
  /** None has this id. */
  | { readonly kind: "unknown" }
  /** Several have an id that begins so. */
  | { readonly kind: "ambiguous"; readonly count: number }
  /** Another publication has taken it back. */
  | { readonly kind: "undone"; readonly publication: Publication; readonly by: Publication }
  /** A later one has changed some of the same paths. */
  | { readonly kind: "followed"; readonly publication: Publication; readonly by: Publication };

/** The id of a publication, as people see it: the name of its transfer. */
export function idOf({ epoch, number }: Pick<PublicationId, "epoch" | "number">): string {
  return inboundName({ epoch, transfer: number });
}

/**
 * Chooses what to take back (PROTOCOL.md 9.6).
 *
 * @param publications all that are known, in any order
 * @param given the beginning of an id, in letters of any case; empty for the last push that is not taken back
 */
export function chooseUndo(publications: readonly Publication[], given: string): UndoChoice {
  const known = new Effects(publications);
  const id = given.toLowerCase();
  if (id === "") {
    const last = known.inOrder.findLast((one) => one.undoes === undefined && known.isLive(one));
    return last === undefined ? { kind: "nothing" } : known.choose(last);
  }
  const exact = known.inOrder.filter((one) => idOf(one) === id);
  const found = exact.length > 0 ? exact : known.inOrder.filter((one) => idOf(one).startsWith(id));
  const [first] = found;
  if (first === undefined) return { kind: "unknown" };
  return found.length > 1 ? { kind: "ambiguous", count: found.length } : known.choose(first);
}

/**
 * What keeps a publication from being taken back that another node has chosen. A node forgets those that a later one has covered, and
 * one that was away never hears of them. So members hold the choice against all that they know themselves.
 *
 * @param undo the one that is to take it back, where that may be in the log already: other nodes may have switched before
 * @returns undefined if nothing does, as far as this node knows
 */
export function obstacleTo(
  log: PublicationLog,
  undone: PublicationId,
  undo?: Pick<PublicationId, "epoch" | "number">,
): Publication | undefined {
  const itself = undo && idOf(undo);
  const known = [...log.former, ...log.all].flatMap(({ publication }) =>
    idOf(publication) === itself ? [] : publication,
  );
  const choice = chooseUndo(known, idOf(undone));
  if (choice.kind === "undone" || choice.kind === "followed") return choice.by;
  const isOther = choice.kind === "chosen" && idOf(choice.publication) !== idOf(undone);
  return isOther ? choice.publication : undefined;
}

/** An undo that this host gets from another one, by the names of their transfers. */
export interface FollowedUndo {
  readonly undo: string;
  /** The push that it takes back. */
  readonly undone: string;
}

/**
 * The undo that a transfer brings which catches this host up: the only publication that it lacks. Its reverse is then the reverse
 * of the undo, because the push has been here until now. With others, nobody could tell apart what they replace.
 *
 * @returns undefined if it brings none, or others as well
 */
export function followedUndo(log: PublicationLog | undefined): FollowedUndo | undefined {
  if (log === undefined) return undefined;
  const [position, ...others] = log.missing;
  const lacking = position === undefined ? undefined : log.all[position]?.publication;
  if (lacking?.undoes === undefined || others.length > 0) return undefined;
  const name = publicationName(lacking.undoes);
  const isThis = (one: Publication) => publicationName(one) === name;
  const undone = [...log.all, ...log.former].find(({ publication }) => isThis(publication));
  if (undone?.here.atMs === undefined) return undefined;
  return { undo: idOf(lacking), undone: idOf(lacking.undoes) };
}

/** Which publications are in effect: those that no other one in effect has taken back. */
class Effects {
  /** All publications, the earliest first. */
  readonly inOrder: readonly Publication[];
  private readonly undoers = new Map<string, Publication[]>();
  private readonly live = new Set<Publication>();

  constructor(publications: readonly Publication[]) {
    this.inOrder = [...publications].sort((a, b) => (isEarlier(a, b) ? -1 : 1));
    for (const one of this.inOrder) {
      if (one.undoes === undefined) continue;
      const name = publicationName(one.undoes);
      this.undoers.set(name, [...(this.undoers.get(name) ?? []), one]);
    }
    // One that takes back another is always later than that.
    for (const one of this.inOrder.toReversed())
      if (this.undoersOf(one).every((undoer) => !this.live.has(undoer))) this.live.add(one);
  }

  isLive(publication: Publication): boolean {
    return this.live.has(publication);
  }

  choose(publication: Publication): UndoChoice {
    const by = this.undoersOf(publication).find((undoer) => this.isLive(undoer));
    if (by !== undefined) return { kind: "undone", publication, by };
    const target = this.lastOf(publication);
    const later = this.inOrder.findLast((one) => this.isInTheWay(one, target));
    if (later !== undefined) return { kind: "followed", publication: target, by: later };
    return { kind: "chosen", publication: target };
  }

  /** One that was taken back and brought again: what brought it again is what has to be taken back. */
  private lastOf(publication: Publication): Publication {
    const undone = this.undoersOf(publication).at(-1);
    const again = undone && this.undoersOf(undone).find((undoer) => this.isLive(undoer));
    return again === undefined ? publication : this.lastOf(again);
  }

  private isInTheWay(one: Publication, target: Publication): boolean {
    if (!isEarlier(target, one) || !this.isLive(one) || !overlap(one.scope, target.scope)) return false;
    // With the one that it has taken back, it leaves everything as it was before both.
    const { undoes } = one;
    const undone = undoes && this.inOrder.find((other) => publicationName(other) === publicationName(undoes));
    return undone === undefined || !isEarlier(target, undone);
  }

  private undoersOf(publication: PublicationId): readonly Publication[] {
    return this.undoers.get(publicationName(publication)) ?? [];
  }
}
