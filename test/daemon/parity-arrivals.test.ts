import assert from "node:assert/strict";
import { test } from "node:test";
import { below, randomBytes, type Random, SeededRandom } from "../../src/base/random.ts";
import { InboundPages } from "../../src/daemon/pump/inbound-pages.ts";
import { Assembly } from "../../src/engine/receiver/assembly.ts";
import { hasFragment, setMask } from "../../src/engine/fragment-mask.ts";
import { PAGE_BYTES, PagePool } from "../../src/net/page-pool.ts";
import { makeParity, restoreBlock } from "../../src/net/parity.ts";
import { BlockKind, fragmentCount, FRAGMENT_PAYLOAD_BYTES, isParity } from "../../src/wire/datagram.ts";
import { BLOCK_FRAGMENTS, PARITY_FRAGMENTS } from "../../src/wire/limits.ts";

/** Fragments and parity of a block in any order, as single ones and as trains: engine, pages and codec together. */

const KEY = { epoch: "0011223344556677", transfer: 1, admission: 1 };
const FULL = FRAGMENT_PAYLOAD_BYTES;

/** A block at its sender, with all of its parity. */
function blockOf(random: Random) {
  const sealed = randomBytes(random, FULL + 1 + below(random, FULL * (BLOCK_FRAGMENTS - 1)));
  const parity = new Map<number, Buffer>();
  const indexes = Array.from({ length: PARITY_FRAGMENTS }, (_, row) => BLOCK_FRAGMENTS + row);
  const laid = { bytes: sealed, start: 0, stride: FULL, fullBytes: FULL, sealedBytes: sealed.length };
  makeParity(laid, indexes, (bytes, index) => parity.set(index, Buffer.from(bytes)));
  const payloadOf = (index: number) =>
    parity.get(index) ?? Buffer.from(sealed.subarray(index * FULL, (index + 1) * FULL));
  return { sealed, payloadOf, fragments: fragmentCount(sealed.length) };
}

/** A receiver of one block. */
class Receiver {
  private readonly pool = new PagePool(4);
  private readonly pages = new InboundPages(this.pool);
  private readonly assembly = new Assembly(8);
  private readonly block: ReturnType<typeof blockOf>;
  private reading = this.pool.take()!;
  moved = 0;
  restored = 0;

  constructor(block: ReturnType<typeof blockOf>) {
    this.block = block;
    this.pages.open(KEY);
  }

  /** @returns the sealed block, as soon as it is whole */
  take(first: number, count: number, asTrain: boolean): Uint8Array | undefined {
    const { sealed, payloadOf } = this.block;
    const mask = { low: 0, high: 0 };
    setMask(mask, first, count);
    this.assembly.accept(0, mask, sealed.length, BlockKind.data);
    if ((mask.low | mask.high) === 0) return undefined;
    this.moved += this.assembly.moves.length;
    for (const move of this.assembly.moves) this.pages.moveFragment(KEY, 0, move, FULL);
    if (asTrain && !isParity(first)) {
      for (let at = 0; at < count; at++)
        this.pool.bytes.set(payloadOf(first + at), this.reading * PAGE_BYTES + at * FULL);
      this.reading = this.pages.keepRun(KEY, 0, first, count, this.reading);
    } else {
      for (let index = first; index < first + count; index++) {
        if (!hasFragment(mask.low, mask.high, index)) continue;
        const payload = payloadOf(index);
        const place = { block: 0, index, fullBytes: FULL, payloadStart: 0, payloadBytes: payload.length };
        this.pages.keepFragment(KEY, place, payload, this.assembly.placeOf(0, index));
      }
    }
    return this.whole();
  }

  private whole(): Uint8Array | undefined {
    const whole = this.assembly.takeWhole();
    if (whole === undefined) return undefined;
    const start = this.pages.handOver(KEY, 0) * PAGE_BYTES;
    const { sealedBytes, restoration } = whole;
    const page = this.pool.bytes.subarray(start, start + PAGE_BYTES);
    if (restoration !== undefined) {
      this.restored++;
      const { fullBytes, parity } = restoration;
      restoreBlock({ bytes: page, start: 0, stride: fullBytes, fullBytes, sealedBytes }, parity);
    }
    return page.subarray(0, sealedBytes);
  }
}

test("a block is whole as soon as enough has come, and is what was sent", () => {
  const random = new SeededRandom(1);
  let [moved, restored] = [0, 0];
  for (let round = 0; round < 300; round++) {
    const block = blockOf(random);
    const receiver = new Receiver(block);
    const { fragments } = block;
    const come = new Set<number>();
    let whole: Uint8Array | undefined;
    const parityShare = round % 5;
    while (whole === undefined) {
      const wantsParity = below(random, 6) < parityShare;
      const first = wantsParity
        ? BLOCK_FRAGMENTS + below(random, PARITY_FRAGMENTS)
        : below(random, fragments);
      const count = wantsParity ? 1 : 1 + below(random, Math.min(12, fragments - first));
      for (let index = first; index < first + count; index++) come.add(index);
      whole = receiver.take(first, count, below(random, 2) === 0);
      assert.equal(
        whole !== undefined,
        come.size >= fragments,
        `round ${round}: ${come.size} of ${fragments}`,
      );
    }
    assert.ok(Buffer.from(whole).equals(block.sealed), `round ${round}`);
    moved += receiver.moved;
    restored += receiver.restored;
  }
  assert.ok(moved > 200 && restored > 100, `${moved} moved, ${restored} restored`);
});
