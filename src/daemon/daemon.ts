/** Builds the daemon from its parts, and starts them in their order. */
import type { NodeEngine } from "../engine/node.ts";
import { ForeignSources } from "../net/foreign-sources.ts";
import { ControlOpener, ControlSealer } from "../net/sealing.ts";
import { CatchUpKeeper } from "./catch-up/catch-up-keeper.ts";
import { DriftWatch } from "./catch-up/drift-watch.ts";
import { keepsReady, openPublications } from "./catch-up/open-publications.ts";
import type { PublicationFile } from "./catch-up/publication-file.ts";
import { DiskThreads } from "./disk/disk-threads.ts";
import { Doctor } from "./doctor/doctor.ts";
import { fragmentsPerSecond, makeEngine } from "./engine.ts";
import { keepMemory } from "./memory.ts";
import { openPrivilegedParts, type NetworkPatience, type PrivilegedParts } from "./privileged-parts.ts";
import { loadMetrics, type Metrics } from "./metrics/metrics.ts";
import { MetricsServer } from "./metrics/metrics-server.ts";
import { Counters } from "./pump/counters.ts";
import { Driver } from "./pump/driver.ts";
import { InboundDatagrams } from "./pump/inbound-datagrams.ts";
import { InboundPages } from "./pump/inbound-pages.ts";
import { NodeEvents } from "./pump/node-events.ts";
import { TransferKeys } from "./pump/transfer-keys.ts";
import { ApartHosts } from "./pushes/apart-hosts.ts";
import { Arrivals } from "./pushes/arrivals.ts";
import { ConsoleService } from "./pushes/console-service.ts";
import { History, sentEntry } from "./pushes/history.ts";
import { Hooks } from "./pushes/hooks.ts";
import { KeyChanges } from "./pushes/key-changes.ts";
import { ReceivedTransfers } from "./pushes/received.ts";
import { passStageReplies } from "./pushes/stage-replies.ts";
import { statusOf, type StatusParts } from "./pushes/status.ts";
import { StatusLine } from "./pushes/status-line.ts";
import { Transfers } from "./pushes/transfers.ts";
import { InterfaceWatch } from "./service/interface-watch.ts";
import { type KeyReader, openKeyReader } from "./service/key-reader.ts";
import { Lifecycle } from "./service/lifecycle.ts";
import { logEvent } from "./service/log-events.ts";
import type { Log } from "./service/log.ts";
import { claimBase, identify, type NodeIdentity } from "./service/node-identity.ts";
import { OwnCopies } from "./service/own-copies.ts";
import { dropPrivileges } from "./service/privileges.ts";
import { withPlace } from "./settings/places.ts";
import { type Changes, takeOver } from "./settings/reload.ts";
import type { Settings } from "./settings/settings.ts";
import { stageRules } from "./stage-rules.ts";

/** A daemon that is at work. */
export interface Daemon {
  /** One line on its state, for the service manager. */
  status(): string;
  /** Makes its event pump turn soon, even if there is nothing to do. */
  wake(): void;
  /**
   * Takes over new settings, as far as that needs no restart, and the keys of the key file. Running transfers keep their rules,
   * except for the rate.
   *
   * @throws UserError if the key file is not as it should be; nothing has changed then
   */
  reload(next: Settings): Promise<Changes>;
  /** Ends it: takes no new work, gives running work a moment, says goodbye to the other nodes, and stops all parts. */
  stop(): Promise<void>;
}

/** The process that the daemon runs in, as far as the daemon has to know it. */
export interface Surroundings extends NetworkPatience {
  /** Called at the end of each turn of the event pump. */
  readonly onTurn: () => void;
  /** The directory that keeps the id of the node; undefined if nothing is kept. */
  readonly stateDirectory: string | undefined;
}

/** What every part is built with. */
interface Frame {
  readonly settings: Settings;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
  readonly events: NodeEvents;
  readonly opened: PrivilegedParts;
  /** Undefined for a fleet without a key. */
  readonly reader: KeyReader | undefined;
  readonly identity: NodeIdentity;
  /** The directory that keeps the id of the node; undefined if nothing is kept. */
  readonly stateDirectory: string | undefined;
  /** Whether owners of files can be set with the privileges that are left. */
  readonly keepsOwner: boolean;
  readonly history: History;
  /** The log of publications; undefined where none is kept. */
  readonly publications: PublicationFile | undefined;
  readonly startedMs: number;
  /** Undefined if the settings want none. */
  readonly metrics: Metrics | undefined;
}

