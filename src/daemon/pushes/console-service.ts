/** Carries out the requests of msync. */
import type {
  DoctorFinding,
  Event,
  MemberInfo,
  Request,
  Result,
  WaitRequest,
} from "../../console/protocol.ts";
import type { RequestHandler } from "../../console/conversation.ts";
import { ExitStatus, UserError } from "../../base/user-error.ts";
import type { PeerCredentials } from "../../sys/peer-credentials.ts";
import type { Member } from "../../engine/types.ts";
import type { Arrivals } from "./arrivals.ts";
import { byHostName, displayName } from "./host-names.ts";
import type { Doctor } from "../doctor/doctor.ts";
import type { NodeIdentity } from "../service/node-identity.ts";
import type { Driver } from "../pump/driver.ts";
import type { History } from "./history.ts";
import type { ReceivedTransfers } from "./received.ts";
import { parseLogLevel } from "../settings/settings.ts";
import { problemsOf, statusLines, statusOf, type StatusParts } from "./status.ts";
import { chooseTargets, isSelection, meets, type NamedHost, namedMember, namedProblem } from "./targets.ts";
import type { Transfers } from "./transfers.ts";
import { undo } from "./undo.ts";

/** The parts that answer requests. */
export interface ServiceParts extends StatusParts {
  readonly driver: Pick<Driver, "probe" | "nowMs">;
  readonly transfers: Transfers;
  readonly identity: Pick<NodeIdentity, "nodeId" | "epoch">;
  readonly arrivals: Arrivals;
  readonly history: History;
  readonly doctor: Doctor;
  readonly received: Pick<ReceivedTransfers, "current">;
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
        // A check sends nothing.
        if (!this.parts.settings.sends && !(request.isCheck && request.dryRun)) {
          throw new UserError(
            "this daemon was started not to send (-s): push from another server",
            ExitStatus.usage,
          );
        }
        return this.parts.transfers.send(request, caller, emit, signal);
      case "undo":
        if (!this.parts.settings.sends)
          throw new UserError(
            "this daemon was started not to send (-s): take the push back from another server",
            ExitStatus.usage,
          );
        return undo(this.parts, request, caller, emit, signal);
      case "wait":
        return this.wait(request, signal);
      case "members":
        return this.members();
      case "status":
        return { result: "status", ...this.status() };
      case "activity":
        return this.activity();
      case "doctor":
        return {
          result: "doctor",
          findings: await this.doctor(request.targets),
          port: this.parts.settings.port,
        };
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
    const { state } = catchUp;
    if (state === undefined)
      throw new UserError(
        "this host keeps no log of pushes, because its state directory cannot be written (see --state): it does not know what hosts lack",
        ExitStatus.usage,
      );
    const members = [...engine.membership.members];
    const isOwn = (name: string) => meets(this.ownName, name);
    const others = names.filter((name) => !isOwn(name) || isSelection(name));
    const chosen = chooseTargets(others.length === 0 ? [] : members, others, []);
    const means = names.length === 0 || names.some(isOwn);
    if (means) catchUp.nudge(undefined);
    for (const member of chosen.members) catchUp.nudge(member);
    const hosts = means ? [{ host: settings.hostName, ...state }] : [];
    const errors = chosen.unknown
      .filter((name) => !isOwn(name))
      .map((name) => `${name} is not a member: 'msync --members' lists those that are there`);
    for (const member of chosen.members) {
      const told = catchUp.stateOf(member.epoch);
      const host = displayName(member, members);
      if (told !== undefined) hosts.push({ host, ...told });
      else
        errors.push(
          `${host} has told no log of pushes, so it does not catch up: 'msync --status' on it says why`,
        );
    }
    const exitStatus = errors.length === 0 ? ExitStatus.ok : ExitStatus.partial;
    return { result: "catch-up", hosts, errors, exitStatus };
  }

  /** The names of this host. */
  private get ownName(): NamedHost {
    const { settings, transport } = this.parts;
    return { hostName: settings.hostName, ip: transport.ownAddress.ip, labels: settings.labels };
  }

  private stateOf({ epoch }: Member) {
    const state = this.parts.catchUp.stateOf(epoch);
    return state === undefined ? {} : { catchUp: state };
  }

  private doctor(names: readonly string[]): Promise<DoctorFinding[]> {
    const { engine, doctor } = this.parts;
    const all = [...engine.membership.members].sort(byHostName);
    const problems = engine.membership.problems.list;
    const nameOf = (member: Member) => displayName(member, all);
    if (names.length === 0) return doctor.examine({ members: all, problems, unknown: [], nameOf });
    const isMeant = (host: NamedHost) => names.some((name) => meets(host, name));
    const hosts = [this.ownName, ...all.map(namedMember), ...problems.map(namedProblem)];
    return doctor.examine({
      members: all.filter((member) => isMeant(namedMember(member))),
      problems: problems.filter((problem) => isMeant(namedProblem(problem))),
      unknown: names.filter((name) => !hosts.some((host) => meets(host, name))),
      nameOf,
    });
  }

  private status() {
    const status = statusOf(this.parts);
    return { values: statusLines(status), status };
  }

  private memberInfos(): MemberInfo[] {
    const { engine } = this.parts;
    const members = [...engine.membership.members];
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
    return shown;
  }

  private activity(): Result {
    const { engine, settings, transport, transfers, received } = this.parts;
    return {
      result: "activity",
      host: settings.hostName,
      address: transport.ownAddress.ip,
      members: this.memberInfos(),
      problems: problemsOf(engine, settings.port),
      outgoing: transfers.activity(),
      incoming: received.current,
      waiting: transfers.waiting,
    };
  }

  private members(): Result {
    const { engine, settings } = this.parts;
    return {
      result: "members",
      members: this.memberInfos(),
      problems: problemsOf(engine, settings.port),
      isSealed: this.parts.ring.isSecret,
    };
  }
}
