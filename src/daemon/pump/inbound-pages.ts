/** Which pages hold the blocks of which transfer. */
import { memoryRowOf } from "../../engine/window.ts";
import { assert } from "../../base/assert.ts";
import type { ParityMove } from "../../engine/receiver/parity-places.ts";
import type { InboundKey } from "../../engine/types.ts";
import { PAGE_BYTES, type PagePool } from "../../net/page-pool.ts";
import { FRAGMENT_PAYLOAD_BYTES, type FragmentHeader } from "../../wire/datagram.ts";
import { WINDOW_BLOCKS } from "../../wire/limits.ts";

/** Where the payload of a fragment lies, and where it belongs. */
type FragmentPlace = Pick<FragmentHeader, "block" | "index" | "fullBytes" | "payloadStart" | "payloadBytes">;

/** In place of the number of a page: the slot has none. Pages count from 0. */
const NONE = -1;

/**
 * Which pages hold the blocks of the incoming transfers. A page belongs to a block from its first fragment until the
 * writing thread gives it back.
 */
export class InboundPages {
  private readonly pool: PagePool;
  /** For each transfer: the page of each slot of its window. */
  private readonly pagesOfTransfer = new Map<InboundKey, Int32Array>();

  constructor(pool: PagePool) {
    this.pool = pool;
  }

  /** Whether a new block would find no page. Fragments that arrive then count as lost on the way. */
  get areUsedUp(): boolean {
    return this.pool.isEmpty;
  }

  /** Whether blocks of some transfer may arrive. */
  get areInUse(): boolean {
    return this.pagesOfTransfer.size > 0;
  }

  /** A transfer begins; it has no pages yet. Its first fragments may have come before this call. */
  open(key: InboundKey): void {
    this.slotsOf(key);
  }

  /** A transfer has ended. The pages that the writing thread still has come back by give(). */
  close(key: InboundKey): void {
    for (const page of this.pagesOfTransfer.get(key) ?? []) if (page !== NONE) this.pool.give(page);
    this.pagesOfTransfer.delete(key);
    if (this.pagesOfTransfer.size === 0) this.pool.trim();
  }

  /**
   * Puts the payload of one fragment, which begins at `payloadStart` of these bytes, into the page of its block.
   *
   * @param place the index of the fragment in whose place it lies: for parity that of a missing one
   */
  keepFragment(
    key: InboundKey,
    { block, index, fullBytes, payloadStart, payloadBytes }: FragmentPlace,
    bytes: Buffer,
    place = index,
  ): void {
    const page = this.pageOf(key, block);
    const target = page * PAGE_BYTES + place * fullBytes;
    bytes.copy(this.pool.bytes, target, payloadStart, payloadStart + payloadBytes);
  }

  /**
   * Keeps payloads that lie side by side in a page. They replace those that are in the page of the block: a sender sends a
   * block as a train, and a stranger would have to forge a whole train to replace that. A fragment that was forged before
   * the train came is gone; one that was sent twice is the same.
   *
   * @param first the number of the fragment that lies first
   * @param count how many fragments lie there
   * @param page the page that they were read into
   * @returns the page to read into from now on: a new one if this one has become the page of the block
   */
  keepRun(key: InboundKey, block: number, first: number, count: number, page: number): number {
    const pages = this.slotsOf(key);
    const slot = memoryRowOf(block);
    if (pages[slot] === NONE && first === 0) {
      const replacement = this.pool.take();
      assert(replacement !== undefined, "trains are only taken in while there are pages");
      pages[slot] = page;
      return replacement;
    }
    const target = this.pageOf(key, block) * PAGE_BYTES + first * FRAGMENT_PAYLOAD_BYTES;
    const from = page * PAGE_BYTES;
    this.pool.bytes.copy(this.pool.bytes, target, from, from + count * FRAGMENT_PAYLOAD_BYTES);
    return page;
  }

  /** Moves what lies in the place of one fragment of a block into that of another. */
  moveFragment(key: InboundKey, block: number, { from, to }: ParityMove, fullBytes: number): void {
    const start = this.pageOf(key, block) * PAGE_BYTES;
    const source = start + from * fullBytes;
    this.pool.bytes.copyWithin(start + to * fullBytes, source, source + fullBytes);
  }

  /** The page of a whole block goes to the writing thread. */
  handOver(key: InboundKey, block: number): number {
    const pages = this.slotsOf(key);
    const page = pages[memoryRowOf(block)];
    assert(page !== undefined && page !== NONE, "a whole block lies in a page");
    pages[memoryRowOf(block)] = NONE;
    return page;
  }

  /** The writing thread has given a page back. */
  give(page: number): void {
    this.pool.give(page);
  }

  private pageOf(key: InboundKey, block: number): number {
    const pages = this.slotsOf(key);
    const slot = memoryRowOf(block);
    const page = pages[slot] === NONE ? this.pool.take() : pages[slot];
    assert(page !== undefined, "fragments are only taken in while there are pages");
    pages[slot] = page;
    return page;
  }

  /**
   * The pages of a transfer. The engine accepts its fragments from the moment that it is admitted, which may be before
   * anything else of the program has heard of it: another transfer has ended, or has given its place back.
   */
  private slotsOf(key: InboundKey): Int32Array {
    const known = this.pagesOfTransfer.get(key);
    if (known !== undefined) return known;
    const slots = new Int32Array(WINDOW_BLOCKS).fill(NONE);
    this.pagesOfTransfer.set(key, slots);
    return slots;
  }
}
