/** The log of publications of one node: those that it knows, and their state on this node. */
import { LOG_BYTES, PUBLICATION_DAYS, PUBLICATIONS } from "../../wire/limits.ts";
import type { Publication, PublicationId } from "../../wire/publication.ts";
import { digestOf, encoded } from "./log-bytes.ts";
import { LogHistory } from "./log-history.ts";
import { hasHidden, overtakenBy } from "./others-pushes.ts";
import { type Addressee, covers, isEarlier, isFor, isForAll, overlap } from "./scopes.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** So many publications that later ones have covered are remembered: as many as a host can keep the former files of. */
export const FORMER = 100;

/** The state of a publication on this node. */
export interface Here {
  /** When it took effect, in milliseconds since 1970 by the clock of this host; undefined if it has not. */
  readonly atMs: number | undefined;
  /** The file with the paths that it has brought here; empty if that is not known. If it has not taken effect: what may be there still. */
  readonly list: string;
  /** Why it has not taken effect; empty if that is not known, or if it has. */
  readonly reason: string;
}

/** A publication with its state on this node. */
export interface Kept {
  readonly publication: Publication;
  here: Here;
}

/** Why a member does not serve something that it has not got itself. */
export const LACKS_IT = "this host lacks it, too";

/** The name of no list. */
const UNKNOWN_LIST = "-";

export const MISSED: Here = { atMs: undefined, list: "", reason: "" };

export function publicationName({ nodeId, epoch, number }: PublicationId): string {
  return `${nodeId}-${epoch}-${number}`;
}

/**
 * The publications that a node knows, in their order. One that a later one covers is left out, so the log is small where the
 * same is pushed again and again. All nodes that know the same publications have the same log.
 */
export class PublicationLog {
  private readonly self: Addressee;
  private readonly receives: boolean;
  private kept: Kept[] = [];
  private covered: Kept[] = [];
  private readonly overtaken: Kept[] = [];
  private lacking: { readonly version: number; readonly count: number; readonly hash: number } | undefined;
  private snapshot: { digest: string; bytes: Uint8Array } | undefined;
  private readonly history = new LogHistory();
  /** The state before which publications that took effect here were forgotten, because too many were covered. */
  private forgotten = 0;
  /** Grows with each change. */
  version = 0;

  /**
   * @param self this host, as the words of -t name it
   * @param receives whether it receives anything at all
   */
  constructor(self: Addressee, receives = true) {
    this.self = self;
    this.receives = receives;
  }

  /** All publications, in their order. */
  get all(): readonly Kept[] {
    return this.kept;
  }

  /** The last publications that later ones have covered. They are not compared, but they can be taken back. */
  get former(): readonly Kept[] {
    return this.covered;
  }

  /** Adds a publication that a later one has covered. */
  addFormer(kept: Kept): void {
    const name = publicationName(kept.publication);
    if (this.covered.some(({ publication }) => publicationName(publication) === name)) return;
    this.covered.push(kept);
    const [oldest] = this.covered;
    if (this.covered.length <= FORMER || oldest === undefined) return;
    this.covered.shift();
    if (oldest.here.atMs !== undefined) this.forgotten = this.history.stateNow;
  }

  /** The log has another digest than before: what it knows now can be asked for by this one. */
  noteState(): void {
    this.history.noteState(this.digest);
  }

  /** A number that grows with what a log knows; undefined if this log never had that digest, or too long ago. */
  stateOf(digest: string): number | undefined {
    return this.history.numberOf(digest);
  }

  /**
   * The publications that have taken effect here, and were not known in a former state of this log. A transfer that was made by that
   * state brings nothing of them, and what it brings of their paths is older.
   *
   * @param state as stateOf() says
   * @returns undefined if that is not known any more
   */
  effectiveSince(state: number): Kept[] | undefined {
    const isSince = ({ publication }: Kept) => this.history.isSince(publication, state);
    const kept = this.kept.filter(isSince);
    const effective = kept.filter(({ here }) => here.atMs !== undefined);
    if (effective.length === kept.length) return effective;
    // Publications may be covered by one that has not taken effect, also those that were forgotten.
    if (this.forgotten > state) return undefined;
    const isLeft = ({ publication }: Kept) =>
      !effective.some(
        (later) =>
          isEarlier(publication, later.publication) && this.leavesNothing(later.publication, publication),
      );
    const covered = this.covered.filter((one) => one.here.atMs !== undefined && isSince(one));
    return [...effective, ...covered.filter(isLeft)];
  }

  get highestPlace(): number {
    return this.kept.at(-1)?.publication.place ?? 0;
  }

  find({ nodeId, epoch, number }: PublicationId): Kept | undefined {
    return this.kept.find(
      ({ publication }) =>
        publication.number === number && publication.epoch === epoch && publication.nodeId === nodeId,
    );
  }

