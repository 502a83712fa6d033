/** In which order a node carries out the commits of its incoming transfers, and where its own transfers stand. */
import { HIGHEST_ORDER } from "../wire/limits.ts";
import { inboundName, type TransferName } from "./types.ts";

interface Place {
  readonly key: TransferName;
  order: number;
  /** A transfer of this node itself whose place is final: its tree has it already, so nobody waits for it. */
  isFinal: boolean;
}

/**
 * The places of all incoming transfers of a node (PROTOCOL.md 5.6). Commits are carried out in the order of their
 * places, which the members of each transfer have agreed on. The clock is never behind a place that was heard of.
 * So a transfer that gets its place later comes later, and nothing can overtake the first one any more.
 *
 * A transfer that this node sends has a place as well: its own tree is a part of the fleet. Until that place is final,
 * incoming transfers that come later wait.
 */
export class CommitOrder {
  private clock = 0;
  private readonly places = new Map<string, Place>();
  /** The transfers that this node sends, by their names; each may have no place yet. */
  private readonly own = new Map<string, TransferName>();
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
    const place = known ?? { key, order: Math.min(HIGHEST_ORDER, this.clock + 1), isFinal: false };
    place.order = Math.max(place.order, order);
    this.clock = Math.max(this.clock, place.order);
    this.places.set(name, place);
    return place.order;
  }

  /** A place that others have given, or that this node gave before its last stop: what comes now is later. */
  note(order: number): void {
    this.clock = Math.max(this.clock, order);
  }

  /** Whether no other transfer comes before this one. */
  isFirst(key: TransferName): boolean {
    const own = this.places.get(inboundName(key));
    if (own === undefined) return false;
    for (const place of this.places.values()) {
      if (place.isFinal) continue;
      if (isBefore(place, own)) return false;
    }
    return true;
  }

  /** This node begins to send a transfer. It gets its place later, so it comes after all that have one now. */
  begin(key: TransferName): void {
    this.own.set(inboundName(key), key);
  }

  /** The place of a transfer of this node does not change any more, and the tree of this node has what it brings. */
  settle(key: TransferName): void {
    const own = this.places.get(inboundName(key));
    if (own === undefined || own.isFinal) return;
    own.isFinal = true;
    this.departures++;
  }

  /** The numbers of the transfers of this node that may come after an incoming one without a place. */
  get ownOpen(): number[] {
    const open = [...this.own].filter(([name]) => this.places.get(name)?.isFinal !== true);
    return open.map(([, { transfer }]) => transfer);
  }

  /** The numbers of the transfers of this node that come after an incoming one. */
  ownAfter(key: TransferName): number[] {
    const place = this.places.get(inboundName(key));
    const after: number[] = [];
    for (const [name, { transfer }] of this.own) {
      const own = this.places.get(name);
      if (place === undefined || own === undefined || isBefore(place, own)) after.push(transfer);
    }
    return after;
  }

  /** A transfer has been carried out, or never will be. */
  leave(key: TransferName): void {
    this.own.delete(inboundName(key));
    if (this.places.delete(inboundName(key))) this.departures++;
  }
}

/** Two transfers may have been given the same number: then the sender decides, then the transfer. */
function isBefore(a: Place, b: Place): boolean {
  if (a.order !== b.order) return a.order < b.order;
  if (a.key.epoch !== b.key.epoch) return a.key.epoch < b.key.epoch;
  return a.key.transfer < b.key.transfer;
}
