/** Starts all parts in their order, and stops them. */
import { randomBytes } from "node:crypto";
import type { Random } from "../base/random.ts";
import { ConsoleServer } from "../console/server.ts";
import { NodeEngine } from "../engine/node.ts";
import { inboundName, type NodeEvent } from "../engine/types.ts";
import type { ChosenInterface } from "../net/interfaces.ts";
import { readKeyFile } from "../net/key-file.ts";
import { PagePool } from "../net/page-pool.ts";
import { ControlOpener, ControlSealer, FleetKey } from "../net/sealing.ts";
import { Transport } from "../net/transport.ts";
import { DATAGRAM_BYTES, INBOUND_TRANSFERS, WINDOW_BLOCKS } from "../wire/limits.ts";
import type { NodeInfo } from "../wire/membership-messages.ts";
import { Arrivals } from "./pushes/arrivals.ts";
import { ConsoleService } from "./pushes/console-service.ts";
import { Counters } from "./pump/counters.ts";
import { DiskThreads } from "./disk/disk-threads.ts";
import type { StageAnswer, StageReply } from "./disk/messages.ts";
import { Driver } from "./pump/driver.ts";
import { giveState, History, sentEntry } from "./pushes/history.ts";
import { Hooks } from "./pushes/hooks.ts";
import { InboundDatagrams } from "./pump/inbound-datagrams.ts";
import { InboundPages } from "./pump/inbound-pages.ts";
import type { Log } from "./service/log.ts";
import { logEvent } from "./service/log-events.ts";
import { awaitInterface } from "./service/interface-wait.ts";
import { watchInterface } from "./service/interface-watch.ts";
import { claimBase, identify } from "./service/node-identity.ts";
import { dropPrivileges } from "./service/privileges.ts";
import { ReceivedTransfers } from "./pushes/received.ts";
import type { Settings } from "./settings/settings.ts";
import { StatusLine } from "./pushes/status-line.ts";
import { Transfers } from "./pushes/transfers.ts";
import { VERSION } from "./settings/version.ts";

/** Running transfers get this long to end when the daemon is stopped. */
const STOP_PATIENCE_MS = 10_000;
const STOP_LOOK_MS = 20;

/** The kernel counts its own bookkeeping against the socket buffer, nearly as much again as a datagram. */
const BUFFER_BYTES_PER_FRAGMENT = 2 * DATAGRAM_BYTES;

/** Pages beside those of the windows: for reading, and for what the writing thread has still in hand. */
const SPARE_PAGES = 128;

/** A daemon that is at work. */
export interface Daemon {
  /** One line on how it is, for the service manager. */
  status(): string;
  /** Makes its event pump turn soon, although there may be nothing to do. */
  wake(): void;
  /** Ends it: no new work, a moment for what is running, and a word to the others. */
  stop(): Promise<void>;
}

/** What the daemon needs of whoever starts it. */
export interface Surroundings {
  /** How long an interface that is not up yet is waited for. */
  readonly networkPatienceMs: number;
  /** Called with what is missing when that is waited for. */
  readonly onWaiting: (sentence: string) => void;
  /** Called at the end of each turn of the event pump. */
  readonly onTurn: () => void;
  /** Where the node's id is kept; undefined where nothing is. */
  readonly stateDirectory: string | undefined;
}

/** What only root may be able to open, and what it was opened for. */
interface Front {
  readonly fleetKey: FleetKey;
  readonly chosen: ChosenInterface;
  readonly pages: PagePool;
  readonly transport: Transport;
  readonly server: ConsoleServer | undefined;
}

/**
 * Starts a daemon: first all that needs root, then the drop of privileges, then the threads and the rest.
 *
 * @throws UserError with the first thing that is in the way
 */
