import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Counters } from "../../src/daemon/pump/counters.ts";
import { type CommitDecision, GO_ON } from "../../src/daemon/pump/commits.ts";
import { Driver } from "../../src/daemon/pump/driver.ts";
import { InboundDatagrams } from "../../src/daemon/pump/inbound-datagrams.ts";
import { InboundPages } from "../../src/daemon/pump/inbound-pages.ts";
import { TransferKeys } from "../../src/daemon/pump/transfer-keys.ts";
import { NodeEngine } from "../../src/engine/node.ts";
import type { NodeEvent } from "../../src/engine/types.ts";
import { ForeignSources } from "../../src/net/foreign-sources.ts";
import { KeyRing } from "../../src/net/key-ring.ts";
import { PagePool } from "../../src/net/page-pool.ts";
import { ControlOpener, ControlSealer, FleetKey } from "../../src/net/sealing.ts";
import { SeededRandom } from "../../src/base/random.ts";
import {
  BlockKind,
  encodeFragmentHeader,
  epochHalves,
  FRAGMENT_HEADER_BYTES,
  FragmentHeader,
} from "../../src/wire/datagram.ts";
import { INBOUND_TRANSFERS, WINDOW_BLOCKS } from "../../src/wire/limits.ts";
import { type ControlMessage, decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { MemoryNetwork } from "../net/memory-transport.ts";
import { nodeInfo } from "../support/node-info.ts";
import { eventually } from "../support/processes.ts";

/** A transfer that has waited is admitted by another packet than its OFFER (PROTOCOL.md 5.10). */

const SELF = { nodeId: "ff".repeat(16), epoch: "ff".repeat(8), address: { ip: "10.0.0.100", port: 5000 } };
const NETWORK = { windowBlocks: WINDOW_BLOCKS, socketFragments: 300, fragmentsPerSecond: Infinity };
const TRANSFER = 1;
const SEALED_BYTES = 100;
const PAGES = 8;

/** A node with its event pump, and without disks. */
function startMember(context: TestContext, network: MemoryNetwork) {
  const engine = new NodeEngine(SELF, nodeInfo("self"), NETWORK, new SeededRandom(1));
  const fleetKey = new FleetKey(undefined);
  const ring = new KeyRing([fleetKey]);
  const keys = new TransferKeys(ring, SELF.epoch);
  const pool = new PagePool(PAGES);
  const pages = new InboundPages(pool);
  const nowMs = () => performance.now();
  const rest = { counters: new Counters(), foreign: new ForeignSources(), nowMs };
  const inbound = new InboundDatagrams({ engine, opener: new ControlOpener(ring), keys, pages, ...rest });
  const sealer = new ControlSealer(fleetKey, SELF.nodeId, SELF.epoch);
  const transport = network.open(SELF.address.ip);
  const opened: string[] = [];
  const onEvent = (event: NodeEvent) => {
    if (event.kind === "inbound-began") opened.push(event.key.epoch);
  };
  const decide = (_key: unknown, commit: (decision: CommitDecision) => void) => commit(GO_ON);
  const none = { onServe: () => undefined, decide };
  const sides = { sealer, transport, onEvent, ...none, onTurn: () => undefined };
  const driver = new Driver({ engine, epoch: SELF.epoch, keys, inbound, pages, ...sides });
  transport.listen(inbound);
  context.after(() => driver.stop());
  return { engine, driver, inbound, pool, opened };
}

/** A node that answers challenges, and says what a test wants. */
class Sender {
  readonly epoch: string;
  readonly ip: string;
  private readonly sealer: ControlSealer;
  private readonly opener: ControlOpener;

  constructor(network: MemoryNetwork, number: number) {
    const fleetKey = new FleetKey(undefined);
    this.ip = `10.0.0.${number}`;
    this.epoch = number.toString(16).padStart(16, "0");
    this.sealer = new ControlSealer(fleetKey, number.toString(16).padStart(32, "0"), this.epoch);
    this.opener = new ControlOpener(new KeyRing([fleetKey]));
    const transport = network.open(this.ip);
    const takeTrain = () => false;
    transport.listen({
      takeTrain,
      takeDatagrams: (bytes) => {
        const answer = this.answerTo(bytes);
        if (answer !== undefined) transport.sendToNode(answer, SELF.address.ip);
      },
    });
  }

  say(message: ControlMessage): Buffer {
    return this.sealer.seal(encodeMessage(message));
  }

  offer(rank: number): Buffer {
    const body = { transfer: TRANSFER, dryRun: false, allOrNothing: false, rank, targets: [SELF.epoch] };
    return this.say({ type: "offer", body });
  }

  /** The only fragment of the first block. */
  fragment(): Buffer {
    const { high: epochHigh, low: epochLow } = epochHalves(this.epoch);
    const datagram = Buffer.alloc(FRAGMENT_HEADER_BYTES + SEALED_BYTES);
    const header = Object.assign(new FragmentHeader(), {
      ...{ epochHigh, epochLow, transfer: TRANSFER, kind: BlockKind.manifest },
      ...{ sealedBytes: SEALED_BYTES, payloadBytes: SEALED_BYTES },
    });
    encodeFragmentHeader(datagram, 0, header);
    return datagram;
  }

  private answerTo(bytes: Buffer): Buffer | undefined {
    const opened = this.opener.open(bytes);
    if (opened.kind !== "opened") return undefined;
    const { type, body } = decodeMessage(opened.plaintext);
    if (type !== "challenge") return undefined;
    const route = { to: SELF.epoch, from: { ip: this.ip, port: 5000 } };
    const answer = { answer: body.nonce, nonce: "0".repeat(32), ...route, info: nodeInfo("sender") };
    return this.say({ type: "response", body: answer });
  }
}

/** A member that has admitted as many transfers as it can, and lets the one of the last sender wait. */
async function fullMember(context: TestContext) {
  const network = new MemoryNetwork();
  const member = startMember(context, network);
  const { engine, inbound, opened } = member;
  const senders = Array.from({ length: INBOUND_TRANSFERS + 1 }, (_, index) => new Sender(network, index + 1));
  const take = (sender: Sender, ...datagrams: Buffer[]) => {
    const bytes = Buffer.concat(datagrams);
    inbound.takeDatagrams(bytes, 0, bytes.length, sender.ip, 5000);
  };
  for (const sender of senders)
    take(sender, sender.say({ type: "hello", body: { info: nodeInfo("sender") } }));
  await eventually("all are members", () => engine.membership.size === senders.length);
  for (const [index, sender] of senders.entries()) take(sender, sender.offer(index + 1));
  await eventually("all but one are admitted", () => opened.length === INBOUND_TRANSFERS);
  const [first, last] = [senders[0], senders.at(-1)];
  assert.ok(first !== undefined && last !== undefined);
  return { ...member, first, last, take };
}

for (const [how, message] of [
  ["gives its place up", { type: "abort", body: { transfer: TRANSFER, targets: [], reason: "enough" } }],
  ["leaves", { type: "exit", body: null }],
] as const) {
  test(`a transfer is admitted when another sender ${how}, and its blocks follow at once`, async (context) => {
    const { pool, opened, first, last, take } = await fullMember(context);
    take(first, first.say(message));
    take(last, last.fragment());
    await eventually("it is admitted", () => opened.at(-1) === last.epoch);
    let free = 0;
    while (pool.take() !== undefined) free++;
    assert.equal(free, PAGES - 1, "its block lies in a page");
  });
}
