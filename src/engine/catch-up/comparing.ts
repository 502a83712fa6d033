/** Reads the log of a member that has another one, piece by piece. */
import { DecodeError } from "../../base/bytes.ts";
import { Deadline } from "../../base/deadline.ts";
import type { Fetch, Log, Piece } from "../../wire/catch-up-messages.ts";
import { PIECE_BYTES } from "../../wire/limits.ts";
import type { Publication } from "../../wire/publication.ts";
import type { Member } from "../types.ts";
import { isAbleToCompare, sendTo } from "./able-members.ts";
import type { CatchUpContext } from "./context.ts";
import { decodePublications } from "./log-bytes.ts";
import * as times from "./times.ts";

/** A log that is being read. */
interface Reading {
  readonly epoch: string;
  /** The number of its questions: a late answer to another one says what the log was, and not what it is. */
  readonly question: number;
  /** The digest that the member has told. */
  readonly told: string;
  digest: string;
  bytes: Uint8Array | undefined;
  offset: number;
  tries: number;
}

/** Logs that this node remembers. One that a host still has after more changes than that is read once more. */
const KNOWN_KEPT = 1024;

/** One log is read at a time: what the first one brings is mostly all that this node lacks. */
export class Comparing {
  private readonly context: CatchUpContext;
  private readonly onLearned: (publications: Publication[], nowMs: number) => void;
  private reading: Reading | undefined;
  private readonly due = new Deadline();
  /** The digests of logs that were read, and of former logs of this node: members that have one of these know nothing more. */
  private readonly known = new Set<string>();
  /** Members that have not answered, by their epochs: how often, and when they are asked again. */
  private readonly putOff = new Map<string, { readonly times: number; readonly atMs: number }>();

  constructor(context: CatchUpContext, onLearned: (publications: Publication[], nowMs: number) => void) {
    this.context = context;
    this.onLearned = onLearned;
  }

  get atMs(): number {
    return this.due.atMs;
  }

  /** This node knows all that is in a log: it was its own until now, for example. */
  noteKnown(digest: string): void {
    this.known.add(digest);
    for (const oldest of this.known) {
      if (this.known.size <= KNOWN_KEPT) break;
      this.known.delete(oldest);
    }
  }

  /** A member tells of its log. */
  note(epoch: string, log: Log, nowMs: number): void {
    this.putOff.delete(epoch);
    if (!this.isKnown(log) && this.reading === undefined) this.due.setNoLater(nowMs + times.COMPARE_MS);
  }

  /** Whether a member lacks something that this node knows, and has nothing that this node lacks. */
  isSurpassed(log: Log): boolean {
    return log.digest !== this.context.log.digest && this.isKnown(log);
  }

  forget(epoch: string): void {
    this.putOff.delete(epoch);
    if (this.reading?.epoch === epoch) this.reading = undefined;
  }

  answer(member: Member, { question, digest, offset }: Fetch): void {
    const { log, effects } = this.context;
    const { bytes } = log;
    const from = digest === log.digest ? Math.min(offset, bytes.length) : 0;
    const piece = { question, digest: log.digest, offset: from, total: bytes.length };
    const body = { ...piece, bytes: bytes.subarray(from, from + PIECE_BYTES) };
    sendTo(effects, member, { type: "piece", body });
  }

  take(member: Member, piece: Piece, nowMs: number): void {
    const { reading } = this;
    if (reading?.epoch !== member.epoch || piece.question !== reading.question) return;
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
    if (this.reading !== undefined && this.reading.tries <= 0) this.giveUp(this.reading, nowMs);
    this.reading ??= this.choose(nowMs);
    if (this.reading !== undefined) this.ask(this.reading, nowMs);
  }

  /** The member may be cut off for a moment. If it was not, it does not tell its log again: it is asked again later. */
  private giveUp({ epoch }: Reading, nowMs: number): void {
    this.reading = undefined;
    const count = (this.putOff.get(epoch)?.times ?? 0) + 1;
    const delayMs = Math.min(times.READ_AGAIN_MOST_MS, times.READ_AGAIN_MS * 2 ** (count - 1));
    this.putOff.set(epoch, { times: count, atMs: nowMs + delayMs });
  }

  private choose(nowMs: number): Reading | undefined {
    for (const member of this.context.members()) {
      const { epoch } = member;
      const log = this.context.tellings.heard(epoch);
      if (log === undefined || !isAbleToCompare(member) || this.isKnown(log)) continue;
      const { atMs } = this.putOff.get(epoch) ?? { atMs: nowMs };
      if (atMs > nowMs) {
        this.due.setNoLater(atMs);
        continue;
      }
      const question = this.context.random.u32();
      const { digest } = log;
      const parts = { bytes: undefined, offset: 0, tries: times.PIECE_TRIES };
      return { epoch, question, told: digest, digest, ...parts };
    }
    return undefined;
  }

  private isKnown({ digest, count }: Log): boolean {
    return count === 0 || digest === this.context.log.digest || this.known.has(digest);
  }

  private ask(reading: Reading, nowMs: number): void {
    const member = this.context.memberOf(reading.epoch);
    if (member === undefined) {
      this.reading = undefined;
      this.due.set(nowMs);
      return;
    }
    reading.tries--;
    const { question, digest, offset } = reading;
    sendTo(this.context.effects, member, { type: "fetch", body: { question, digest, offset } });
    this.due.set(nowMs + times.PIECE_RETRY_MS);
  }

  private finish(reading: Reading, bytes: Uint8Array, nowMs: number): void {
    this.reading = undefined;
    this.noteKnown(reading.digest);
    // It has changed since the last LOG of the member, and has all that it had then.
    this.noteKnown(reading.told);
    // Others may have sent a LOG meanwhile.
    this.due.set(nowMs + times.COMPARE_MS);
    try {
      this.onLearned(decodePublications(bytes), nowMs);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
    // It lacks something, and may have missed that this node has told so.
    const member = this.context.memberOf(reading.epoch);
    const lacks = this.context.log.digest !== reading.digest;
    if (lacks && member !== undefined) this.context.tellings.tell(member);
  }
}
