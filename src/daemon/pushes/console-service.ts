/** Carries out the requests of msync. */
import type { Event, ProblemInfo, Request, Result, WaitRequest } from "../../console/protocol.ts";
import type { RequestHandler } from "../../console/conversation.ts";
import { bytesOfText } from "../../base/display.ts";
import { ExitStatus, UserError } from "../../base/user-error.ts";
import type { PeerCredentials } from "../../sys/peer-credentials.ts";
import type { NodeEngine } from "../../engine/node.ts";
import type { Member } from "../../engine/types.ts";
import type { Transport } from "../../net/transports/transport.ts";
import type { KeyRing } from "../../net/key-ring.ts";
import type { CatchUpKeeper } from "../catch-up/catch-up-keeper.ts";
import type { Arrivals } from "./arrivals.ts";
import { displayName } from "./host-names.ts";
import type { Driver } from "../pump/driver.ts";
import type { Counters } from "../pump/counters.ts";
import type { History } from "./history.ts";
import type { InterfaceWatch } from "../service/interface-watch.ts";
import type { Log } from "../service/log.ts";
import type { OwnCopies } from "../service/own-copies.ts";
import { deleteLimitText, parseLogLevel, type Settings } from "../settings/settings.ts";
import { sentenceOfProblem } from "../service/problem-sentences.ts";
import { chooseTargets } from "./targets.ts";
import type { Transfers } from "./transfers.ts";
import { VERSION } from "../settings/version.ts";

/** The parts that answer requests. */
export interface ServiceParts {
  readonly settings: Settings;
  readonly engine: NodeEngine;
  readonly driver: Pick<Driver, "probe" | "nowMs">;
  readonly transport: Transport;
  readonly transfers: Transfers;
  readonly arrivals: Arrivals;
  readonly history: History;
  readonly counters: Counters;
  readonly log: Log;
  readonly ring: KeyRing;
  readonly watch: Pick<InterfaceWatch, "state">;
  readonly copies: Pick<OwnCopies, "shown">;
  readonly catchUp: Pick<CatchUpKeeper, "stateOf" | "state" | "statusText" | "nudge">;
  /** When the daemon was started, by the clock of performance.now(). */
  readonly startedMs: number;
}

/** Carries out the requests that come over the control socket. */
export class ConsoleService implements RequestHandler {
  private readonly parts: ServiceParts;

  constructor(parts: ServiceParts) {
    this.parts = parts;
  }

  async handle(
    request: Request,
    caller: PeerCredentials | undefined,
    emit: (event: Event) => void,
    signal: AbortSignal,
  ): Promise<Result> {
    switch (request.command) {
      case "send":
        if (!this.parts.settings.sends) {
          throw new UserError(
            "this daemon was started not to send (-s): push from another server",
            ExitStatus.usage,
          );
        }
        return this.parts.transfers.send(request, caller, emit, signal);
      case "wait":
        return this.wait(request, signal);
      case "members":
        return this.members();
      case "status":
        return { result: "status", values: this.status() };
      case "history":
        return { result: "history", entries: this.parts.history.last(request.count) };
      case "catch-up":
        return this.catchUp(request.hosts);
      case "loglevel":
        this.parts.log.level = parseLogLevel(request.level);
        return { result: "ok" };
    }
  }

  private async wait(request: WaitRequest, signal: AbortSignal): Promise<Result> {
    const { driver, engine } = this.parts;
    const { membership } = engine;
    // A host that has died stays a member for a minute. So only those count that are heard from now on.
    const sinceMs = driver.nowMs();
    driver.probe([...membership.members].map(({ epoch }) => epoch));
    const present = () => {
      const alive = [...membership.members].filter(({ epoch }) => membership.isHeardSince(epoch, sinceMs));
      return chooseTargets(alive, request.targets, request.excepts).members.length;
    };
    const { members, seconds } = request;
    if (await this.parts.arrivals.wait(() => present() >= members, seconds * 1000, signal))
      return { result: "ok" };
    throw new UserError(
      signal.aborted
        ? "msync was interrupted while it waited for members"
        : `${present()} of ${members} members are there after ${seconds} s: 'msync --members' lists them`,
      signal.aborted ? ExitStatus.interrupted : ExitStatus.noMembers,
    );
  }

  private catchUp(names: readonly string[]): Result {
    const { catchUp, engine, settings } = this.parts;
    const nobody = { behind: 0, catchesUp: false };
    if (names.length === 0) {
      const { state } = catchUp;
      if (state?.catchesUp !== true)
        throw new UserError(`this host does not catch up: ${catchUp.statusText}`, ExitStatus.usage);
      catchUp.nudge(undefined);
      return { result: "catch-up", hosts: [{ host: settings.hostName, ...state }] };
    }
    const members = [...engine.membership.members];
    const chosen = chooseTargets(members, names, []);
    const [unknown] = chosen.unknown;
    if (unknown !== undefined)
      throw new UserError(
        `${unknown} is not a member: 'msync --members' lists those that are there`,
        ExitStatus.partial,
      );
    for (const member of chosen.members) catchUp.nudge(member);
    const hosts = chosen.members.map((member) => ({
      host: displayName(member, members),
      ...(catchUp.stateOf(member.epoch) ?? nobody),
    }));
    return { result: "catch-up", hosts };
  }

