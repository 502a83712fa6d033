/** How the daemon is: for programs as data, and for people as lines. */
import { bytesOfText } from "../../base/display.ts";
import type { ProblemInfo, StatusInfo } from "../../console/protocol.ts";
import type { NodeEngine } from "../../engine/node.ts";
import type { KeyRing } from "../../net/key-ring.ts";
import type { Transport } from "../../net/transports/transport.ts";
import { PROTOCOL_VERSION } from "../../wire/limits.ts";
import { BUFFER_BYTES_PER_FRAGMENT } from "../engine.ts";
import type { CatchUpKeeper } from "../catch-up/catch-up-keeper.ts";
import type { Counters } from "../pump/counters.ts";
import type { InterfaceWatch } from "../service/interface-watch.ts";
import type { Log } from "../service/log.ts";
import type { OwnCopies } from "../service/own-copies.ts";
import { sentenceOfProblem } from "../service/problem-sentences.ts";
import { deleteLimitText, type Settings } from "../settings/settings.ts";
import { VERSION } from "../settings/version.ts";
import type { History } from "./history.ts";
import type { Transfers } from "./transfers.ts";

/** The parts that know how the daemon is. */
export interface StatusParts {
  readonly settings: Settings;
  readonly engine: NodeEngine;
  readonly transport: Transport;
  readonly transfers: Pick<Transfers, "count" | "waiting">;
  readonly history: Pick<History, "place">;
  readonly counters: Counters;
  readonly log: Log;
  readonly ring: Pick<KeyRing, "fingerprints" | "isSecret">;
  readonly watch: Pick<InterfaceWatch, "state">;
  readonly copies: Pick<OwnCopies, "nodeId" | "found">;
  readonly catchUp: Pick<CatchUpKeeper, "stateOf" | "state" | "statusText" | "nudge" | "unlogged">;
  /** When the daemon was started, by the clock of performance.now(). */
  readonly startedMs: number;
}

/** The problems with other hosts, as the control socket tells them. */
export function problemsOf(engine: NodeEngine, port: number): ProblemInfo[] {
  return engine.membership.problems.list.map((problem) => ({
    kind: problem.kind,
    host: problem.info?.hostName ?? "",
    address: problem.ip,
    count: problem.count,
    reason: sentenceOfProblem(problem, port),
  }));
}

/** How the daemon is now. */
export function statusOf(parts: StatusParts): StatusInfo {
  const { engine, transfers, log, history, copies } = parts;
  return {
    process: process.pid,
    version: VERSION,
    protocol: PROTOCOL_VERSION,
    user: process.geteuid?.() ?? 0,
    group: process.getegid?.() ?? 0,
    nodeId: copies.nodeId,
    copy: copies.found,
    members: engine.membership.size,
    lost: engine.membership.lost.map(({ info, address }) => ({ host: info.hostName, address: address.ip })),
    problems: problemsOf(engine, parts.settings.port),
    sending: transfers.count,
    waiting: transfers.waiting,
    history: bytesOfText(history.place),
    catchUp: bytesOfText(parts.catchUp.statusText),
    publications: parts.catchUp.state ?? null,
    logLevel: log.level,
    memoryBytes: process.memoryUsage.rss(),
    uptimeSeconds: Math.round((performance.now() - parts.startedMs) / 1000),
    ...settingsOf(parts.settings),
    ...networkOf(parts),
    ...countsOf(parts),
  };
}

function settingsOf(settings: Settings) {
  const { hooks, parallel, compression, receives, sends, ownerMatch, excludes, labels } = settings;
  return {
    host: settings.hostName,
    base: bytesOfText(settings.base),
    socket: bytesOfText(settings.socket ?? ""),
    rateMbps: settings.rateMbps === Infinity ? 0 : settings.rateMbps,
    deleteLimit: deleteLimitText(settings.deleteLimit),
    preCommit: bytesOfText(hooks.preCommit ?? ""),
    postCommit: bytesOfText(hooks.postCommit ?? ""),
    ...{ parallel, compression, receives, sends, ownerMatch, excludes, labels },
  };
}

function networkOf({ transport, watch, ring, settings }: StatusParts) {
  const { chosen, away = "" } = watch.state;
  const acceptedKeys = ring.fingerprints ?? [];
  return {
    multicast: { address: transport.group.ip, port: transport.group.port },
    interface: { name: chosen.name, address: chosen.ip, away, isJoined: transport.isJoined },
    isSealed: ring.isSecret,
    key: acceptedKeys[0] ?? "",
    acceptedKeys,
    receiveBufferBytes: transport.receiveBufferBytes,
    receiveBufferAskedBytes: settings.receiveBufferBytes,
    receiveBufferPackets: Math.floor(transport.receiveBufferBytes / BUFFER_BYTES_PER_FRAGMENT),
    sendBufferBytes: transport.sendBufferBytes,
    sendBufferAskedBytes: settings.sendBufferBytes,
    offload: transport.isOffloaded,
  };
}

