import assert from "node:assert/strict";
import { test } from "node:test";
import { Counters } from "../../src/daemon/pump/counters.ts";
import { InboundDatagrams } from "../../src/daemon/pump/inbound-datagrams.ts";
import { TransferKeys } from "../../src/daemon/pump/transfer-keys.ts";
import { InboundPages } from "../../src/daemon/pump/inbound-pages.ts";
import { NodeEngine } from "../../src/engine/node.ts";
import type { Input } from "../../src/engine/types.ts";
import { PagePool } from "../../src/net/page-pool.ts";
import { ForeignSources } from "../../src/net/foreign-sources.ts";
import { KeyRing } from "../../src/net/key-ring.ts";
import { ControlOpener, ControlSealer, FleetKey } from "../../src/net/sealing.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { type ControlMessage, encodeMessage } from "../../src/wire/message.ts";
import { encodeDatagram } from "../wire/datagrams.ts";
import { nodeInfo } from "../support/node-info.ts";

const SENDER = { nodeId: "aa".repeat(16), epoch: "bb".repeat(8) };
const RECEIVER = { nodeId: "cc".repeat(16), epoch: "dd".repeat(8), address: { ip: "10.0.0.2", port: 5000 } };

/** Takes down in which order messages reach the engine, and trains are asked for. */
class Listener extends NodeEngine {
  readonly order: string[] = [];

  override handle(input: Input): void {
    this.order.push(input.kind === "message" ? input.message.type : input.kind);
  }
}

test("blocks that were sent before are taken in before a word on blocks", () => {
  const fleetKey = new FleetKey(undefined);
  const info = nodeInfo("receiver");
  const options = { windowBlocks: 256, socketFragments: 1000, fragmentsPerSecond: Infinity };
  const engine = new Listener(RECEIVER, info, options, new SeededRandom(1));
  const ring = new KeyRing([fleetKey]);
  const inbound = new InboundDatagrams({
    engine,
    opener: new ControlOpener(ring),
    keys: new TransferKeys(ring, RECEIVER.epoch),
    foreign: new ForeignSources(),
    counters: new Counters(),
    pages: new InboundPages(new PagePool(8)),
    nowMs: () => 0,
  });
  inbound.beforeProgress = () => engine.order.push("trains");
  const sealer = new ControlSealer(fleetKey, SENDER.nodeId, SENDER.epoch);
  const say = (message: ControlMessage) => {
    const datagram = sealer.seal(encodeMessage(message));
    inbound.takeDatagrams(datagram, 0, datagram.length, "10.0.0.1", 5000);
  };
  say({
    type: "offer",
    body: { transfer: 1, dryRun: false, allOrNothing: false, rank: 1, targets: [RECEIVER.epoch] },
  });
  const counts = { sentBlocks: 1, stamp: 44, settledBelow: 0 };
  say({ type: "progress", body: { transfer: 1, ...counts, final: false, poll: true, spreadMs: 0 } });
  assert.deepEqual(engine.order, ["offer", "trains", "progress"]);
});

test("parity that belongs to another block than the one that has begun is counted", () => {
  const counters = new Counters();
  const places = { hasContradicted: true, moves: [], placeOf: () => 0 };
  const engine = { fragmentPlaces: places, acceptFragment: () => undefined } as unknown as NodeEngine;
  const ring = new KeyRing([new FleetKey(undefined)]);
  const inbound = new InboundDatagrams({
    engine,
    opener: new ControlOpener(ring),
    keys: new TransferKeys(ring, RECEIVER.epoch),
    foreign: new ForeignSources(),
    counters,
    pages: new InboundPages(new PagePool(8)),
    nowMs: () => 0,
  });
  const payload = new Uint8Array(1408);
  const numbers = { full: 1408, transfer: 1, block: 2, stamp: 3, sealedBytes: 1409, index: 44, blockKind: 2 };
  const datagram = Buffer.from(
    encodeDatagram({ kind: "fragment", epoch: SENDER.epoch, ...numbers, payload }),
  );
  inbound.takeDatagrams(datagram, 0, datagram.length, "10.0.0.1", 5000);
  assert.deepEqual([counters.malformed, counters.lastMalformedSource], [1, "10.0.0.1"]);
  places.hasContradicted = false;
  inbound.takeDatagrams(datagram, 0, datagram.length, "10.0.0.1", 5000);
  assert.equal(counters.malformed, 1);
});
