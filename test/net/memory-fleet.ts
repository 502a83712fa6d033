import assert from "node:assert/strict";
import { hexOf } from "../../src/base/hex.ts";
import { fraction, randomBytes, SeededRandom } from "../../src/base/random.ts";
import { Counters } from "../../src/daemon/pump/counters.ts";
import { InboundDatagrams } from "../../src/daemon/pump/inbound-datagrams.ts";
import { NodeEngine } from "../../src/engine/node.ts";
import { hasFragment } from "../../src/engine/fragment-mask.ts";
import { type Address, type Effect, inboundName, type Input } from "../../src/engine/types.ts";
import { InboundPages } from "../../src/daemon/pump/inbound-pages.ts";
import { TransferKeys } from "../../src/daemon/pump/transfer-keys.ts";
import { PAGE_BYTES, PagePool } from "../../src/net/page-pool.ts";
import { makeParity, restoreBlock } from "../../src/net/parity.ts";
import { ForeignSources } from "../../src/net/foreign-sources.ts";
import { KeyRing } from "../../src/net/key-ring.ts";
import { ControlOpener, ControlSealer, FleetKey } from "../../src/net/sealing.ts";
import { FRAGMENT_PAYLOAD_BYTES, isParity } from "../../src/wire/datagram.ts";
import { BLOCK_FRAGMENTS, PARITY_FRAGMENTS, WINDOW_BLOCKS } from "../../src/wire/limits.ts";
import { encodeMessage } from "../../src/wire/message.ts";
import { encodeDatagram } from "../wire/datagrams.ts";
import { naiveLength } from "../wire/naive-decoder.ts";
import { plainOf } from "../wire/plain.ts";
import { scatter } from "./scatter.ts";
import { MemorySource, MemoryStage, type Tree } from "./memory-disk.ts";

/** Nodes without sockets and disks: real engines, real seals, real datagrams, virtual time. */

const OPTIONS = { windowBlocks: WINDOW_BLOCKS, socketFragments: 400, fragmentsPerSecond: Infinity };
const LOSS = 0.02;
const PORT = 5000;

interface Packet {
  readonly from: MemoryNode;
  readonly to: MemoryNode;
  readonly bytes: Buffer;
}

export class MemoryFleet {
  readonly nodes: MemoryNode[];
  readonly fleetKey = new FleetKey(Buffer.alloc(32, 1));
  /** Called after every honest delivery. */
  onDelivered: (node: MemoryNode) => void = () => undefined;
  /** Who does not hear whom. */
  isCut: (from: MemoryNode, to: MemoryNode) => boolean = () => false;
  nowMs = 0;
  private queue: Packet[] = [];
  private readonly random: SeededRandom;

  constructor(names: readonly string[], seed: number) {
    this.random = new SeededRandom(seed);
    this.nodes = names.map((name, index) => new MemoryNode(this, name, `10.0.0.${index + 1}`, this.random));
    for (const node of this.nodes) node.engine.membership.start(0);
  }

  /** Puts datagrams on the wire, for one address or for all; some of them are lost for some nodes. */
  send(from: MemoryNode, to: Address | undefined, datagrams: readonly Buffer[]): void {
    for (const node of this.nodes) {
      if (node === from || (to !== undefined && node.address.ip !== to.ip)) continue;
      if (this.isCut(from, node)) continue;
      const arriving = datagrams.filter(() => fraction(this.random) >= LOSS);
      if (arriving.length > 0) this.queue.push({ from, to: node, bytes: Buffer.concat(arriving) });
    }
  }

  /** One millisecond. What arrives in it arrives in one bunch, as sockets give it under load. */
  step(): void {
    this.nowMs++;
    for (const { from, to, bytes } of this.queue.splice(0)) {
      to.take(bytes, from.address);
      to.noteSeen(bytes);
      this.onDelivered(to);
    }
    for (const node of this.nodes) node.work();
  }

  runUntil(isDone: () => boolean, mostMs: number): void {
    for (const endMs = this.nowMs + mostMs; !isDone();) {
      assert.ok(this.nowMs < endMs, `not done after ${mostMs} ms of virtual time`);
      this.step();
    }
  }

