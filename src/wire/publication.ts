/** A publication: the place of a push among all others, and its scope. */
import { type ByteReader, ByteWriter, DecodeError } from "../base/bytes.ts";
import { bytesOfHex, hexOf } from "../base/hex.ts";
import type { PushRules } from "../base/push-rules.ts";
import { HOST_NAME_BYTES, PATH_BYTES, SCOPE_BYTES, SCOPE_TEXTS } from "./limits.ts";
import { isSafePath } from "./path-rules.ts";

/** The request of a push: its paths with their options (PROTOCOL.md 6.1). */
export interface Scope extends Pick<PushRules, "deletes" | "syncs" | "sendsAttributes"> {
  /** Paths below the base directory; the empty path is the base directory itself. */
  readonly paths: readonly string[];
  readonly recursive: boolean;
  /** Entries in it may have been left out, such as those of other users. */
  readonly isPartial: boolean;
  /** Patterns that keep entries from being deleted. */
  readonly excludes: readonly string[];
  /** The words of -t; none for everybody. */
  readonly targets: readonly string[];
  /** The words of --except. */
  readonly excepts: readonly string[];
}

/** Names a publication in the whole fleet, for ever. */
export interface PublicationId {
  /** The node id of its sender. */
  readonly nodeId: string;
  readonly epoch: string;
  /** The number of the transfer. */
  readonly number: number;
}

/** A push that has been committed somewhere. */
export interface Publication extends PublicationId {
  /** Its place among all transfers (PROTOCOL.md 5.6). */
  readonly place: number;
  /** When its sender began it, in milliseconds since 1970, by the clock of its sender: for people, and for its age. */
  readonly timeMs: number;
  /** The user who pushed; empty if that is not known. */
  readonly user: string;
  /** The host that pushed. */
  readonly host: string;
  readonly scope: Scope;
  /** The publication that this one takes back; undefined for a push. */
  readonly undoes?: PublicationId;
}

/** The part of a publication that its sender knows before the transfer has a place, and sends in its manifest. */
export type Announced = Omit<Publication, "place" | "epoch" | "number">;

const DELETES = ["nothing", "also", "only"] as const;
const Flag = { recursive: 1, syncs: 2, attributes: 4, partial: 8, undo: 16 } as const;

/** Bytes of an encoded scope, to compare with SCOPE_BYTES. */
export function scopeBytes({ paths, excludes, targets, excepts }: Scope): number {
  return [...paths, ...excludes, ...targets, ...excepts].reduce((sum, text) => sum + 2 + text.length, 10);
}

/** Whether a scope is small enough to travel. */
export function isSmallEnough(scope: Scope): boolean {
  const { paths, excludes, targets, excepts } = scope;
  return (
    scopeBytes(scope) <= SCOPE_BYTES &&
    [paths, excludes, targets, excepts].every(({ length }) => length <= SCOPE_TEXTS)
  );
}

function encodeScope(writer: ByteWriter, scope: Scope, isUndo: boolean): void {
  const { recursive, syncs, sendsAttributes, isPartial, deletes } = scope;
  const flags = (recursive ? Flag.recursive : 0) | (syncs ? Flag.syncs : 0) | (isUndo ? Flag.undo : 0);
  writer.u8(flags | (sendsAttributes ? Flag.attributes : 0) | (isPartial ? Flag.partial : 0));
  writer.u8(DELETES.indexOf(deletes));
  for (const texts of [scope.paths, scope.excludes, scope.targets, scope.excepts]) {
    writer.u16(texts.length);
    for (const text of texts) writer.longText(text);
  }
}

/** @returns the scope, and whether the name of a publication follows that is taken back */
function decodeScope(reader: ByteReader): { scope: Scope; isUndo: boolean } {
  const flags = reader.u8();
  const deletes = DELETES[reader.u8()];
  if (flags > 31 || deletes === undefined) throw new DecodeError("unknown flags of a scope");
  const budget = { bytes: SCOPE_BYTES };
  const paths = decodeTexts(reader, budget);
  if (paths.length === 0 || !paths.every((path) => path === "" || isSafePath(path)))
    throw new DecodeError("an unsafe path in a scope");
  const scope = {
    recursive: (flags & Flag.recursive) !== 0,
    syncs: (flags & Flag.syncs) !== 0,
    sendsAttributes: (flags & Flag.attributes) !== 0,
    isPartial: (flags & Flag.partial) !== 0,
    deletes,
    paths,
    excludes: decodeTexts(reader, budget),
    targets: decodeTexts(reader, budget),
    excepts: decodeTexts(reader, budget),
  };
  return { scope, isUndo: (flags & Flag.undo) !== 0 };
}

function decodeTexts(reader: ByteReader, budget: { bytes: number }): string[] {
  const count = reader.u16();
  if (count > SCOPE_TEXTS) throw new DecodeError("too many texts in a scope");
  return Array.from({ length: count }, () => {
    const text = reader.longText();
    if (text.length > PATH_BYTES || (budget.bytes -= text.length) < 0)
      throw new DecodeError("a scope is too large");
    return text;
  });
}

export function encodeAnnounced(writer: ByteWriter, announced: Announced): void {
  writer.raw(bytesOfHex(announced.nodeId)).u64(BigInt(announced.timeMs));
  writer.shortText(announced.user).shortText(announced.host);
  encodeScope(writer, announced.scope, announced.undoes !== undefined);
  if (announced.undoes === undefined) return;
  const { nodeId, epoch, number } = announced.undoes;
  writer.raw(bytesOfHex(nodeId)).raw(bytesOfHex(epoch)).u32(number);
}

/**
 * Reads the part of a publication that stands in a manifest.
 *
 * @throws DecodeError
 */
export function decodeAnnounced(reader: ByteReader): Announced {
  const nodeId = hexOf(reader.raw(16));
  const timeMs = reader.u53("a time");
  const user = shown(reader.shortText());
  const host = shown(reader.shortText());
  const { scope, isUndo } = decodeScope(reader);
  const common = { nodeId, timeMs, user, host, scope };
  if (!isUndo) return common;
  const undoes = { nodeId: hexOf(reader.raw(16)), epoch: hexOf(reader.raw(8)), number: reader.u32() };
  return { ...common, undoes };
}

/** The bytes of the name of a publication that is taken back. */
export const UNDOES_BYTES = 16 + 8 + 4;

/** Most bytes of an encoded publication. */
const PUBLICATION_BYTES =
  16 + 8 + 2 * (1 + HOST_NAME_BYTES) + SCOPE_BYTES + 10 + 4 * 2 * SCOPE_TEXTS + 16 + UNDOES_BYTES;

export function encodePublication(publication: Publication): Uint8Array {
  const writer = new ByteWriter(PUBLICATION_BYTES);
  writer.raw(bytesOfHex(publication.epoch)).u32(publication.number).u32(publication.place);
  encodeAnnounced(writer, publication);
  return writer.written().slice();
}

/**
 * Reads a publication.
 *
 * @throws DecodeError
 */
export function decodePublication(reader: ByteReader): Publication {
  const epoch = hexOf(reader.raw(8));
  const number = reader.u32();
  const place = reader.u32();
  return { epoch, number, place, ...decodeAnnounced(reader) };
}

/** These names are shown on terminals. */
function shown(text: string): string {
  if (text.length > HOST_NAME_BYTES || /[^\x21-\x7e]/.test(text))
    throw new DecodeError("a name that cannot be shown");
  return text;
}