export async function startDaemon(settings: Settings, log: Log, surroundings: Surroundings): Promise<Daemon> {
  const startedMs = performance.now();
  const front = await openFront(settings, surroundings);
  const { fleetKey, chosen, transport, server } = front;
  const identity = identify(settings, chosen.ip, surroundings.stateDirectory, log);
  const keepOwner = dropPrivileges(settings.identity, settings.keepOwner);
  const history = openHistory(settings, log);
  claimBase(settings);
  if (!fleetKey.isSecret) log.warn("no key is set: anyone on this network can write to this fleet; see -k");
  log.info(`using ${chosen.name} (${chosen.ip}), group ${settings.multicast}, port ${settings.port}`);

  const counters = new Counters();
  const arrivals = new Arrivals();
  const engine = new NodeEngine(
    identity,
    nodeInfo(settings),
    engineOptions(settings, transport),
    systemRandom(),
  );
  const nowMs = () => performance.now();
  const pages = new InboundPages(front.pages);
  const opener = new ControlOpener(fleetKey);
  const inbound = new InboundDatagrams({ engine, opener, counters, pages, nowMs });
  const sealer = new ControlSealer(fleetKey, identity.nodeId, identity.epoch);
  const onEvent = (event: NodeEvent) => {
    logEvent(log, event, (epoch) => engine.membership.memberOf(epoch)?.info.hostName ?? "a member that left");
    if (event.kind === "transfer-finished") transfers.finish(event.result);
    if (event.kind === "member-failed") transfers.memberFailed(event.transfer, event.hostName, event.reason);
    if (event.kind === "findings") transfers.onFindings(event.transfer, event.epoch, event.findings);
    received.onEvent(event);
    hooks.onEvent(event);
    if (event.kind === "member-joined" || event.kind === "member-left") arrivals.changed();
    status.note(event);
  };
  const { epoch } = identity;
  const { onTurn } = surroundings;
  const driver = new Driver({ engine, epoch, fleetKey, sealer, transport, inbound, pages, onEvent, onTurn });
  const transfers = new Transfers(engine, driver, log, settings, (transfer, result, by) =>
    history.add(sentEntry(`${epoch}-${transfer}`, settings.hostName, result, by)),
  );
  const status = new StatusLine(engine.membership, transfers);
  const hooks = new Hooks(settings.hooks, settings.base, log);
  const received = new ReceivedTransfers(settings.hostName, (entry) => history.add(entry));
  const { base, excludes, deleteLimit } = settings;
  const listsChanges = hasHooks(settings);
  const threads = { base, keepOwner, pages: front.pages.memory, excludes, listsChanges, deleteLimit };
  const disks = startDisks(threads, driver, log, (reply) => {
    received.onStage(reply);
    return hooks.hold(reply, (answer) => driver.onStage([answer]));
  });
  transport.listen(inbound, (error) => log.error(`the network socket reports: ${error.message}`));
  driver.start();
  const present = watchInterface(settings.interface, chosen, transport, log, () => driver.reintroduce());
  const isSealed = fleetKey.isSecret;
  const shown = { settings, engine, transport, transfers, arrivals, history, counters, log };
  server?.serve(new ConsoleService({ ...shown, isSealed, present, startedMs }));
  return {
    status: () => status.text(),
    wake: () => driver.wake(),
    stop: () => stopDaemon({ driver, engine, transfers, transport, disks, server, history, hooks }),
  };
}

function openHistory(settings: Settings, log: Log): History {
  return History.open(settings.state, settings.base, (code) =>
    log.error(`the history of transfers cannot be written (${code}): see the directory of --state`),
  );
}