  /** Until everybody knows everybody. */
  join(): void {
    this.runUntil(
      () => this.nodes.every((node) => node.engine.membership.size === this.nodes.length - 1),
      5000,
    );
  }
}

function isTold(effect: Effect): boolean {
  return (
    effect.kind === "event" &&
    (effect.event.kind === "problem-began" || effect.event.kind === "problem-ended")
  );
}

export class MemoryNode {
  readonly nodeId: string;
  readonly epoch: string;
  readonly address: Address;
  readonly engine: NodeEngine;
  readonly counters = new Counters();
  readonly tree: Tree = new Map();
  readonly stages = new Map<string, MemoryStage>();
  /** All that the engine has asked for, and when. */
  readonly transcript: string[] = [];
  /** Every datagram that has arrived, once for each time. */
  readonly seen: Buffer[] = [];
  readonly results: Extract<Effect, { kind: "event" }>["event"][] = [];
  /** How many blocks were restored with parity. */
  restored = 0;
  private readonly fleet: MemoryFleet;
  private readonly sealer: ControlSealer;
  private readonly inbound: InboundDatagrams;
  private readonly pool = new PagePool(2 * WINDOW_BLOCKS);
  private readonly pages: InboundPages;
  private readingPage = this.pool.take()!;
  private readonly sources = new Map<number, MemorySource>();
  /** What the disk and the socket have answered. */
  private answers: Input[] = [];

  constructor(fleet: MemoryFleet, name: string, ip: string, random: SeededRandom) {
    this.fleet = fleet;
    this.address = { ip, port: PORT };
    this.nodeId = hexOf(randomBytes(random, 16));
    this.epoch = hexOf(randomBytes(random, 8));
    const info = { hostName: name, version: "2.0.0", protocol: 3, receives: true, sends: true, labels: [] };
    const { nodeId, epoch } = this;
    const self = { nodeId, epoch, address: this.address };
    this.engine = new NodeEngine(self, info, OPTIONS, new SeededRandom(random.u32()));
    this.sealer = new ControlSealer(fleet.fleetKey, nodeId, epoch);
    this.pages = new InboundPages(this.pool);
    const ring = new KeyRing([fleet.fleetKey]);
    this.inbound = new InboundDatagrams({
      engine: this.engine,
      opener: new ControlOpener(ring),
      keys: new TransferKeys(ring, epoch),
      foreign: new ForeignSources(),
      counters: this.counters,
      pages: this.pages,
      nowMs: () => fleet.nowMs,
      // What is thrown at a node is counted one by one; the budget has tests of its own.
      strangers: { take: () => true },
    });
  }

  startTransfer(transfer: number, tree: Tree): void {
    const key = this.fleet.fleetKey.transferKey(this.epoch, transfer);
    this.sources.set(transfer, new MemorySource(key, transfer, tree));
    const targets = [...this.engine.membership.members];
    const request = { transfer, targets, dryRun: false, allOrNothing: false };
    this.engine.handle({ kind: "start-transfer", request }, this.fleet.nowMs);
    // The first block is made so soon that it goes out right behind the OFFER.
    this.pump();
    this.work();
  }

  /** What arrives in one piece arrives as sockets give it: scattered where it is a train, or else as it is. */
  take(bytes: Buffer, { ip, port }: Address): void {
    const train = { ...scatter(bytes, this.pool, this.readingPage), ip, port };
    const isTaken = this.inbound.takeTrain(train);
    this.readingPage = train.page;
    if (!isTaken) this.inbound.takeDatagrams(bytes, 0, bytes.length, ip, port);
  }

  noteSeen(train: Buffer): void {
    for (let start = 0; start < train.length;) {
      const length = naiveLength(train, start);
      this.seen.push(train.subarray(start, start + length));
      start += length;
    }
  }

  /** What was due, and the answers to what was asked for. */
  work(): void {
    const { nowMs } = this.fleet;
    for (const answer of this.answers.splice(0)) this.engine.handle(answer, nowMs);
    if (this.engine.nextDeadlineMs() <= nowMs) this.engine.handle({ kind: "tick" }, nowMs);
    this.pump();
  }

