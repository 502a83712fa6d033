/** Reads the log of a member that has another one, piece by piece. */
import { DecodeError } from "../../base/bytes.ts";
import { Deadline } from "../../base/deadline.ts";
import type { Fetch, Log, Piece } from "../../wire/catch-up-messages.ts";
import { PIECE_BYTES } from "../../wire/limits.ts";
import type { Publication } from "../../wire/publication.ts";
import type { Member } from "../types.ts";
import { isAbleToCompare, sendTo } from "./able-members.ts";
import type { CatchUpContext } from "./context.ts";
import { decodePublications } from "./publication-log.ts";
import * as times from "./times.ts";

/** A log that is being read. */
interface Reading {
  readonly epoch: string;
  digest: string;
  bytes: Uint8Array | undefined;
  offset: number;
  tries: number;
}

/** One log is read at a time: what the first one brings is mostly all that this node lacks. */
export class Comparing {
  private readonly context: CatchUpContext;
  private readonly onLearned: (publications: Publication[], nowMs: number) => void;
  private reading: Reading | undefined;
  private readonly due = new Deadline();
  /** The log of each member that was read, by its digest: it is not read twice. */
  private readonly known = new Map<string, string>();

  constructor(context: CatchUpContext, onLearned: (publications: Publication[], nowMs: number) => void) {
    this.context = context;
    this.onLearned = onLearned;
  }

  get atMs(): number {
    return this.due.atMs;
  }

  /** A member tells of its log. */
  note(member: Member, log: Log, nowMs: number): void {
    if (this.isKnown(member.epoch, log) || this.due.atMs !== Infinity) return;
    this.due.set(nowMs + times.COMPARE_MS);
  }

  forget(epoch: string): void {
    this.known.delete(epoch);
    if (this.reading?.epoch === epoch) this.reading = undefined;
  }

  answer(member: Member, { digest, offset }: Fetch): void {
    const { log, effects } = this.context;
    const { bytes } = log;
    const from = digest === log.digest ? Math.min(offset, bytes.length) : 0;
    const piece = { digest: log.digest, offset: from, total: bytes.length };
    const body = { ...piece, bytes: bytes.subarray(from, from + PIECE_BYTES) };
    sendTo(effects, member, { type: "piece", body });
  }

  take(member: Member, piece: Piece, nowMs: number): void {
    const { reading } = this;
    if (reading?.epoch !== member.epoch) return;
    if (piece.digest !== reading.digest || reading.bytes === undefined) {
      if (piece.offset !== 0) return;
      reading.digest = piece.digest;
      reading.bytes = new Uint8Array(piece.total);
      reading.offset = 0;
    }
    if (piece.offset !== reading.offset || piece.total !== reading.bytes.length) return;
    reading.bytes.set(piece.bytes, piece.offset);
    reading.offset += piece.bytes.length;
    reading.tries = times.PIECE_TRIES;
    if (reading.offset < reading.bytes.length && piece.bytes.length > 0) this.ask(reading, nowMs);
    else this.finish(reading, reading.bytes, nowMs);
  }

  tick(nowMs: number): void {
    if (!this.due.take(nowMs)) return;
    if (this.reading !== undefined && this.reading.tries <= 0) {
      this.known.set(this.reading.epoch, this.reading.digest);
      this.reading = undefined;
    }
    this.reading ??= this.choose();
    if (this.reading !== undefined) this.ask(this.reading, nowMs);
  }

  private choose(): Reading | undefined {
    for (const member of this.context.members()) {
      const log = this.context.tellings.heard(member.epoch);
      if (log === undefined || !isAbleToCompare(member) || this.isKnown(member.epoch, log)) continue;
      const { epoch } = member;
      return { epoch, digest: log.digest, bytes: undefined, offset: 0, tries: times.PIECE_TRIES };
    }
    return undefined;
  }

  private isKnown(epoch: string, { digest }: Log): boolean {
    if (digest === this.context.log.digest || this.known.get(epoch) === digest) return true;
    return [...this.known.values()].includes(digest);
  }

  private ask(reading: Reading, nowMs: number): void {
    const member = this.context.memberOf(reading.epoch);
    if (member === undefined) {
      this.reading = undefined;
      this.due.set(nowMs);
      return;
    }
    reading.tries--;
    const { digest, offset } = reading;
    sendTo(this.context.effects, member, { type: "fetch", body: { digest, offset } });
    this.due.set(nowMs + times.PIECE_RETRY_MS);
  }

  private finish(reading: Reading, bytes: Uint8Array, nowMs: number): void {
    this.reading = undefined;
    this.known.set(reading.epoch, reading.digest);
    // Others may have told of logs meanwhile.
    this.due.set(nowMs + times.COMPARE_MS);
    try {
      this.onLearned(decodePublications(bytes), nowMs);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
}
