import { hasFragment } from "../../src/engine/fragment-mask.ts";
import type { Effect } from "../../src/engine/types.ts";
import {
  epochHalves,
  FRAGMENT_PAYLOAD_BYTES,
  fragmentCount,
  FragmentHeader,
  isParity,
} from "../../src/wire/datagram.ts";
import { BLOCK_FRAGMENTS, PARITY_FRAGMENTS } from "../../src/wire/limits.ts";
import { check } from "./check.ts";
import type { WireBlock } from "./source-driver.ts";

/** The headers of the fragments of a block that are to be sent. */
export function fragmentsOf(
  epoch: string,
  { sealedBytes, kind }: WireBlock,
  { transfer, block, maskLow, maskHigh, stamp: first }: Extract<Effect, { kind: "send-block" }>,
): FragmentHeader[] {
  const { high: epochHigh, low: epochLow } = epochHalves(epoch);
  const fragments: FragmentHeader[] = [];
  for (let index = 0; index < BLOCK_FRAGMENTS + PARITY_FRAGMENTS; index++) {
    if (!hasFragment(maskLow, maskHigh, index)) continue;
    check(index < fragmentCount(sealedBytes) || isParity(index), "only fragments that there are are sent");
    const stamp = (first + fragments.length) >>> 0;
    const payloadBytes = FRAGMENT_PAYLOAD_BYTES;
    const fields = { epochHigh, epochLow, transfer, block, stamp, sealedBytes, index, kind, payloadBytes };
    fragments.push(Object.assign(new FragmentHeader(), fields));
  }
  return fragments;
}