  pump(): void {
    this.engine.afterFragments(this.fleet.nowMs);
    for (let effect = this.engine.poll(); effect !== undefined; effect = this.engine.poll()) {
      // Strangers are named to people; that is no part of what a node does.
      if (!isTold(effect)) this.transcript.push(`${this.fleet.nowMs} ${JSON.stringify(plainOf(effect))}`);
      this.execute(effect);
    }
  }

  private execute(effect: Effect): void {
    switch (effect.kind) {
      case "send": {
        const { destination } = effect;
        const datagram = this.sealer.seal(encodeMessage(effect.message));
        this.fleet.send(this, destination.to === "group" ? undefined : destination.address, [datagram]);
        break;
      }
      case "send-block":
        this.sendBlock(effect);
        break;
      case "produce":
        this.answers.push(this.sources.get(effect.transfer)!.produce(effect.count));
        break;
      case "settle":
        this.sources.get(effect.transfer)!.settle(effect.union);
        break;
      case "close-source":
        this.sources.delete(effect.transfer);
        break;
      case "event":
        if (effect.event.kind === "inbound-ended") this.pages.close(effect.event.key);
        this.results.push(effect.event);
        break;
      case "serve":
        // These nodes keep no log of publications.
        break;
      default:
        this.executeStaging(effect);
    }
  }

  private executeStaging(effect: Extract<Effect, { key: unknown }>): void {
    const { key } = effect;
    const name = inboundName(key);
    if (effect.kind === "open-stage") {
      const secret = this.fleet.fleetKey.transferKey(key.epoch, key.transfer);
      this.stages.set(name, new MemoryStage(secret, key.transfer));
      this.pages.open(key);
      return;
    }
    const stage = this.stages.get(name)!;
    switch (effect.kind) {
      case "stage": {
        const page = this.pages.handOver(key, effect.block);
        const start = page * PAGE_BYTES;
        const { sealedBytes, restoration } = effect;
        if (restoration !== undefined) {
          const { fullBytes, parity } = restoration;
          this.restored++;
          restoreBlock({ bytes: this.pool.bytes, start, stride: fullBytes, fullBytes, sealedBytes }, parity);
        }
        const sealed = this.pool.bytes.subarray(start, start + sealedBytes);
        const outcome = stage.stage(effect.block, effect.blockKind, sealed);
        this.pages.give(page);
        this.answers.push({ kind: "staged", key, blocks: [effect.block], outcome });
        break;
      }
      case "prepare":
        assert.ok(stage.isComplete, "prepared before it was complete");
        this.answers.push({ kind: "prepared", key, failure: undefined, isRefusal: false, findings: 0 });
        break;
      case "commit":
        stage.commit(this.tree);
        this.answers.push({ kind: "committed", key, failure: undefined });
        break;
      case "discard":
        this.stages.delete(name);
        break;
    }
  }

  private sendBlock(effect: Extract<Effect, { kind: "send-block" }>): void {
    const { transfer, block } = effect;
    const { bytes, kind: blockKind } = this.sources.get(transfer)!.blocks[block]!;
    const sealedBytes = bytes.length;
    const datagrams: Buffer[] = [];
    const stride = FRAGMENT_PAYLOAD_BYTES;
    for (let index = 0; index < BLOCK_FRAGMENTS + PARITY_FRAGMENTS; index++) {
      if (!hasFragment(effect.maskLow, effect.maskHigh, index)) continue;
      const stamp = (effect.stamp + datagrams.length) >>> 0;
      let payload = bytes.subarray(index * stride, (index + 1) * stride);
      const laid = { bytes, start: 0, stride, fullBytes: stride, sealedBytes };
      if (isParity(index)) makeParity(laid, [index], (parity) => (payload = Buffer.from(parity)));
      const full = FRAGMENT_PAYLOAD_BYTES;
      const numbers = { full, transfer, block, stamp, sealedBytes, index, blockKind };
      datagrams.push(
        Buffer.from(encodeDatagram({ kind: "fragment", epoch: this.epoch, ...numbers, payload })),
      );
    }
    this.fleet.send(this, undefined, datagrams);
    this.answers.push({ kind: "sent", transfer });
  }
}