  /**
   * Adds a publication, or says that one has taken effect.
   *
   * @returns whether that has changed anything
   */
  add(publication: Publication, here: Here): boolean {
    const known = this.find(publication);
    if (known === undefined) this.history.noteKnown(publication);
    if (known !== undefined) {
      if (here === MISSED || (known.here.atMs !== undefined && here.atMs === undefined)) return false;
      known.here = here;
      this.noteOvertaken(publication, here);
      this.version++;
      return true;
    }
    if (
      this.kept.some(
        (other) =>
          isEarlier(publication, other.publication) && this.leavesNothing(other.publication, publication),
      )
    ) {
      this.addFormer({ publication, here });
      return false;
    }
    const isCovered = (other: Kept) =>
      isEarlier(other.publication, publication) && this.leavesNothing(publication, other.publication);
    for (const other of this.kept.filter(isCovered)) this.addFormer(other);
    this.kept = this.kept.filter((other) => !isCovered(other));
    let index = this.kept.length;
    while (index > 0 && isEarlier(publication, (this.kept[index - 1] as Kept).publication)) index--;
    this.kept.splice(index, 0, { publication, here });
    this.noteOvertaken(publication, here);
    this.bound();
    this.changed();
    return true;
  }

  /** A publication has taken effect here: what it has overtaken has not, any more. */
  private noteOvertaken(publication: Publication, { atMs }: Here): void {
    if (atMs === undefined) return;
    for (const later of overtakenBy(publication, this.kept, (one) => this.isForSelf(one))) {
      // Its list says that something of it may be there still.
      later.here = { ...MISSED, list: later.here.list === "" ? UNKNOWN_LIST : later.here.list };
      this.overtaken.push(later);
    }
  }

  /** Those that have been overtaken since the last call: the disk has to know that, too. */
  takeOvertaken(): Kept[] {
    return this.overtaken.splice(0);
  }

  /** A publication was in this state last, by the disk. */
  restore(publication: Publication, here: Here): void {
    const known = this.find(publication);
    if (known === undefined) this.add(publication, here);
    else known.here = here;
    this.version++;
  }

  /**
   * Forgets publications that are too old. The clocks of the hosts that have pushed may have been wrong, and so may be that of this
   * one: no publication counts as older than one before it, and the time is at most that of the last one.
   */
  expire(nowMs: number): void {
    const before = this.kept.length;
    let newestMs = 0;
    const ages = this.kept.map(({ publication }) => (newestMs = Math.max(newestMs, publication.timeMs)));
    const oldestMs = Math.min(nowMs, newestMs) - PUBLICATION_DAYS * DAY_MS;
    this.covered = this.covered.filter(({ publication }) => publication.timeMs > oldestMs);
    this.kept = this.kept.filter((_, index) => ages[index]! > oldestMs);
    if (this.kept.length !== before) this.changed();
  }

  /**
   * The clock of this host has been set back. Changes of files from now on look as if they were earlier than these publications, so
   * nobody can tell what was changed by hand since: this host does not hand them on.
   *
   * @param mostMs the latest time that can be right, in milliseconds since 1970
   * @returns how many there are
   */
  distrust(mostMs: number): number {
    const wrong = this.kept.filter(({ here }) => here.list !== "" && (here.atMs ?? 0) > mostMs);
    for (const kept of wrong) kept.here = { ...kept.here, list: "" };
    if (wrong.length > 0) this.version++;
    return wrong.length;
  }

  /** Nothing is known of the tree any more: no publication has taken effect. */
  forgetEffects(): void {
    for (const kept of this.kept) kept.here = MISSED;
    this.version++;
  }

  /**
   * Publications are not as published here any more.
   *
   * @param lists the names of their lists
   * @returns those that have taken effect until now
   */
  forgetLists(lists: ReadonlySet<string>, reason: string): Kept[] {
    const lost = this.kept.filter(({ here }) => here.atMs !== undefined && lists.has(here.list));
    for (const kept of lost) kept.here = { ...MISSED, reason };
    if (lost.length > 0) this.version++;
    return lost;
  }

  /** Of the lists, those that have these names are there still. */
  keepLists(names: ReadonlySet<string>): void {
    for (const kept of this.kept)
      if (kept.here.atMs !== undefined && kept.here.list !== "" && !names.has(kept.here.list))
        kept.here = { ...kept.here, list: "" };
    this.version++;
  }

  /** Whether a publication is for this node. */
  isForSelf({ scope }: Publication): boolean {
    return this.receives && isFor(scope, this.self);
  }

