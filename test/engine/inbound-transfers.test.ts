import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../src/base/random.ts";
import { CommitOrder } from "../../src/engine/commit-order.ts";
import { InboundTransfers } from "../../src/engine/receiver/inbound-transfers.ts";
import type { Member } from "../../src/engine/types.ts";
import { BlockKind, epochHalves, FragmentHeader } from "../../src/wire/datagram.ts";

/** To which of several transfers a fragment belongs. */

const SELF = "a".repeat(16);
const INFO = { hostName: "host", version: "1", protocol: 3, receives: true, sends: true, labels: [] };
const ADDRESS = { ip: "10.0.0.1", port: 5000 };

function fragment(epoch: string, transfer: number, block: number): FragmentHeader {
  const { high: epochHigh, low: epochLow } = epochHalves(epoch);
  const fields = { epochHigh, epochLow, transfer, block, stamp: 0, index: 0, kind: BlockKind.data };
  return Object.assign(new FragmentHeader(), { ...fields, sealedBytes: 5000 });
}

test("transfers are told apart by both halves of the epoch, and by their number", () => {
  const inbound = new InboundTransfers({
    selfEpoch: SELF,
    receives: true,
    options: { windowBlocks: 16, socketFragments: 100, fragmentsPerSecond: Infinity },
    random: new SeededRandom(1),
    members: () => 2,
    places: new CommitOrder(),
    effects: [],
  });
  const epochs = ["0000000100000001", "0000000100000002", "0000000200000001"];
  for (const epoch of epochs) {
    const member: Member = { nodeId: epoch.repeat(2), epoch, address: ADDRESS, info: INFO, joinedMs: 0 };
    for (const transfer of [1, 2])
      inbound.handleMessage(
        member,
        { type: "offer", body: { transfer, dryRun: false, allOrNothing: false, rank: 1, targets: [SELF] } },
        0,
      );
  }
  const keyOf = (epoch: string, transfer: number, block: number) => {
    const key = inbound.acceptRun(fragment(epoch, transfer, block), 1, ADDRESS);
    return key && { epoch: key.epoch, transfer: key.transfer };
  };
  for (const block of [0, 1])
    for (const transfer of [1, 2])
      for (const epoch of block === 0 ? epochs : epochs.toReversed())
        assert.deepEqual(keyOf(epoch, transfer, block), { epoch, transfer });
  assert.deepEqual(keyOf(epochs[0]!, 1, 5), { epoch: epochs[0], transfer: 1 });
  assert.deepEqual(
    keyOf(epochs[2]!, 1, 5),
    { epoch: epochs[2], transfer: 1 },
    "they differ in the first half",
  );
  assert.equal(keyOf("0000000200000002", 1, 0), undefined);
  assert.equal(keyOf(epochs[2]!, 3, 0), undefined);
});