  private stateOf({ epoch }: Member) {
    const state = this.parts.catchUp.stateOf(epoch);
    return state === undefined ? {} : { catchUp: state };
  }

  private members(): Result {
    const members = [...this.parts.engine.membership.members];
    const shown = members.map((member) => ({
      host: displayName(member, members),
      address: member.address.ip,
      version: member.info.version,
      protocol: member.info.protocol,
      receives: member.info.receives,
      sends: member.info.sends,
      labels: member.info.labels,
      ...(member.info.keys === undefined ? {} : { keys: member.info.keys }),
      ...this.stateOf(member),
    }));
    shown.sort((a, b) => (a.host < b.host ? -1 : 1));
    return {
      result: "members",
      members: shown,
      problems: this.problems(),
      isSealed: this.parts.ring.isSecret,
    };
  }

  private problems(): ProblemInfo[] {
    const { engine, settings } = this.parts;
    return engine.membership.problems.list.map((problem) => ({
      kind: problem.kind,
      host: problem.info?.hostName ?? "",
      address: problem.ip,
      count: problem.count,
      reason: sentenceOfProblem(problem, settings.port),
    }));
  }

  /** How many members there are, with those that were lost with the interface of this host. */
  private membersText(): string {
    const { size, lost } = this.parts.engine.membership;
    const names = lost.map(({ info, address }) => `${info.hostName} (${address.ip})`);
    return names.length === 0 ? String(size) : `${size} (lost with the interface: ${names.join(", ")})`;
  }

  private status(): [string, string][] {
    const { settings, transport, transfers, counters, log } = this.parts;
    const { chosen, away } = this.parts.watch.state;
    const keys = this.parts.ring.fingerprints ?? [];
    const yes = (value: boolean) => (value ? "yes" : "no");
    const foreign =
      counters.foreign === 0 ? "0" : `${counters.foreign} (last from ${counters.lastForeignSource})`;
    return [
      ["process", String(process.pid)],
      ["version", VERSION],
      ["host", settings.hostName],
      ["labels", settings.labels.length === 0 ? "none" : settings.labels.join(",")],
      ["basedir", bytesOfText(settings.base)],
      ["user", String(process.geteuid?.() ?? "")],
      ["group", String(process.getegid?.() ?? "")],
      ["multicast", `${transport.group.ip}:${transport.group.port}`],
      ["node id", this.parts.copies.shown],
      ["interface", `${chosen.name} (${away === undefined ? chosen.ip : `gone: ${away}`})`],
      ["socket", bytesOfText(settings.socket ?? "none")],
      [
        "sealed",
        this.parts.ring.isSecret ? "yes" : "no: anyone on this network can write here; give a key with -k",
      ],
      ["key", keys[0] ?? "none"],
      ["accepted keys", keys.length === 0 ? "none" : keys.join(", ")],
      ["members", this.membersText()],
      ...this.problems().map(({ reason }): [string, string] => ["problem", reason]),
      ["sending", String(transfers.count)],
      ["waiting", String(transfers.waiting)],
      ["parallel", String(settings.parallel)],
      ["receives", yes(settings.receives)],
      ["sends", yes(settings.sends)],
      ["owner match", yes(settings.ownerMatch)],
      ["rate", settings.rateMbps === Infinity ? "no bound" : `${settings.rateMbps} Mbit/s`],
      ["receive buffer", `${transport.receiveBufferBytes} bytes`],
      ["send buffer", `${settings.sendBufferBytes} bytes asked for`],
      ["offload", yes(transport.isOffloaded)],
      ["excludes", settings.excludes.length === 0 ? "none" : settings.excludes.join(" ")],
      ["delete limit", deleteLimitText(settings.deleteLimit)],
      ["pre-commit", bytesOfText(settings.hooks.preCommit ?? "none")],
      ["post-commit", bytesOfText(settings.hooks.postCommit ?? "none")],
      ["catch-up", bytesOfText(this.parts.catchUp.statusText)],
      ["history", bytesOfText(this.parts.history.place)],
      ["log level", log.level],
      ["foreign packets", foreign],
      ["outside packets", String(transport.outsideMessages)],
      ["replayed packets", String(counters.replayed)],
      ["malformed packets", String(counters.malformed)],
      ["packets of other versions", String(counters.otherVersion)],
      ["unexamined packets", String(counters.unexamined)],
      ["spoiled blocks", String(counters.spoiled)],
      ["send errors", String(transport.sendErrors)],
      ["memory", `${Math.round(process.memoryUsage.rss() / 1024 / 1024)} MiB`],
      ["uptime", `${Math.round((performance.now() - this.parts.startedMs) / 1000)} s`],
    ];
  }
}
