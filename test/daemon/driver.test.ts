import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { pino } from "pino";
import { SeededRandom } from "../../src/base/random.ts";
import type { StageAnswer } from "../../src/daemon/disk/messages.ts";
import { DiskThreads } from "../../src/daemon/disk/disk-threads.ts";
import { Counters } from "../../src/daemon/pump/counters.ts";
import { type CommitDecision, GO_ON } from "../../src/daemon/pump/commits.ts";
import { Driver } from "../../src/daemon/pump/driver.ts";
import { InboundDatagrams } from "../../src/daemon/pump/inbound-datagrams.ts";
import { ApartHosts } from "../../src/daemon/pushes/apart-hosts.ts";
import { TransferKeys } from "../../src/daemon/pump/transfer-keys.ts";
import { InboundPages } from "../../src/daemon/pump/inbound-pages.ts";
import { NodeEvents } from "../../src/daemon/pump/node-events.ts";
import { passStageReplies } from "../../src/daemon/pushes/stage-replies.ts";
import { Transfers } from "../../src/daemon/pushes/transfers.ts";
import { NodeEngine } from "../../src/engine/node.ts";
import { PagePool } from "../../src/net/page-pool.ts";
import { ForeignSources } from "../../src/net/foreign-sources.ts";
import { KeyRing } from "../../src/net/key-ring.ts";
import { ControlOpener, ControlSealer, FleetKey } from "../../src/net/sealing.ts";
import { WINDOW_BLOCKS } from "../../src/wire/limits.ts";
import { MemoryNetwork } from "../net/memory-transport.ts";
import { eventually } from "../support/processes.ts";
import { PLAIN_PUSH } from "../support/plain-push.ts";
import { nodeInfo } from "../support/node-info.ts";

/** The event pump over a transport that is not multicast: it knows the interface, and no socket. */

/** A node with its own tree, threads and clock, and a transport in memory. */
function startNode(context: TestContext, network: MemoryNetwork, number: number) {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-driver-"));
  const nodeId = `${number}`.repeat(32);
  const epoch = `${number}`.repeat(16);
  const info = nodeInfo(`host${number}`);
  const options = { windowBlocks: WINDOW_BLOCKS, socketFragments: 300, fragmentsPerSecond: Infinity };
  const engine = new NodeEngine(
    { nodeId, epoch, address: { ip: `10.0.0.${number}`, port: 5000 } },
    info,
    options,
    new SeededRandom(number),
  );
  const ring = new KeyRing([new FleetKey(Buffer.alloc(32, 7))]);
  const keys = new TransferKeys(ring, epoch);
  const foreign = new ForeignSources();
  const pool = new PagePool(2 * WINDOW_BLOCKS);
  const pages = new InboundPages(pool);
  const transport = network.open(`10.0.0.${number}`);
  const inbound = new InboundDatagrams({
    engine,
    opener: new ControlOpener(ring),
    keys,
    foreign,
    counters: new Counters(),
    pages,
    nowMs: () => performance.now(),
  });
  const sealer = new ControlSealer(ring.sealing, nodeId, epoch);
  const events = new NodeEvents();
  const happened: string[] = [];
  const onEvent = events.tell.bind(events);
  const onTurn = () => undefined;
  const decide = (_key: unknown, commit: (decision: CommitDecision) => void) => commit(GO_ON);
  const none = { onServe: () => undefined, decide };
  const parts = { engine, epoch, keys, sealer, transport, inbound, pages };
  const driver = new Driver({ ...parts, ...none, onEvent, onTurn });
  const log = pino({ level: "silent" });
  const settings = {
    base: "/",
    hostName: "self",
    compression: "auto" as const,
    parallel: 1,
    excludes: [],
    ownerMatch: false,
    port: 5000,
  };
  const transfers = new Transfers({
    ...{ engine, driver, log, settings },
    apart: new ApartHosts({ ring, foreign, nowMs: () => driver.nowMs() }),
    isSealed: true,
    publications: { begin: () => ({}), end: () => undefined, beginUndo: () => ({}), catchesUp: () => false },
    watch: { state: { chosen: { name: "lo", ip: "127.0.0.1" }, away: undefined }, datagramBytes: 1440 },
    record: () => undefined,
  });
  events.listen((event) => transfers.onEvent(event));
  events.listen((event) => happened.push(event.kind === "member-left" ? event.reason : event.kind));
  const hearers = {
    log,
    driver,
    received: { onStage: () => undefined },
    hooks: { hold: () => false },
    catchUp: {
      hold: () => false,
      judged: (answer: StageAnswer) => answer,
      noteKept: () => undefined,
      finished: { noteAreas: () => undefined },
    },
  };
  const deleteLimit = { entries: 0, percent: undefined };
  const disks = new DiskThreads(
    {
      base,
      givenBase: base,
      keepOwner: false,
      pages: pool.memory,
      lists: undefined,
      recordsLists: false,
      keepsReady: false,
      rules: {
        excludes: [],
        listsChanges: false,
        deleteLimit,
        isNewcomer: false,
        undo: { pushes: 0, sizeBytes: 0 },
      },
    },
    (reply) => driver.onSource(reply),
    (replies) => passStageReplies(replies, hearers),
    (error) => assert.fail(error),
  );
  driver.attach(disks);
  transport.listen(inbound);
  driver.start();
  context.after(async () => {
    await driver.stop();
    await disks.stop();
    fs.rmSync(base, { recursive: true });
  });
  return { base, engine, driver, transport, transfers, happened };
}

test("a push goes over a transport in memory as it does over multicast", async (context) => {
  const network = new MemoryNetwork();
  const [sender, ...receivers] = [1, 2, 3].map((number) => startNode(context, network, number));
  assert.ok(sender !== undefined);
  const everybody = [sender, ...receivers];
  await eventually("all know all", () => everybody.every(({ engine }) => engine.membership.size === 2));

  const contents = Buffer.alloc(3_000_000, "some contents, again and again; ");
  fs.mkdirSync(path.join(sender.base, "tree"));
  fs.writeFileSync(path.join(sender.base, "tree/large"), contents);
  fs.writeFileSync(path.join(sender.base, "small"), "small");
  const result = await sender.transfers.send(
    PLAIN_PUSH,
    undefined,
    () => undefined,
    new AbortController().signal,
  );

  assert.deepEqual(
    result.hosts.map(({ host, address, outcome }) => [host, address, outcome]),
    [
      ["host2", "10.0.0.2", "done"],
      ["host3", "10.0.0.3", "done"],
    ],
  );
  assert.equal(result.exitStatus, 0);
  for (const { base, transport } of receivers) {
    assert.ok(fs.readFileSync(path.join(base, "tree/large")).equals(contents));
    assert.equal(fs.readFileSync(path.join(base, "small"), "utf8"), "small");
    assert.deepEqual(transport.calls, ["expect trains", "expect no trains"]);
  }
});

test("a driver that stops says so to the others before it ends", async (context) => {
  const network = new MemoryNetwork();
  const [one, other] = [1, 2].map((number) => startNode(context, network, number));
  assert.ok(one !== undefined && other !== undefined);
  await eventually(
    "they know each other",
    () => one.engine.membership.size + other.engine.membership.size === 2,
  );
  await one.driver.stop();
  assert.deepEqual(one.transport.calls, ["drained"]);
  await eventually("the other one has heard it", () => other.engine.membership.size === 0);
  await eventually("it says how", () => other.happened.includes("exit"));
});
