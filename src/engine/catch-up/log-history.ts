/** Former states of the log of publications: which publications a node has come to know since one of them. */
import type { Publication } from "../../wire/publication.ts";

/** More changes than that while one transfer brings something: it is brought once more. Each takes some hundred bytes. */
const STATES_KEPT = 4096;

export class LogHistory {
  /** The number of each state, by its digest. */
  private readonly states = new Map<string, number>();
  /** The state in which each publication was known first. */
  private readonly first = new WeakMap<Publication, number>();
  private number = 0;

  /** A publication is known from now on. */
  noteKnown(publication: Publication): void {
    this.number++;
    if (!this.first.has(publication)) this.first.set(publication, this.number);
  }

  /** The log has this digest now. */
  noteState(digest: string): void {
    this.states.delete(digest);
    this.states.set(digest, this.number);
    for (const oldest of this.states.keys()) {
      if (this.states.size <= STATES_KEPT) break;
      this.states.delete(oldest);
    }
  }

  get stateNow(): number {
    return this.number;
  }

  /** The number of a state, which grows with what is known; undefined if the log was never in it, or too long ago. */
  numberOf(digest: string): number | undefined {
    return this.states.get(digest);
  }

  /** Whether a publication was not known in a state. */
  isSince(publication: Publication, state: number): boolean {
    return (this.first.get(publication) ?? 0) > state;
  }
}
