/** The source of a transfer: asks it for blocks, and tells it which manifest blocks are settled. */
import type { Effect, Input } from "../types.ts";
import type { Barrier } from "./barrier.ts";
import type { OutgoingBlocks } from "./outgoing-blocks.ts";
import { PRODUCE_BLOCKS } from "./times.ts";
import type { WantCollector } from "./wants.ts";

type Produced = Extract<Input, { kind: "produced" }>;

/**
 * The source of a transfer, as its sender sees it (PROTOCOL.md 5.2). It makes manifest blocks by itself, and data
 * when a manifest block is settled: when every member has answered for it. It is asked for a few blocks at a time,
 * and for the next when it has answered.
 */
export class Production {
  private readonly transfer: number;
  private readonly effects: Effect[];
  private readonly barrier: Barrier;
  private readonly blocks: OutgoingBlocks;
  private readonly wants: WantCollector;
  private sourceState: Produced["state"] = "more";
  private askedMs: number | undefined;
  private hasSettledSinceAsked = false;

  /** @param effects where questions to the source are put */
  constructor(
    transfer: number,
    effects: Effect[],
    barrier: Barrier,
    blocks: OutgoingBlocks,
    wants: WantCollector,
  ) {
    this.transfer = transfer;
    this.effects = effects;
    this.barrier = barrier;
    this.blocks = blocks;
    this.wants = wants;
  }

  /** Whether no block will follow those that have been on the wire. */
  get isFinal(): boolean {
    return this.sourceState === "end" && this.blocks.sent === this.blocks.produced;
  }

  /** Since when the source owes an answer; undefined while it owes none. */
  get owingSinceMs(): number | undefined {
    return this.askedMs;
  }

  /** This process stood still for a while: the source is not to blame for that time. */
  forgive(standstillMs: number): void {
    if (this.askedMs !== undefined) this.askedMs += standstillMs;
  }

  /** Asks the source for blocks, where the sender's window has room for some. */
  ask(nowMs: number): void {
    const { room, produced, sent } = this.blocks;
    if (this.askedMs !== undefined || this.sourceState !== "more" || room <= 0) return;
    this.askedMs = nowMs;
    this.hasSettledSinceAsked = false;
    const count = Math.min(room, PRODUCE_BLOCKS);
    const waitingBlocks = produced - sent;
    this.effects.push({
      kind: "produce",
      transfer: this.transfer,
      firstBlock: produced,
      count,
      waitingBlocks,
    });
  }

  /** Takes over the blocks that the source has made. */
  take({ blocks, state }: Produced): void {
    this.askedMs = undefined;
    // The source may have looked for work before it heard of a block that was settled meanwhile.
    this.sourceState = state === "idle" && this.hasSettledSinceAsked ? "more" : state;
    for (const block of blocks) {
      const number = this.blocks.add(block);
      if (block.entries > 0) this.wants.add(number, block.entries);
    }
  }

  /**
   * Tells the source of the manifest blocks that all members have answered by now.
   *
   * @returns whether there were any
   */
  settle(): boolean {
    if (this.wants.isEmpty) return false;
    const settled = this.wants.takeSettled(this.barrier.epochs);
    if (settled.length === 0) return false;
    for (const one of settled) this.effects.push({ kind: "settle", transfer: this.transfer, ...one });
    if (this.sourceState === "idle") this.sourceState = "more";
    this.hasSettledSinceAsked = true;
    return true;
  }
}