/** The event pump with the parts around it. */
interface Pump {
  readonly engine: NodeEngine;
  readonly driver: Driver;
  readonly inbound: InboundDatagrams;
  readonly counters: Counters;
  /** Who is heard under another key. */
  readonly foreign: ForeignSources;
  readonly keyChanges: KeyChanges;
  readonly watch: InterfaceWatch;
  readonly catchUp: CatchUpKeeper;
}

/** The parts around the pushes that this node sends and receives. */
interface Pushes {
  readonly transfers: Transfers;
  readonly received: ReceivedTransfers;
  readonly hooks: Hooks;
  readonly arrivals: Arrivals;
  readonly status: StatusLine;
  readonly copies: OwnCopies;
  readonly doctor: Doctor;
}

/**
 * Starts a daemon. A start that fails stops the parts that it has started, the last one first.
 *
 * @throws UserError with the first obstacle
 */
export async function startDaemon(settings: Settings, log: Log, surroundings: Surroundings): Promise<Daemon> {
  const lifecycle = new Lifecycle();
  try {
    return await start(settings, log, surroundings, lifecycle);
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

/** First everything that may need root, then the drop of privileges, then everything else. */
async function start(
  settings: Settings,
  log: Log,
  surroundings: Surroundings,
  lifecycle: Lifecycle,
): Promise<Daemon> {
  const startedMs = performance.now();
  const opened = await openPrivilegedParts(settings, surroundings, lifecycle);
  const { ring, chosen, transport } = opened;
  const reader = openKeyReader(settings);
  lifecycle.started(() => reader?.stop());
  const keepsOwner = dropPrivileges(settings.identity, settings.keepOwner);
  const identity = identify(settings, chosen.ip, surroundings.stateDirectory, log);
  const history = openHistory(settings, log);
  lifecycle.started(() => history.flush());
  lifecycle.started(claimBase(settings, log));
  const publications = openPublications(settings, chosen.ip, identity.epoch, log);
  lifecycle.started(() => publications?.close());
  if (!ring.isSecret) log.warn("no key is set: anyone on this network can write to this fleet; see -k");
  const { ip, port } = transport.group;
  log.info(`using ${chosen.name} (${chosen.ip}), group ${ip}, port ${port}`);

  const events = new NodeEvents();
  const { stateDirectory } = surroundings;
  const parts = { settings, log, lifecycle, events, opened, reader, identity, stateDirectory };
  const metrics = await loadMetrics(settings, () => statusOf(statusParts(frame, pump, pushes)));
  const frame: Frame = { ...parts, keepsOwner, history, publications, startedMs, metrics };
  const pump = buildPump(frame, surroundings.onTurn);
  const pushes = buildPushes(frame, pump);
  await serveMetrics(frame, pump);
  const disks = startParts(frame, pump, pushes);
  return {
    status: () => pushes.status.text(),
    wake: () => pump.driver.wake(),
    reload: (next) => reload(frame, pump, pushes, disks, next),
    stop: () => lifecycle.stop(),
  };
}

async function serveMetrics({ settings, metrics, lifecycle, events }: Frame, { watch }: Pump): Promise<void> {
  if (settings.metrics === undefined || metrics === undefined) return;
  events.listen((event) => {
    if (event.kind !== "transfer-finished") return;
    metrics.noteFragments(event.result.sentFragments, event.result.repairedFragments);
  });
  const server = await MetricsServer.open(settings.metrics, metrics, () => watch.state.away);
  lifecycle.started(() => server.close());
}

/** The parts that know how the daemon is. */
function statusParts(frame: Frame, pump: Pump, { transfers, copies }: Pushes): StatusParts {
  const { settings, log, history, startedMs, opened } = frame;
  const { engine, counters, watch, catchUp } = pump;
  const { transport, ring } = opened;
  const parts = { settings, engine, transport, transfers, history, counters, log, ring, watch, copies };
  return { ...parts, catchUp, startedMs };
}

function openHistory(settings: Settings, log: Log): History {
  const complain = (code: string) =>
    log.error(`the history of transfers cannot be written (${code}): see the directory of --state`);
  return withPlace(settings.places.state, "state", () =>
    History.open(settings.state, settings.base, complain),
  );
}

function buildPump(
  { settings, log, lifecycle, events, opened, reader, identity, publications: file }: Frame,
  onTurn: () => void,
): Pump {
  const { ring, chosen, transport } = opened;
  const { nodeId, epoch } = identity;
  const counters = new Counters();
  const foreign = new ForeignSources();
  const engine = makeEngine(settings, identity, transport, ring.fingerprints);
  if (file !== undefined) engine.openLog({ ...file.found, isOn: settings.catchUp, isRecovering: true });
  const catchUp = new CatchUpKeeper({ engine, identity, settings, log, file });
  lifecycle.started(() => catchUp.stop());
  const pages = new InboundPages(opened.pages);
  const opener = new ControlOpener(ring);
  const keys = new TransferKeys(ring, epoch);
  const nowMs = () => performance.now();
  const inbound = new InboundDatagrams({ engine, opener, counters, pages, keys, foreign, nowMs });
  const sealer = new ControlSealer(ring.sealing, nodeId, epoch);
  const onEvent = events.tell.bind(events);
  const onServe = catchUp.onServe.bind(catchUp);
  const decide = catchUp.decide.bind(catchUp);
  const network = { transport, inbound, pages };
  const driver = new Driver({ engine, epoch, keys, sealer, ...network, onEvent, onServe, decide, onTurn });
  lifecycle.waitsFor({ isBusy: () => !engine.isIdle });
  const keyChanges = new KeyChanges({ ring, transferKeys: keys, opener, driver, reader, log });
  lifecycle.started(() => keyChanges.stop());
  const watch = new InterfaceWatch(settings.interface, chosen, transport, log, {
    hasMembers: () => engine.membership.size > 0,
    isIdle: () => engine.isIdle,
    onMoved: () => driver.reintroduce(),
    onLength: (datagramBytes) => driver.handle({ kind: "length-changed", datagramBytes }),
    onLost: () => driver.handle({ kind: "cut-off" }),
  });
  return { engine, driver, inbound, counters, foreign, keyChanges, watch, catchUp };
}

/**
 * Builds the parts that listen to events, one paragraph for each: it builds the part, lets it listen, and tells the
 * lifecycle what the part may be busy with. A new part is one more paragraph.
 *
 * The order of the paragraphs is the order in which the parts hear of an event: log, hosts apart, transfers, history,
 * hooks, requests that wait, status line. The log is first, so that its line stands before those of the other parts.
 */
function buildPushes(frame: Frame, { engine, driver, foreign, watch, catchUp }: Pump): Pushes {
  const { settings, log, lifecycle, events, opened, identity, history, keepsOwner } = frame;
  const { membership } = engine;
  const hostOf = (epoch: string) => membership.memberOf(epoch)?.info.hostName ?? "a member that left";
  events.listen((event) => logEvent(log, event, hostOf, settings.port));

  const nowMs = () => driver.nowMs();
  const apart = new ApartHosts({ ring: opened.ring, foreign, nowMs });
  events.listen((event) => apart.onEvent(event));

  const transfers = new Transfers({
    engine,
    driver,
    log,
    settings,
    apart,
    watch,
    isSealed: opened.ring.isSecret,
    publications: catchUp,
    record: (transfer, result, by, isCatchUp) => {
      history.add(sentEntry(`${identity.epoch}-${transfer}`, settings.hostName, result, by, isCatchUp));
      frame.metrics?.notePush(result);
    },
  });
  events.listen((event) => transfers.onEvent(event));
  lifecycle.waitsFor({ refuse: () => transfers.stop(), isBusy: () => transfers.count > 0 });

  catchUp.attach(driver, transfers);
  events.listen((event) => catchUp.onEvent(event));

  const received = new ReceivedTransfers(settings.hostName, (entry) => {
    history.add(entry);
    frame.metrics?.noteReceipt({ ...entry, outcome: entry.hosts[0]?.outcome ?? "failed" });
  });
  events.listen((event) => received.onEvent(event));

  const stagingOwner = keepsOwner ? 0 : (process.geteuid?.() ?? 0);
  const hooks = new Hooks(settings.hooks, settings.base, log, stagingOwner);
  events.listen((event) => hooks.onEvent(event));
  lifecycle.waitsFor({ isBusy: () => hooks.count > 0, cutOff: () => hooks.stop() });

  const arrivals = new Arrivals();
  events.listen((event) => arrivals.onEvent(event));

  const status = new StatusLine(membership, transfers, watch, catchUp, settings.port);
  events.listen((event) => status.onEvent(event));

  const { stateDirectory } = frame;
  const rename = driver.rename.bind(driver);
  const copies = new OwnCopies({ settings, identity, stateDirectory, log, rename });
  events.listen((event) => copies.onEvent(event));

  const { epoch } = identity;
  const { ring, transport } = opened;
  const seen = { settings, engine, driver, transport, ring, watch, copies, epoch, keepsOwner };
  const doctor = new Doctor({ ...seen, historyPlace: history.place, startedMs: frame.startedMs });
  events.listen((event) => doctor.onEvent(event));
  return { transfers, received, hooks, arrivals, status, copies, doctor };
}

/**
 * Puts the parts to work. The control socket begins before the network and so ends after it: clients still get the result
 * of transfers that the end of the daemon has ended. The disk threads begin first and end last, with what is written.
 */
function startParts(frame: Frame, pump: Pump, pushes: Pushes): DiskThreads {
  const { log, lifecycle, opened, history } = frame;
  const { transport, server } = opened;
  const { driver, inbound, watch } = pump;
  const { transfers, arrivals, doctor, received } = pushes;

  const disks = startDisks(frame, pump, pushes);
  lifecycle.started(() => disks.stop());
  driver.attach(disks);
  keepMemory(frame.events, pump.engine);
  pump.catchUp.onSettled = () =>
    disks.toStage({ kind: "rules", rules: stageRules(frame.settings, pump.catchUp.isNewcomer) });

  if (server !== undefined) {
    const shown = statusParts(frame, pump, pushes);
    const { identity } = frame;
    const parts = { ...shown, identity, transfers, arrivals, history, driver, doctor, received };
    server.serve(new ConsoleService(parts));
    lifecycle.putToWork(server);
  }

  transport.listen(inbound, (error) => log.error(`the network socket reports: ${error.message}`));
  lifecycle.putToWork(transport);

  driver.start();
  lifecycle.started(() => driver.stop());

  watch.start();
  lifecycle.started(() => watch.stop());

  const drift = new DriftWatch(frame.settings.checkEveryMs, pump.catchUp, disks);
  if (frame.publications !== undefined) drift.start();
  lifecycle.started(() => drift.stop());
  return disks;
}

/** Hands new settings to the parts that keep something of them; all others read them where they need them. */
async function reload(
  { settings, log }: Frame,
  { driver, keyChanges, catchUp }: Pump,
  { hooks, transfers }: Pushes,
  disks: DiskThreads,
  next: Settings,
): Promise<Changes> {
  await keyChanges.reload();
  const changes = takeOver(settings, next);
  log.level = settings.logLevel;
  hooks.change(settings.hooks);
  transfers.changeParallel(settings.parallel);
  disks.toStage({ kind: "rules", rules: stageRules(settings, catchUp.isNewcomer) });
  if (changes.taken.includes("rate")) {
    driver.handle({ kind: "rate-changed", fragmentsPerSecond: fragmentsPerSecond(settings.rateMbps) });
  }
  if (changes.taken.includes("labels")) driver.handle({ kind: "labels-changed", labels: settings.labels });
  driver.wake();
  return changes;
}

/** Starts the disk threads. They have the privileges that are left. */
function startDisks(frame: Frame, { driver, catchUp }: Pump, pushes: Pushes): DiskThreads {
  const { base, givenBase } = frame.settings;
  const { log, opened, keepsOwner: keepOwner } = frame;
  const hearers = { log, driver, catchUp, received: pushes.received, hooks: pushes.hooks };
  const { publications } = frame;
  const lists = publications?.lists;
  return new DiskThreads(
    {
      base,
      givenBase,
      keepOwner,
      pages: opened.pages.memory,
      lists,
      // A host that neither hands on nor looks needs none, and a tree may have a million paths.
      recordsLists: frame.settings.catchUp || frame.settings.checkEveryMs > 0,
      keepsReady: keepsReady(frame.settings, publications),
      rules: stageRules(frame.settings, catchUp.isNewcomer),
    },
    (reply) => driver.onSource(reply),
    (replies) => passStageReplies(replies, hearers),
    // A broken invariant in a thread is one of the process.
    (error) => {
      throw error;
    },
  );
}
