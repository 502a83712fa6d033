/** The blocks on their way to the wire: new ones, repairs, second times. */
import { assert } from "../../base/assert.ts";
import { fragmentCount } from "../../wire/datagram.ts";
import type { Status } from "../../wire/status-message.ts";
import type { Effect, ProducedBlock } from "../types.ts";
import type { Barrier } from "./barrier.ts";
import type { FlowControl } from "./flow-control.ts";
import { SendQueue } from "./repair.ts";
import { SECOND_TIME_BLOCKS, SecondSending } from "./second-sending.ts";
import * as times from "./times.ts";

/** What came of an attempt to send. */
export interface SendOutcome {
  /** When to try again, where it is the rate that holds things up. */
  readonly readyMs: number | undefined;
  /** Whether something was sent that brings the transfer on. */
  readonly hasMoved: boolean;
}

/**
 * The blocks of one transfer on their way to the wire (PROTOCOL.md 5.4, 5.5): new ones as far as the windows of the members
 * reach, repairs, and second times, no faster than the rate allows.
 */
export class OutgoingBlocks {
  private readonly transfer: number;
  private readonly effects: Effect[];
  private readonly barrier: Barrier;
  private readonly flow: FlowControl;
  private readonly windowBlocks: number;
  private readonly queue: SendQueue;
  private readonly secondSending: SecondSending;
  private readonly fragmentsOfSlot: Uint8Array;
  private pendingSends = 0;
  /** Blocks that the source has made, and those of them that have been on the wire. */
  produced = 0;
  sent = 0;

  /** @param effects where sends are put */
  constructor(
    transfer: number,
    effects: Effect[],
    barrier: Barrier,
    flow: FlowControl,
    windowBlocks: number,
  ) {
    this.transfer = transfer;
    this.effects = effects;
    this.barrier = barrier;
    this.flow = flow;
    this.windowBlocks = windowBlocks;
    this.queue = new SendQueue(windowBlocks);
    this.secondSending = new SecondSending(this.queue);
    this.fragmentsOfSlot = new Uint8Array(windowBlocks);
  }

  /** The stamp that the next fragment gets. */
  get stamp(): number {
    return this.queue.stamp;
  }

  /** Fragments sent so far, and those among them that were repairs. */
  get sentFragments(): number {
    return this.queue.sent;
  }

  get repairedFragments(): number {
    return this.queue.repaired;
  }

  /** Whether nothing waits to be sent. */
  get isEmpty(): boolean {
    return this.queue.isEmpty;
  }

  /** How many blocks more the source may make. */
  get room(): number {
    return this.barrier.stagedBelow + this.windowBlocks - this.produced;
  }

  /** Takes over a block that was made; returns its number. */
  add(block: ProducedBlock): number {
    const number = this.produced++;
    this.fragmentsOfSlot[number % this.windowBlocks] = fragmentCount(block.sealedBytes);
    return number;
  }

  /** Queues what a member's report says is missing. */
  addReport(status: Status, seen: number): void {
    this.queue.addReport(status, seen, this.barrier.stagedBelow, this.sent);
  }

  /** Drops what waits of blocks that every remaining member has staged. */
  forgetStaged(): void {
    this.queue.forgetBelow(this.barrier.stagedBelow);
  }

  /** The socket has taken a block. */
  noteSent(): void {
    this.pendingSends--;
  }

  /** Sends what may be sent now. */
  send(nowMs: number): SendOutcome {
    let hasMoved = false;
    while (this.pendingSends < times.PENDING_SENDS) {
      if (this.queue.isEmpty && !this.queueNext()) break;
      // A member whose socket holds less than a block gets it in pieces.
      const fragments = this.queue.peek(Math.min(this.flow.largestSend, this.barrier.leastInFlight));
      if (this.queue.sent + fragments > this.barrier.sendLimit) break;
      const readyMs = this.flow.readyMs(fragments, nowMs);
      if (readyMs > nowMs) return { readyMs, hasMoved };
      const sending = this.queue.take(fragments);
      assert(sending !== undefined, "what was peeked at is there");
      this.flow.noteSent(sending.fragments);
      this.pendingSends++;
      this.effects.push({ kind: "send-block", transfer: this.transfer, ...sending });
      // With many members there is always something to repair, while the window may be stuck all the same.
      hasMoved ||= sending.block >= this.sent - 1 || this.barrier.size <= times.ASKED_BY_NAME;
    }
    return { readyMs: undefined, hasMoved };
  }

  /** Puts a new block into the queue, or one that is due for its second time. */
  private queueNext(): boolean {
    const second = this.queue.nextSecondTime ?? Infinity;
    const canGoOn = this.sent < Math.min(this.produced, this.barrier.windowEnd);
    if (second < Infinity && (!canGoOn || second <= this.sent - SECOND_TIME_BLOCKS)) {
      this.queue.addSecondTime();
      return true;
    }
    if (!canGoOn) return false;
    const block = this.sent++;
    const isTwice = !this.flow.isSlowed && this.secondSending.decide(block, this.barrier.size);
    this.queue.addBlock(block, this.fragmentsOfSlot[block % this.windowBlocks] as number, isTwice);
    return true;
  }
}
