/** The window: how many blocks and fragments may be under way, at a sender and at its members. */
import { BLOCK_FRAGMENTS, WINDOW_BLOCKS } from "../wire/limits.ts";
import { Least } from "./least.ts";

/**
 * A transfer is never held in memory as a whole (PROTOCOL.md 5.3, 5.5). A receiver takes blocks within a window that
 * begins with the first block that it has not staged. A sender keeps sealed blocks within one that begins with the
 * first block that some member has not staged. Three bounds follow for the sender:
 *
 * - blocks that it has made: Window.room of its own window;
 * - blocks that it sends: the window end of each member, MemberWindow.end;
 * - fragments that it sends: the socket buffer of each member, MemberWindow.sendLimit.
 */

/**
 * A row of consecutive blocks that are in hand at a time. Both sides have one for each transfer. In the program its
 * size is WINDOW_BLOCKS of wire/limits.ts; it comes in by EngineOptions.windowBlocks, and the rest of the program
 * has memory for as many blocks.
 */
export class Window {
  /** Its size in blocks. */
  readonly size: number;
  private firstBlock = 0;

  constructor(size: number) {
    this.size = size;
  }

  /** The first block of the window: every block below is staged, and its memory is free. */
  get start(): number {
    return this.firstBlock;
  }

  /** The first block that the window does not reach. */
  get end(): number {
    return this.firstBlock + this.size;
  }

  /** Moves the window on, so that it begins with that block. */
  moveTo(start: number): void {
    this.firstBlock = start;
  }

  /** How many more blocks the window has room for, when all below `block` have been put into it. */
  room(block: number): number {
    return this.end - block;
  }

  /**
   * The row of a block in a table with one row for each block of the window. The next block that gets the same row
   * comes into the window only when this one has left it.
   */
  rowOf(block: number): number {
    return block % this.size;
  }
}

/** The row of a block in memory that the program has for a whole window: the pages of a receiver, a sender's ring. */
export function memoryRowOf(block: number): number {
  return block % WINDOW_BLOCKS;
}

/**
 * The window of a member before its first STATUS. A sender begins before the offer is answered, so that a small
 * transfer does not wait for a round trip. Two blocks are a manifest block and one block of data. Their fragments
 * go into the smallest buffer that Linux grants by default to a socket that asks for more: 425,984 bytes, which are
 * 147 fragments by the measure of PROTOCOL.md 5.5.
 */
const FIRST_BLOCKS = 2;
const FIRST_FRAGMENTS = FIRST_BLOCKS * BLOCK_FRAGMENTS;

/**
 * A report is overdue when so little is left of a window. Of very many members, each reports when it has used 80 % of it at the
 * latest; an eighth of it is 17 ms at 1 Gbit/s, which is enough to ask and to be answered.
 */
const OVERDUE_SHARE = 1 / 8;

/** How much one member can take, as its newest STATUS says. */
export class MemberWindow {
  /** Blocks from this one on have no place yet. */
  end = FIRST_BLOCKS;
  /** How many fragments had been sent when the newest that the member has seen was. */
  seen = 0;
  /** How many fragments may be under way to it: its share of the socket buffer. */
  inFlight = FIRST_FRAGMENTS;

  /** Up to which number of fragments the sender may go without overrunning the member's socket. */
  get sendLimit(): number {
    return this.seen + this.inFlight;
  }

  /** Takes over a STATUS. One that comes late moves nothing back. */
  update(end: number, seen: number, inFlight: number): void {
    if (end > this.end) this.end = end;
    if (seen > this.seen) this.seen = seen;
    this.inFlight = inFlight;
  }

  /**
   * Whether the member should have reported by now: most of its window, or of its socket buffer, has been used since its
   * last report. Then the next one has got lost. A member whose disk is slow has reported, and has no room.
   *
   * @param windowBlocks how many blocks it takes in all
   */
  isOverdue(sentBlocks: number, sentFragments: number, windowBlocks: number): boolean {
    const isOld = sentFragments - this.seen >= (windowBlocks * BLOCK_FRAGMENTS) / 2;
    if (isOld && this.end - sentBlocks < windowBlocks * OVERDUE_SHARE) return true;
    // A buffer of a few blocks is used up by single sends: its report may be on its way.
    const lowFragments = this.inFlight * OVERDUE_SHARE;
    return lowFragments >= BLOCK_FRAGMENTS && this.sendLimit - sentFragments < lowFragments;
  }

  /** The member has given the transfer back, and begins again when it admits it again. */
  reset(): void {
    this.end = FIRST_BLOCKS;
    this.seen = 0;
    this.inFlight = FIRST_FRAGMENTS;
  }

  /** Whether the member cannot take one block more, after so many blocks and fragments. */
  isFull(sentBlocks: number, sentFragments: number): boolean {
    return this.end <= sentBlocks || this.sendLimit < sentFragments + BLOCK_FRAGMENTS;
  }
}

/** How much all members of a transfer can take: for each bound, the least of all members. */
export class GroupWindow {
  private readonly ends: Least;
  private readonly sendLimits: Least;
  private readonly inFlights: Least;

  constructor(members: number) {
    this.ends = new Least(members, FIRST_BLOCKS);
    this.sendLimits = new Least(members, FIRST_FRAGMENTS);
    this.inFlights = new Least(members, FIRST_FRAGMENTS);
  }

  /** Notes the window of a member. */
  note(index: number, { end, sendLimit, inFlight }: MemberWindow): void {
    this.ends.set(index, end);
    this.sendLimits.set(index, sendLimit);
    this.inFlights.set(index, inFlight);
  }

  /** A member has left the transfer and bounds it no more. */
  leave(index: number): void {
    for (const least of [this.ends, this.sendLimits, this.inFlights]) least.set(index, Infinity);
  }

  /** Blocks from this one on have no place at some member. */
  get end(): number {
    return this.ends.value;
  }

  /** Up to which number of fragments the sender may go before some member's socket could overrun. */
  get sendLimit(): number {
    return this.sendLimits.value;
  }

  /** How many fragments the smallest socket buffer holds. */
  get leastInFlight(): number {
    return Math.max(1, this.inFlights.value);
  }
}

/**
 * How many fragments may be under way in each of the transfers that a node receives: they share its socket buffer.
 *
 * @param socketFragments what the socket buffer holds
 */
export function inFlightShare(socketFragments: number, transfers: number): number {
  return Math.max(1, Math.floor(socketFragments / Math.max(1, transfers)));
}
