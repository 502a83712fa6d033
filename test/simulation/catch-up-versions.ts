import { type Here, publicationName } from "../../src/engine/catch-up/publication-log.ts";
import type { Member } from "../../src/engine/types.ts";
import type { Publication } from "../../src/wire/publication.ts";

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

/** A node as others know it. */
export function fellow({ number, nodeId, epoch }: { number: number; nodeId: string; epoch: string }): Member {
  const names = { hostName: `host${number}`, version: "1", protocol: 3, receives: true, sends: true };
  const address = { ip: `10.0.0.${number}`, port: 5000 };
  return { nodeId, epoch, address, info: { ...names, labels: [] }, joinedMs: 0 };
}