function countsOf({ counters, transport }: StatusParts) {
  return {
    foreignPackets: counters.foreign,
    lastForeignSource: counters.lastForeignSource,
    outsidePackets: transport.outsideMessages,
    replayedPackets: counters.replayed,
    malformedPackets: counters.malformed,
    lastMalformedSource: counters.lastMalformedSource,
    otherVersionPackets: counters.otherVersion,
    unexaminedPackets: counters.unexamined,
    spoiledBlocks: counters.spoiled,
    sendErrors: transport.sendErrors,
    droppedPackets: transport.droppedDatagrams,
  };
}

/** The lines of `msync --status`: a key and a value each. */
export function statusLines(status: StatusInfo): [string, string][] {
  const { multicast, interface: used } = status;
  const lost = status.lost.map(({ host, address }) => `${host} (${address})`).join(", ");
  return [
    ["process", String(status.process)],
    ["version", status.version],
    ["host", status.host],
    ["labels", listed(status.labels, ",")],
    ["basedir", status.base],
    ["user", String(status.user)],
    ["group", String(status.group)],
    ["multicast", `${multicast.address}:${multicast.port}`],
    ["node id", status.copy === "" ? status.nodeId : `${status.nodeId} (${status.copy})`],
    ["interface", `${used.name} (${used.away === "" ? used.address : `gone: ${used.away}`})`],
    ["socket", status.socket || "none"],
    ["sealed", status.isSealed ? "yes" : "no: anyone on this network can write here; give a key with -k"],
    ["key", status.key || "none"],
    ["accepted keys", listed(status.acceptedKeys, ", ")],
    [
      "members",
      lost === "" ? String(status.members) : `${status.members} (lost with the interface: ${lost})`,
    ],
    ...status.problems.map(({ reason }): [string, string] => ["problem", reason]),
    ["sending", String(status.sending)],
    ["waiting", String(status.waiting)],
    ["parallel", String(status.parallel)],
    ["compress", status.compression],
    ["receives", yesOrNo(status.receives)],
    ["sends", yesOrNo(status.sends)],
    ["owner match", yesOrNo(status.ownerMatch)],
    ["rate", status.rateMbps === 0 ? "no bound" : `${status.rateMbps} Mbit/s`],
    ["receive buffer", `${status.receiveBufferBytes} bytes`],
    ["receive buffer holds", `${status.receiveBufferPackets} packets of full length`],
    ["send buffer", `${status.sendBufferAskedBytes} bytes asked for`],
    ["granted send buffer", `${status.sendBufferBytes} bytes`],
    ["offload", yesOrNo(status.offload)],
    ["excludes", listed(status.excludes, " ")],
    ["delete limit", status.deleteLimit],
    ["pre-commit", status.preCommit || "none"],
    ["post-commit", status.postCommit || "none"],
    ["catch-up", status.catchUp],
    ["history", status.history],
    ["log level", status.logLevel],
    ...packetLines(status),
    ["memory", `${Math.round(status.memoryBytes / 1024 / 1024)} MiB`],
    ["uptime", `${status.uptimeSeconds} s`],
  ];
}

function packetLines(status: StatusInfo): [string, string][] {
  return [
    ["foreign packets", withSource(status.foreignPackets, status.lastForeignSource)],
    ["outside packets", String(status.outsidePackets)],
    ["replayed packets", String(status.replayedPackets)],
    ["malformed packets", withSource(status.malformedPackets, status.lastMalformedSource)],
    ["packets of other versions", String(status.otherVersionPackets)],
    ["unexamined packets", String(status.unexaminedPackets)],
    ["spoiled blocks", String(status.spoiledBlocks)],
    ["send errors", String(status.sendErrors)],
    ["packets dropped by the kernel", String(status.droppedPackets)],
  ];
}

function withSource(count: number, source: string): string {
  return count === 0 ? "0" : `${count} (last from ${source})`;
}

function listed(all: readonly string[], between: string): string {
  return all.length === 0 ? "none" : all.join(between);
}

function yesOrNo(value: boolean): string {
  return value ? "yes" : "no";
}
