import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { BlockKind, SEALED_BLOCK_BYTES } from "../../src/wire/datagram.ts";
import { MemberPhase } from "../../src/wire/status-message.ts";
import { keyOf, ScriptedReceiver, SOCKET_FRAGMENTS, WINDOW_BLOCKS } from "./scripted-receiver.ts";

/** One transfer at a member while blocks arrive: what it takes, and what it says is missing. */

const WHOLE = { count: 44, sealedBytes: SEALED_BLOCK_BYTES };
const MANIFEST = { kind: BlockKind.manifest };

test("an offer is taken at once, and only by those that it names", () => {
  const node = new ScriptedReceiver();
  node.hear({
    type: "offer",
    body: { transfer: 1, dryRun: false, allOrNothing: false, rank: 1, targets: ["0".repeat(16)] },
  });
  assert.deepEqual([node.takeDisk(), node.takeStatuses()], [[], []]);
  node.offer();
  node.run(1);
  assert.deepEqual(node.takeDisk(), [{ kind: "open-stage", key: keyOf(), dryRun: false }]);
  assert.deepEqual(node.takeStatuses(), [
    {
      sender: keyOf().epoch,
      transfer: 1,
      phase: MemberPhase.receiving,
      stamp: 0,
      stagedBelow: 0,
      windowEnd: WINDOW_BLOCKS,
      inFlight: SOCKET_FRAGMENTS,
      received: 0,
      missingRuns: [],
      missingFragments: [],
      wants: [],
      reason: "",
      findings: 0,
      worked: 0,
      order: 0,
      admission: 1,
      ahead: 0,
    },
  ]);
  node.offer();
  node.run(1);
  assert.deepEqual([node.takeDisk().length, node.takeStatuses().length], [0, 1], "it is known already");
});

test("fragments are taken from the address of the sender alone, and for the transfers that were offered", () => {
  const node = new ScriptedReceiver(2);
  assert.ok(!node.fragments(0), "nothing was offered");
  node.offer();
  assert.ok(!node.fragments(0, { sender: 1 }));
  assert.ok(!node.fragments(0, { port: 5001 }));
  assert.ok(!node.fragments(0, { transfer: 2 }));
  assert.ok(node.fragments(0));
  assert.ok(!node.fragments(0), "it is there already");
});

test("a block is staged when its last fragment is there, whatever their order", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.takeDisk();
  node.fragments(1, { ...WHOLE, first: 20, count: 24 });
  node.fragments(1, { ...WHOLE, first: 10, count: 20 });
  node.fragments(1, { ...WHOLE, first: 0, count: 9 });
  assert.deepEqual(node.takeDisk(), []);
  node.fragments(1, { ...WHOLE, first: 9, count: 1 });
  const stage = { kind: "stage", key: keyOf(), block: 1, sealedBytes: SEALED_BLOCK_BYTES, blockKind: 2 };
  assert.deepEqual(node.takeDisk(), [stage]);
});

test("data is staged as it comes, manifest blocks one after the other in their order", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.takeDisk();
  const staged = () => node.takeDisk().map((effect) => (effect.kind === "stage" ? effect.block : undefined));
  node.fragments(3);
  node.fragments(2, MANIFEST);
  node.fragments(1, MANIFEST);
  assert.deepEqual(staged(), [3]);
  node.fragments(0, MANIFEST);
  assert.deepEqual(staged(), [0]);
  node.compared(0, new Bitmap(1));
  assert.deepEqual(staged(), [1]);
  node.compared(1, new Bitmap(1));
  assert.deepEqual(staged(), [2]);
});

test("blocks beyond the window are not taken, until those before have been staged", () => {
  const node = new ScriptedReceiver();
  node.offer();
  assert.ok(node.fragments(WINDOW_BLOCKS - 1));
  assert.ok(!node.fragments(WINDOW_BLOCKS));
  node.fragments(0);
  node.staged([0]);
  assert.ok(node.fragments(WINDOW_BLOCKS));
  assert.ok(!node.fragments(0), "what is staged is not taken again");
  node.run(2000);
  const { stagedBelow, windowEnd } = node.takeStatus();
  assert.deepEqual([stagedBelow, windowEnd], [1, WINDOW_BLOCKS + 1]);
});

test("a gap is told of after two milliseconds, and again as long as it stays", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.run(10);
  node.takeStatuses();
  node.fragments(0, { ...WHOLE, count: 40, stamp: 0 });
  node.fragments(4, { stamp: 45 });
  node.run(2);
  assert.deepEqual(node.takeStatuses(), [], "the network may just have changed the order");
  node.run(2);
  const status = node.takeStatus();
  assert.deepEqual(status.missingFragments, [{ block: 0, maskLow: 0, maskHigh: 0b1111_0000_0000 }]);
  assert.deepEqual(status.missingRuns, [{ firstBlock: 1, blocks: 3 }]);
  assert.deepEqual([status.stamp, status.received], [46, 41]);
  node.run(12);
  assert.deepEqual(node.takeStatuses(), []);
  node.run(3);
  assert.deepEqual(node.takeStatus().missingRuns, [{ firstBlock: 1, blocks: 3 }]);
});

test("what has come in the meantime is not called missing", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.run(10);
  node.takeStatuses();
  node.fragments(0);
  node.fragments(2);
  node.fragments(1);
  node.run(50);
  assert.deepEqual(node.takeStatuses(), []);
});

