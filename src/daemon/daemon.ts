import { randomBytes } from "node:crypto";
import type { Random } from "../base/random.ts";
import { ConsoleServer } from "../console/server.ts";
import { NodeEngine } from "../engine/node.ts";
import type { NodeEvent } from "../engine/types.ts";
import type { ChosenInterface } from "../net/interfaces.ts";
import { readKeyFile } from "../net/key-file.ts";
import { ControlOpener, ControlSealer, FleetKey } from "../net/sealing.ts";
import { Transport } from "../net/transport.ts";
import { DATAGRAM_BYTES, WINDOW_BLOCKS } from "../wire/limits.ts";
import type { NodeInfo } from "../wire/membership-messages.ts";
import { ConsoleService } from "./console-service.ts";
import { Counters } from "./counters.ts";
import { DiskThreads } from "./disk/disk-threads.ts";
import type { StageReply } from "./disk/messages.ts";
import { Driver } from "./driver.ts";
import { InboundDatagrams } from "./inbound-datagrams.ts";
import type { Log } from "./log.ts";
import { logEvent } from "./log-events.ts";
import { awaitInterface } from "./interface-wait.ts";
import { watchInterface } from "./interface-watch.ts";
import { claimBase, identify } from "./node-identity.ts";
import { dropPrivileges } from "./privileges.ts";
import type { Settings } from "./settings.ts";
import { StatusLine } from "./status-line.ts";
import { Transfers } from "./transfers.ts";
import { VERSION } from "./version.ts";

/** Running transfers get this long to end when the daemon is stopped. */
const STOP_PATIENCE_MS = 10_000;
const STOP_LOOK_MS = 20;

/** The kernel counts its own bookkeeping against the socket buffer, nearly as much again as a datagram. */
const BUFFER_BYTES_PER_FRAGMENT = 2 * DATAGRAM_BYTES;

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
  claimBase(settings);
  if (!fleetKey.isSecret) log.warn("no key is set: anyone on this network can write to this fleet; see -k");
  log.info(`using ${chosen.name} (${chosen.ip}), group ${settings.multicast}, port ${settings.port}`);

  const counters = new Counters();
  const engine = new NodeEngine(
    identity,
    nodeInfo(settings),
    engineOptions(settings, transport),
    systemRandom(),
  );
  const inbound = new InboundDatagrams(engine, new ControlOpener(fleetKey), counters);
  const sealer = new ControlSealer(fleetKey, identity.nodeId, identity.epoch);
  const onEvent = (event: NodeEvent) => {
    logEvent(log, event, (epoch) => engine.membership.memberOf(epoch)?.info.hostName ?? "a member that left");
    if (event.kind === "transfer-finished") transfers.finish(event.result);
    if (event.kind === "member-failed") transfers.memberFailed(event.transfer, event.hostName, event.reason);
    status.note(event);
  };
  const { epoch } = identity;
  const { onTurn } = surroundings;
  const driver = new Driver({ engine, epoch, fleetKey, sealer, transport, inbound, onEvent, onTurn });
  const transfers = new Transfers(engine, driver, log, settings.parallel);
  const status = new StatusLine(engine.membership, transfers);
  const disks = startDisks(settings, keepOwner, driver, log);
  transport.listen(
    (bytes, ip, port) => driver.onDatagrams(bytes, ip, port),
    (error) => log.error(`the network socket reports: ${error.message}`),
  );
  driver.start();
  const present = watchInterface(settings.interface, chosen, transport, log, () => driver.reintroduce());
  const isSealed = fleetKey.isSecret;
  const parts = { settings, engine, transport, transfers, counters, log, isSealed, present, startedMs };
  server?.serve(new ConsoleService(parts));
  return {
    status: () => status.text(),
    wake: () => driver.wake(),
    stop: () => stopDaemon({ driver, engine, transfers, transport, disks, server }),
  };
}

async function openFront(settings: Settings, surroundings: Surroundings): Promise<Front> {
  const fleetKey = new FleetKey(settings.keyFile === undefined ? undefined : readKeyFile(settings.keyFile));
  const { networkPatienceMs, onWaiting } = surroundings;
  const chosen = await awaitInterface(settings.interface, networkPatienceMs, onWaiting);
  const { port, sendBufferBytes, receiveBufferBytes, offload } = settings;
  const addresses = { group: settings.multicast, port, interfaceIp: chosen.ip };
  const transport = await Transport.open({ ...addresses, sendBufferBytes, receiveBufferBytes, offload });
  const server = settings.socket === undefined ? undefined : await ConsoleServer.open(settings.socket);
  const { identity } = settings;
  if (identity !== undefined && process.geteuid?.() === 0) server?.giveTo(identity.uid, identity.gid);
  return { fleetKey, chosen, transport, server };
}

/** Starts the disk threads with the privileges that are left, and joins them with the driver. */
function startDisks(settings: Settings, keepOwner: boolean, driver: Driver, log: Log): DiskThreads {
  const disks = new DiskThreads(
    { base: settings.base, keepOwner },
    (reply) => driver.onSource(reply),
    (reply) => (reply.kind === "recovered" ? logRecovery(log, reply) : driver.onStage(reply)),
    // A broken invariant in a thread is one of the process.
    (error) => {
      throw error;
    },
  );
  driver.attach(disks);
  return disks;
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
  const { hostName, receives, sends } = settings;
  return { hostName, version: VERSION, receives, sends, labels: [] };
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
}): Promise<void> {
  const { driver, engine, transfers, transport, disks, server } = parts;
  transfers.stop();
  const endMs = driver.nowMs() + STOP_PATIENCE_MS;
  while (!engine.isIdle && driver.nowMs() < endMs)
    await new Promise((resolve) => setTimeout(resolve, STOP_LOOK_MS));
  driver.handle({ kind: "stop" });
  driver.flush();
  await transport.drain();
  driver.close();
  transport.close();
  server?.close();
  await disks.stop();
}
