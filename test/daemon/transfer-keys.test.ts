import assert from "node:assert/strict";
import { test } from "node:test";
import { TransferKeys } from "../../src/daemon/pump/transfer-keys.ts";
import { KeyRing } from "../../src/net/key-ring.ts";
import type { FleetKey } from "../../src/net/sealing.ts";
import type { ControlMessage } from "../../src/wire/message.ts";

const SELF = "0123456789abcdef";
const MEMBER = "fedcba9876543210";
const [OLD, NEW] = [1, 2].map((byte) => Buffer.alloc(32, byte)) as [Buffer, Buffer];

const commit = (transfer: number): ControlMessage => ({
  type: "commit",
  body: { transfer, order: 1, targets: [] },
});
const offer = (transfer: number): ControlMessage => ({
  type: "offer",
  body: { transfer, dryRun: false, allOrNothing: false, rank: 1, targets: [SELF] },
});
const inquiry = (transfer: number): ControlMessage => ({ type: "inquiry", body: { transfer, first: 0 } });
const findings = (sender: string, transfer: number): ControlMessage => ({
  type: "findings",
  body: { sender, transfer, first: 0, hasMore: false, findings: [] },
});
const query = (sender: string, transfer: number): ControlMessage => ({
  type: "query",
  body: { sender, transfer },
});
const relay = (sender: string, transfer: number): ControlMessage => ({
  type: "relay",
  body: { sender, transfer, order: 1, targets: [SELF] },
});
const exit: ControlMessage = { type: "exit", body: null };

/** A node of which the key is changed while it sends transfer 1 and receives transfer 1 of a member. */
function changed(): { keys: TransferKeys; ring: KeyRing; oldKey: FleetKey; newKey: FleetKey } {
  const ring = KeyRing.of([OLD]);
  const keys = new TransferKeys(ring, SELF);
  const oldKey = keys.begin(1);
  keys.noteOffer({ epoch: MEMBER, transfer: 1 }, oldKey);
  keys.open({ epoch: MEMBER, transfer: 1 });
  ring.replace(ring.keysOf([NEW]), (key) => keys.isInUse(key), 0);
  return { keys, ring, oldKey, newKey: ring.sealing };
}

test("messages about a transfer keep its key in both directions, and all others have the new one", () => {
  const { keys, oldKey, newKey } = changed();
  for (const message of [commit(1), inquiry(1), findings(MEMBER, 1), query(MEMBER, 1), relay(MEMBER, 1)]) {
    assert.equal(keys.keyFor(message), oldKey, message.type);
  }
  for (const message of [
    exit,
    commit(2),
    findings(MEMBER, 2),
    ...[findings, query, relay].map((about) => about("0".repeat(16), 1)),
  ]) {
    assert.equal(keys.keyFor(message), newKey, message.type);
  }
  assert.equal(keys.begin(2), newKey);
  keys.noteOffer({ epoch: MEMBER, transfer: 2 }, newKey);
  assert.equal(keys.open({ epoch: MEMBER, transfer: 2 }), newKey);
});

test("under a key that was taken away, only messages about its own transfers are taken", () => {
  const { keys, oldKey, newKey } = changed();
  for (const message of [offer(1), commit(1), inquiry(1), findings(SELF, 1)]) {
    assert.ok(keys.mayTake(MEMBER, message, oldKey), message.type);
  }
  const alive: ControlMessage = {
    type: "alive",
    body: { info: { hostName: "evil", version: "1", protocol: 3, receives: true, sends: true, labels: [] } },
  };
  for (const message of [offer(2), commit(2), findings(SELF, 2), exit, alive]) {
    assert.ok(!keys.mayTake(MEMBER, message, oldKey), message.type);
    assert.ok(keys.mayTake(MEMBER, message, newKey), message.type);
  }
  assert.ok(!keys.mayTake("0".repeat(16), commit(1), oldKey), "of another member");
});

test("an offer that is repeated under another key does not change the key of its transfer", () => {
  const ring = KeyRing.of([OLD, NEW]);
  const keys = new TransferKeys(ring, SELF);
  const [oldKey, newKey] = ring.opening as [FleetKey, FleetKey];
  const key = { epoch: MEMBER, transfer: 7 };
  keys.noteOffer(key, newKey);
  keys.noteOffer(key, oldKey);
  assert.equal(keys.open(key), newKey);
  keys.noteOffer(key, oldKey);
  assert.equal(keys.keyFor(findings(MEMBER, 7)), newKey);
});

test("the key of a transfer that is over is needed no more, and still answers late questions", () => {
  const { keys, oldKey } = changed();
  keys.finish(1);
  assert.ok(keys.isInUse(oldKey));
  keys.close({ epoch: MEMBER, transfer: 1 });
  assert.ok(!keys.isInUse(oldKey));
  assert.equal(keys.keyFor(findings(MEMBER, 1)), oldKey);
  assert.ok(keys.mayTake(MEMBER, commit(1), oldKey));
});

test("transfers that do not run are few in memory, and those that run are never forgotten", () => {
  const { keys, ring, oldKey } = changed();
  for (let transfer = 2; transfer < 2_000; transfer++) {
    keys.noteOffer({ epoch: MEMBER, transfer }, ring.sealing);
  }
  assert.equal(keys["others"].size, 1_280);
  assert.equal(keys.keyFor(findings(MEMBER, 1)), oldKey);
});
