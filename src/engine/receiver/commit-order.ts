/** In which order a node carries out the commits of its incoming transfers. */
import { HIGHEST_ORDER } from "../../wire/limits.ts";
import { inboundName, type TransferName } from "../types.ts";

interface Place {
  readonly key: TransferName;
  order: number;
}

/**
 * The places of all incoming transfers of a node (PROTOCOL.md 5.6). Commits are carried out in the order of their
 * places, which the members of each transfer have agreed on. The clock is never behind a place that was heard of.
 * So a transfer that gets its place later comes later, and nothing can overtake the first one any more.
 */
export class CommitOrder {
  private clock = 0;
  private readonly places = new Map<string, Place>();
  /** How many transfers have given up their places so far. */
  departures = 0;

  /**
   * Gives a transfer a place after all that this node has heard of, or moves it back.
   *
   * @param order it gets no place before this one
   * @returns its place
   */
  place(key: TransferName, order: number): number {
    const name = inboundName(key);
    const known = this.places.get(name);
    const place = known ?? { key, order: Math.min(HIGHEST_ORDER, this.clock + 1) };
    place.order = Math.max(place.order, order);
    this.clock = Math.max(this.clock, place.order);
    this.places.set(name, place);
    return place.order;
  }

  /** Whether no other transfer comes before this one. */
  isFirst(key: TransferName): boolean {
    const own = this.places.get(inboundName(key));
    if (own === undefined) return false;
    for (const place of this.places.values()) if (isBefore(place, own)) return false;
    return true;
  }

  /** A transfer has been carried out, or never will be. */
  leave(key: TransferName): void {
    if (this.places.delete(inboundName(key))) this.departures++;
  }
}

/** Two transfers may have been given the same number: then the sender decides, then the transfer. */
function isBefore(a: Place, b: Place): boolean {
  if (a.order !== b.order) return a.order < b.order;
  if (a.key.epoch !== b.key.epoch) return a.key.epoch < b.key.epoch;
  return a.key.transfer < b.key.transfer;
}