  /** The publications for this node that have not taken effect on it, by their positions. */
  get missing(): number[] {
    const missing: number[] = [];
    this.kept.forEach(({ publication, here }, position) => {
      if (here.atMs === undefined && this.isForSelf(publication)) missing.push(position);
    });
    return missing;
  }

  /**
   * Whether there is a later publication of some of the same paths. Also where that has not taken effect here, it may cover one that
   * has, and that the log has left out for it.
   */
  isSucceeded(position: number): boolean {
    const scope = this.kept[position]?.publication.scope;
    return this.kept.some(
      ({ publication }, later) =>
        later > position && scope !== undefined && overlap(publication.scope, scope),
    );
  }

  /** A hash of the missing publications, as nodes tell it; 0 if there are none. */
  get lacks(): number {
    const { missing, version } = this;
    if (missing.length === 0) return 0;
    if (this.lacking?.version === version && this.lacking.count === missing.length) return this.lacking.hash;
    let hash = 0x811c9dc5;
    for (const position of missing)
      for (const byte of encoded((this.kept[position] as Kept).publication))
        hash = Math.imul(hash ^ byte, 0x01000193);
    this.lacking = { version, count: missing.length, hash: hash >>> 0 };
    return this.lacking.hash;
  }

  /** The digest of the whole log: 16 hexadecimal digits. */
  get digest(): string {
    return this.encoded().digest;
  }

  /** The whole log as it is sent to others. */
  get bytes(): Uint8Array {
    return this.encoded().bytes;
  }

  /**
   * Whether this node can hand on a publication: it has taken effect here, and of the later ones that overlap it just those that
   * are for all who ask, and their lists are known. So nothing goes back to an earlier version, and nobody gets what is for others.
   *
   * @returns why not; undefined if it can
   */
  whyNotServed(position: number, asking: readonly Addressee[]): string | undefined {
    return this.reasonAgainst(position, asking, this.possibleObstacles());
  }

  /** The publications among some that this node can hand on. */
  servable(positions: readonly number[], asking: readonly Addressee[]): number[] {
    const obstacles = this.possibleObstacles();
    return positions.filter((position) => this.reasonAgainst(position, asking, obstacles) === undefined);
  }

  /** The positions of those that may be in the way of earlier ones: mostly none. */
  private possibleObstacles(): number[] {
    const found: number[] = [];
    this.kept.forEach(({ publication, here }, position) => {
      const isKnown = here.atMs !== undefined && here.list !== "";
      if (!isKnown || !isForAll(publication.scope)) found.push(position);
    });
    return found;
  }

  private reasonAgainst(
    position: number,
    asking: readonly Addressee[],
    obstacles: readonly number[],
  ): string | undefined {
    const kept = this.kept[position];
    if (kept?.here.atMs === undefined) return LACKS_IT;
    if (kept.here.list === "") return "this host does not know what it has brought";
    if (!asking.every((host) => isFor(kept.publication.scope, host))) return "it is not for that host";
    const found = obstacles.find((later) => {
      const { publication, here } = this.kept[later] as Kept;
      if (later <= position || !overlap(publication.scope, kept.publication.scope)) return false;
      const isMeant = (host: Addressee) => isFor(publication.scope, host);
      if (here.atMs === undefined) return here.list !== "" || asking.some(isMeant);
      return here.list === "" || !asking.every(isMeant);
    });
    if (found === undefined && !hasHidden(kept.publication, this, asking)) return undefined;
    if (found === undefined) return "this host has a later push of the same paths for other hosts";
    const { here } = this.kept[found] as Kept;
    if (here.atMs === undefined) return "this host lacks a later push of the same paths";
    // Without its list, nothing tells what it has brought from what somebody has put there by hand.
    if (here.list === "") return "this host does not know what a later push of the same paths has brought";
    return "this host has a later push of the same paths for other hosts";
  }

  /** Whether a later publication leaves nothing of an earlier one, so that the log need not have that. */
  protected leavesNothing(later: Publication, earlier: Publication): boolean {
    return covers(later, earlier);
  }

  private bound(): void {
    let bytes = this.kept.reduce((sum, { publication }) => sum + encoded(publication).length, 0);
    while (this.kept.length > PUBLICATIONS || bytes > LOG_BYTES) {
      const first = this.kept.shift();
      bytes -= first === undefined ? 0 : encoded(first.publication).length;
    }
  }

  private changed(): void {
    this.version++;
    this.snapshot = undefined;
  }

  private encoded(): { digest: string; bytes: Uint8Array } {
    if (this.snapshot !== undefined) return this.snapshot;
    const parts = this.kept.map(({ publication }) => encoded(publication));
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let offset = 0;
    for (const part of parts) {
      bytes.set(part, offset);
      offset += part.length;
    }
    this.snapshot = { bytes, digest: digestOf(bytes) };
    return this.snapshot;
  }
}