async function openFront(settings: Settings, surroundings: Surroundings): Promise<Front> {
  const fleetKey = new FleetKey(settings.keyFile === undefined ? undefined : readKeyFile(settings.keyFile));
  const { networkPatienceMs, onWaiting } = surroundings;
  const chosen = await awaitInterface(settings.interface, networkPatienceMs, onWaiting);
  const { port, sendBufferBytes, receiveBufferBytes, offload } = settings;
  const addresses = { group: settings.multicast, port, interfaceIp: chosen.ip };
  const pages = new PagePool(INBOUND_TRANSFERS * WINDOW_BLOCKS + SPARE_PAGES);
  const transport = await Transport.open({
    ...addresses,
    sendBufferBytes,
    receiveBufferBytes,
    offload,
    pages,
  });
  const server = settings.socket === undefined ? undefined : await ConsoleServer.open(settings.socket);
  const { identity } = settings;
  if (identity !== undefined && process.geteuid?.() === 0) {
    server?.giveTo(identity.uid, identity.gid);
    giveState(settings.state, identity.uid, identity.gid);
  }
  return { fleetKey, chosen, pages, transport, server };
}

/** Starts the disk threads with the privileges that are left, and joins them with the driver. */
function startDisks(
  settings: ConstructorParameters<typeof DiskThreads>[0],
  driver: Driver,
  log: Log,
  holds: (reply: StageAnswer) => boolean,
): DiskThreads {
  const disks = new DiskThreads(
    settings,
    (reply) => driver.onSource(reply),
    (replies) => {
      const answers = replies.filter((reply) => reply.kind !== "recovered" && reply.kind !== "left");
      for (const reply of replies) {
        if (reply.kind === "recovered") logRecovery(log, reply);
        if (reply.kind === "left")
          log.error(
            `what transfer ${inboundName(reply.inbound)} has left cannot be removed: ${reply.failure}`,
          );
      }
      driver.onStage(answers.filter((reply) => !holds(reply)));
    },
    // A broken invariant in a thread is one of the process.
    (error) => {
      throw error;
    },
  );
  driver.attach(disks);
  return disks;
}

function hasHooks({ hooks }: Settings): boolean {
  return hooks.preCommit !== undefined || hooks.postCommit !== undefined;
}

function engineOptions(settings: Settings, transport: Transport) {
  const bytesPerSecond = (settings.rateMbps * 1_000_000) / 8;
  // What goes over the wire for a datagram: Ethernet, IP and UDP headers too.
  const wireBytes = DATAGRAM_BYTES + 14 + 20 + 8;
  return {
    windowBlocks: WINDOW_BLOCKS,
    socketFragments: Math.max(1, Math.floor(transport.receiveBufferBytes / BUFFER_BYTES_PER_FRAGMENT)),
    fragmentsPerSecond: bytesPerSecond / wireBytes,
  };
}

function nodeInfo(settings: Settings): NodeInfo {
  const { hostName, receives, sends, labels } = settings;
  return { hostName, version: VERSION, receives, sends, labels };
}

function systemRandom(): Random {
  return { u32: () => randomBytes(4).readUInt32LE() };
}

function logRecovery(log: Log, reply: Extract<StageReply, { kind: "recovered" }>): void {
  for (const { name, failure } of reply.finished) {
    if (failure === "") log.warn(`the commit of transfer ${name} was interrupted, and is finished now`);
    else log.error(`the commit of transfer ${name} was interrupted, and could not be finished: ${failure}`);
  }
  if (reply.failure !== undefined)
    log.error(`what an earlier run has left cannot be cleared away: ${reply.failure}`);
}

async function stopDaemon(parts: {
  readonly driver: Driver;
  readonly engine: NodeEngine;
  readonly transfers: Transfers;
  readonly transport: Transport;
  readonly disks: DiskThreads;
  readonly server: ConsoleServer | undefined;
  readonly history: History;
  readonly hooks: Hooks;
}): Promise<void> {
  const { driver, engine, transfers, transport, disks, server, history, hooks } = parts;
  transfers.stop();
  const endMs = driver.nowMs() + STOP_PATIENCE_MS;
  while ((!engine.isIdle || hooks.count > 0) && driver.nowMs() < endMs)
    await new Promise((resolve) => setTimeout(resolve, STOP_LOOK_MS));
  hooks.stop();
  driver.handle({ kind: "stop" });
  driver.flush();
  await transport.drain();
  driver.close();
  transport.close();
  server?.close();
  await disks.stop();
  await history.flush();
}