test("a question is answered with all that is missing of what the sender says that it has sent", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.run(10);
  node.takeStatuses();
  node.progress({ sentBlocks: 3, stamp: 130, poll: true });
  const status = node.takeStatus();
  assert.deepEqual([status.missingRuns, status.stamp], [[{ firstBlock: 0, blocks: 3 }], 130]);
  node.progress({ sentBlocks: 3, stamp: 130 });
  assert.deepEqual(node.takeStatuses(), [], "this is no question");
});

test("a stamp further ahead than the sender can have come is not believed", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.run(10);
  const furthest = SOCKET_FRAGMENTS + 4 * 44;
  for (const stamp of [furthest, 2 ** 30, 2 ** 32 - 1]) {
    node.fragments(0, { ...WHOLE, count: 1, stamp });
    node.run(2000);
    assert.equal(node.takeStatus().stamp, 0, `${stamp}`);
  }
  node.fragments(0, { ...WHOLE, first: 1, count: 1, stamp: furthest - 1 });
  node.run(2000);
  assert.equal(node.takeStatus().stamp, furthest);
  node.fragments(0, { ...WHOLE, first: 2, count: 1, stamp: 5 });
  node.run(2000);
  assert.equal(node.takeStatus().stamp, furthest, "it does not go back");
});

test("a block that does not open is missing again, and so are manifest blocks behind it for a while", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.fragments(0, MANIFEST);
  node.fragments(1, MANIFEST);
  node.takeDisk();
  node.takeStatuses();
  node.handle({ kind: "staged", key: keyOf(), blocks: [0], outcome: { kind: "corrupt" } });
  node.run(4);
  assert.deepEqual(node.takeStatus().missingRuns, [{ firstBlock: 0, blocks: 1 }]);
  assert.deepEqual(node.takeDisk(), []);
  node.fragments(0, MANIFEST);
  const blocks = () => node.takeDisk().map((effect) => (effect.kind === "stage" ? effect.block : undefined));
  assert.deepEqual(blocks(), [0]);
  node.compared(0, new Bitmap(1));
  assert.deepEqual(blocks(), [1]);
});

test("fragments that contradict the ones before begin the block anew", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.takeDisk();
  node.fragments(0, { ...WHOLE, count: 43 });
  node.fragments(0, { sealedBytes: 1408 + 20, first: 0, count: 1 });
  node.fragments(0, { sealedBytes: 1408 + 20, first: 1, count: 1 });
  const stage = { kind: "stage", key: keyOf(), block: 0, sealedBytes: 1428, blockKind: 2 };
  assert.deepEqual(node.takeDisk(), [stage]);
});

test("an answer to a manifest block is repeated until the sender confirms it", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.fragments(0, MANIFEST);
  node.takeStatuses();
  const entries = new Bitmap(3, new Uint8Array([0b101]));
  node.compared(0, entries);
  const wants = [{ block: 0, entries, differences: undefined }];
  assert.deepEqual(node.takeStatus().wants, wants);
  node.run(39);
  assert.deepEqual(node.takeStatuses(), []);
  node.run(3);
  assert.deepEqual(node.takeStatus().wants, wants);
  node.progress({ sentBlocks: 1, stamp: 1, settledBelow: 0, poll: true });
  assert.deepEqual(node.takeStatus().wants, [], "it has just been said");
  node.progress({ sentBlocks: 1, stamp: 1, settledBelow: 1 });
  node.run(500);
  assert.ok(node.takeStatuses().every((status) => status.wants.length === 0));
});

test("however little arrives, a member is heard of once a second", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.run(10);
  node.takeStatuses();
  for (let second = 0; second < 5; second++) {
    for (let part = 0; part < 4; part++) {
      node.fragments(0, { ...WHOLE, first: second * 4 + part, stamp: second * 4 + part });
      node.run(250);
    }
    assert.ok(node.takeStatuses().length <= 1);
  }
  assert.equal(node.engine.isIdle, false);
});

test("a quarter of the socket buffer brings a report, and so does a quarter of the window", () => {
  const node = new ScriptedReceiver();
  node.offer();
  node.run(10);
  node.takeStatuses();
  node.fragments(0, { ...WHOLE, stamp: 0 });
  node.fragments(1, { ...WHOLE, stamp: 44 });
  assert.deepEqual(node.takeStatuses(), []);
  node.fragments(2, { ...WHOLE, count: 12, stamp: 88 });
  assert.equal(node.takeStatus().stamp, 100);
  node.fragments(2, { ...WHOLE, first: 12, count: 32, stamp: 100 });
  node.fragments(3, { ...WHOLE, stamp: 132 });
  node.staged([0]);
  node.staged([1, 2]);
  assert.deepEqual(node.takeStatuses(), []);
  node.staged([3]);
  assert.equal(node.takeStatus().stagedBelow, 4);
});

test("several transfers share the socket buffer", () => {
  const node = new ScriptedReceiver();
  node.offer(1);
  node.run(1);
  assert.equal(node.takeStatus().inFlight, SOCKET_FRAGMENTS);
  node.offer(2);
  node.offer(3);
  node.run(1);
  assert.equal(node.takeStatus().inFlight, Math.floor(SOCKET_FRAGMENTS / 3));
});
