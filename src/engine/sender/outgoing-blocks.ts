/** The blocks on their way to the wire: new ones, repairs, second times. */
import { assert } from "../../base/assert.ts";
import { Deadline } from "../../base/deadline.ts";
import { serialDistance } from "../../base/serial.ts";
import { FRAGMENT_HEADER_BYTES, fragmentCount } from "../../wire/datagram.ts";
import { DATAGRAM_BYTES } from "../../wire/limits.ts";
import type { Status } from "../../wire/status-message.ts";
import type { Effect, ProducedBlock } from "../types.ts";
import { Window } from "../window.ts";
import type { Barrier } from "./barrier.ts";
import type { FlowControl } from "./flow-control.ts";
import { SECOND_TIME_BLOCKS, SecondSending } from "./second-sending.ts";
import { SendQueue } from "./send-queue.ts";
import * as times from "./times.ts";

/** The result of an attempt to send. */
export interface SendOutcome {
  /** When to try again, where the rate holds things up. */
  readonly readyMs: number | undefined;
  /** Whether something was sent that brings the transfer on. */
  readonly hasMoved: boolean;
}

/** What fragments the members of a transfer understand. */
export interface FragmentForm {
  /** The length of all datagrams of a block but the last. */
  readonly datagramBytes?: number | undefined;
  /** Whether all of them understand parity. */
  readonly knowsParity: boolean;
}

/**
 * The blocks of one transfer on their way to the wire (PROTOCOL.md 5.4, 5.5): new ones as far as the windows of the
 * members reach, repairs, and second times, no faster than the rate allows.
 */
export class OutgoingBlocks {
  private readonly transfer: number;
  private readonly effects: Effect[];
  private readonly barrier: Barrier;
  private readonly flow: FlowControl;
  /** The sender's own window: blocks in it are sealed, and kept until every member has staged them. */
  private readonly window: Window;
  private readonly queue: SendQueue;
  private readonly secondSending: SecondSending;
  /** How many fragments each block has, by its row in the window. */
  private readonly fragmentCounts: Uint8Array;
  private readonly fullBytes: number;
  /** Whether all members understand parity. */
  private readonly knowsParity: boolean;
  private readonly retry = new Deadline();
  private pendingSends = 0;
  /** How many blocks the source has made. */
  produced = 0;
  /** How many of them have been on the wire. */
  sent = 0;

  /**
   * @param effects where sends are put
   * @param form of the fragments
   */
  constructor(
    transfer: number,
    effects: Effect[],
    barrier: Barrier,
    flow: FlowControl,
    windowBlocks: number,
    { datagramBytes = DATAGRAM_BYTES, knowsParity }: FragmentForm,
  ) {
    this.transfer = transfer;
    this.effects = effects;
    this.barrier = barrier;
    this.flow = flow;
    this.fullBytes = datagramBytes - FRAGMENT_HEADER_BYTES;
    this.knowsParity = knowsParity;
    this.window = new Window(windowBlocks);
    this.queue = new SendQueue(this.window);
    this.secondSending = new SecondSending(this.queue);
    this.fragmentCounts = new Uint8Array(windowBlocks);
  }

  /** The stamp that the next fragment gets. */
  get stamp(): number {
    return this.queue.stamp;
  }

  /** Fragments sent so far, repairs included. */
  get sentFragments(): number {
    return this.queue.sent;
  }

  /** Fragments sent again so far. */
  get repairedFragments(): number {
    return this.queue.repaired;
  }

  /** Those among them that were parity. */
  get parityFragments(): number {
    return this.queue.parity;
  }

  /** Whether nothing waits to be sent. */
  get isEmpty(): boolean {
    return this.queue.isEmpty;
  }

  /** How many blocks may be on their way at a time. */
  get windowBlocks(): number {
    return this.window.size;
  }

  /** How many blocks more the source may make. */
  get room(): number {
    return this.window.room(this.produced);
  }

  /** When it is worth another attempt to send, in milliseconds; Infinity where time alone changes nothing. */
  get retryMs(): number {
    return this.retry.atMs;
  }

  /**
   * How many fragments had been sent when a member saw a stamp. Fragments are not sealed one by one, so a forged
   * one can make a member report a stamp that was never given: that counts as the newest one.
   */
  seenAt(stamp: number): number {
    return this.sentFragments - Math.max(0, serialDistance(this.stamp, stamp));
  }

  /** Takes over a block that was made; returns its number. */
  add(block: ProducedBlock): number {
    const number = this.produced++;
    this.fragmentCounts[this.window.rowOf(number)] = fragmentCount(block.sealedBytes, this.fullBytes);
    return number;
  }

  /**
   * Queues what a member's report says is missing.
   *
   * @param seen how many fragments had been sent when the newest that the member has seen was
   */
  addReport(status: Status, seen: number): void {
    this.queue.addReport(status, seen, this.barrier.stagedBelow, this.sent, this.withParity);
  }

  /** Moves the window past the blocks that every remaining member has staged, and drops what waits of them. */
  forgetStaged(): void {
    const { stagedBelow } = this.barrier;
    this.window.moveTo(stagedBelow);
    this.queue.forgetBelow(stagedBelow);
  }

  /** The socket has taken a block. */
  noteSent(): void {
    this.pendingSends--;
  }

  /** To be called when time has passed, before the next attempt to send. */
  tick(nowMs: number): void {
    this.retry.take(nowMs);
  }

  /** Sends what the windows of the members and the rate allow now. */
  send(nowMs: number): SendOutcome {
    const { window } = this.barrier;
    let hasMoved = false;
    while (this.pendingSends < times.PENDING_SENDS) {
      if (this.queue.isEmpty && !this.queueNext()) break;
      // A member whose socket holds less than a block gets it in pieces.
      const fragments = this.queue.peek(Math.min(this.flow.largestSend, window.leastInFlight));
      if (this.queue.sent + fragments > window.sendLimit) break;
      const readyMs = this.flow.readyMs(fragments, nowMs);
      if (readyMs > nowMs) {
        this.retry.set(readyMs);
        return { readyMs, hasMoved };
      }
      const sending = this.queue.take(fragments);
      assert(sending !== undefined, "what was peeked at is there");
      this.flow.noteSent(sending.fragments);
      this.pendingSends++;
      this.effects.push({ kind: "send-block", transfer: this.transfer, ...sending });
      // With many members there is always something to repair, while the window may still be stuck.
      hasMoved ||= sending.block >= this.sent - 1 || this.barrier.size <= times.ASKED_BY_NAME;
    }
    return { readyMs: undefined, hasMoved };
  }

  /** Puts a new block into the queue, or one that is due for its second time. */
  private queueNext(): boolean {
    const second = this.queue.nextSecondTime ?? Infinity;
    const canGoOn = this.sent < Math.min(this.produced, this.barrier.window.end);
    if (second < Infinity && (!canGoOn || second <= this.sent - SECOND_TIME_BLOCKS)) {
      this.queue.addSecondTime();
      return true;
    }
    if (!canGoOn) return false;
    const block = this.sent++;
    const fragments = this.fragmentCounts[this.window.rowOf(block)] as number;
    const { isSlowed } = this.flow;
    const unasked = isSlowed ? 0 : this.secondSending.decide(block, this.barrier.size, this.withParity);
    this.queue.addBlock(block, fragments, unasked);
    return true;
  }

  /** Whether parity is sent in place of what is lost. A single member misses just what it says. */
  private get withParity(): boolean {
    return this.knowsParity && this.barrier.size > 1;
  }
}
