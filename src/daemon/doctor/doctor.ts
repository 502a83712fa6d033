/** Finds everything that can be in the way between this host and the others. */
import { allowCommands } from "../../base/allow-commands.ts";
import type { DoctorFinding } from "../../console/protocol.ts";
import type { NodeEngine } from "../../engine/node.ts";
import type { Member, NodeEvent, Problem } from "../../engine/types.ts";
import type { KeyRing } from "../../net/key-ring.ts";
import type { Transport } from "../../net/transports/transport.ts";
import type { Driver } from "../pump/driver.ts";
import type { InterfaceWatch } from "../service/interface-watch.ts";
import type { OwnCopies } from "../service/own-copies.ts";
import { statementOfProblem } from "../service/problem-sentences.ts";
import type { Settings } from "../settings/settings.ts";
import { VERSION } from "../settings/version.ts";
import { Conditions } from "./conditions.ts";
import { DiskFacts } from "./disk-facts.ts";
import { Examination } from "./examination.ts";
import { Findings } from "./findings.ts";
import { judgeHost } from "./host-findings.ts";
import { judgeMember } from "./member-findings.ts";
import type { Say } from "./say.ts";

/** The parts that the doctor asks. */
export interface DoctorParts {
  readonly settings: Settings;
  readonly engine: NodeEngine;
  readonly driver: Pick<Driver, "probe" | "handle" | "nowMs">;
  readonly transport: Transport;
  readonly ring: KeyRing;
  readonly watch: Pick<InterfaceWatch, "state">;
  readonly copies: Pick<OwnCopies, "found">;
  /** The epoch of this node. */
  readonly epoch: string;
  /** Whether this host sets the owners of files. */
  readonly keepsOwner: boolean;
  readonly historyPlace: string;
  /** When the daemon was started, by the clock of performance.now(). */
  readonly startedMs: number;
}

/** Whom an examination is about. */
export interface Patients {
  readonly members: readonly Member[];
  /** Problems with hosts that are heard. */
  readonly problems: readonly Problem[];
  /** Names that were given and are neither members nor heard. */
  readonly unknown: readonly string[];
  /** The name by which people see a member. */
  readonly nameOf: (member: Member) => string;
}

/** Examines this host and the others, and answers when other hosts examine this one. */
export class Doctor {
  private readonly parts: DoctorParts;
  private readonly disk: DiskFacts;
  private readonly conditions: Conditions;
  private examination: Examination | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(parts: DoctorParts) {
    this.parts = parts;
    const { settings, transport, keepsOwner, engine, epoch, driver } = parts;
    const disk = new DiskFacts(settings.base);
    this.disk = disk;
    const memberCount = () => engine.membership.size;
    const own = { epoch, disk, transport, keepsOwner, memberCount, nowMs: () => driver.nowMs() };
    this.conditions = new Conditions({ ...own, say: this.say });
  }

  /** Something has happened to the node. */
  onEvent(event: NodeEvent): void {
    this.conditions.onEvent(event);
    this.examination?.onEvent(event);
  }

  /**
   * Examines this host, and those that are asked for. The findings on this host come first. One examination runs at a time:
   * members count the probes of the last one that they have heard of.
   */
  examine(patients: Patients): Promise<DoctorFinding[]> {
    const result = this.last.then(() => this.examineNow(patients));
    this.last = result.catch(() => undefined);
    return result;
  }

  private async examineNow({ members, problems, unknown, nameOf }: Patients): Promise<DoctorFinding[]> {
    const { engine, driver, ring, watch, copies, transport, settings } = this.parts;
    const { membership } = engine;
    const sinceMs = driver.nowMs();
    driver.probe(members.map(({ epoch }) => epoch));
    const measured = await this.measure(members);
    const { state } = watch;
    const own = judgeHost({
      settings,
      transport,
      watch: state,
      ring,
      membership,
      disk: await this.disk.current(),
      historyPlace: this.parts.historyPlace,
      copy: copies.found,
      uptimeSeconds: Math.round((performance.now() - this.parts.startedMs) / 1000),
    });
    const facts = this.ownFacts(measured);
    const ofMembers = measured.members.flatMap((measurement) => {
      // What it has said of itself meanwhile counts.
      const member = membership.memberOf(measurement.member.epoch) ?? measurement.member;
      const isAlive = membership.isHeardSince(member.epoch, sinceMs);
      return judgeMember(nameOf(measurement.member), { ...measurement, member }, isAlive, facts);
    });
    const isAnswered = new Set(
      measured.members
        .filter(({ condition }) => condition !== undefined)
        .map(({ member }) => member.address.ip),
    );
    // A measurement is newer than a problem that was noticed within the last minute.
    const heard = problems.filter(({ ip, kind }) => !isOfMember(kind) || !isAnswered.has(ip));
    return [
      ...own,
      ...heard.flatMap((one) => this.findingOf(one)),
      ...unknown.flatMap((one) => this.absent(one)),
      ...ofMembers,
    ];
  }

  private async measure(members: readonly Member[]) {
    const { settings, transport, driver } = this.parts;
    const examination = new Examination(members, {
      say: this.say,
      nowMs: () => driver.nowMs(),
      datagramBytes: transport.datagramBytes,
      mostBitsPerSecond: settings.rateMbps * 1e6,
    });
    if (members.length === 0)
      return { members: [], fastBitsPerSecond: 0, longBytes: transport.datagramBytes };
    this.examination = examination;
    try {
      return await examination.run();
    } finally {
      this.examination = undefined;
    }
  }

  private ownFacts({ fastBitsPerSecond, longBytes }: { fastBitsPerSecond: number; longBytes: number }) {
    const { settings, ring, watch, keepsOwner, engine } = this.parts;
    return {
      hostName: settings.hostName,
      port: settings.port,
      interfaceName: watch.state.chosen.name,
      version: VERSION,
      keepsOwner,
      key: ring.isSecret ? ring.fingerprints?.[0] : undefined,
      memberCount: engine.membership.size,
      fastBitsPerSecond,
      longBytes,
    };
  }

  private findingOf(problem: Problem): DoctorFinding[] {
    const { port } = this.parts.settings;
    const findings = new Findings(problem.info?.hostName ?? problem.ip, problem.ip);
    const values = { count: problem.count };
    findings.problem(problem.kind, statementOfProblem(problem, port), mendOf(problem, port), values);
    return findings.list;
  }

  private absent(name: string): DoctorFinding[] {
    const { settings, transport } = this.parts;
    const findings = new Findings(name, "");
    findings.problem(
      "absent",
      "nothing is heard of it",
      `is it up, does makuosan run there ('systemctl status makuosan'), and in the same network, with the group ` +
        `${transport.group.ip} and the port ${settings.port}? 'msync --doctor' there tells more`,
    );
    return findings.list;
  }

  private readonly say: Say = (destination, message) =>
    this.parts.driver.handle({ kind: "say", destination, message });
}

function isOfMember(kind: Problem["kind"]): boolean {
  return kind === "mute" || kind === "unheard";
}

/** How a problem with a host that is heard is fixed. */
function mendOf({ kind, ip }: Problem, port: number): string {
  const allow = `run ${allowCommands(port)}`;
  switch (kind) {
    case "unanswered":
      return `there, ${allow}; also look for its route to this host ('ip route get'), and for a strict rp_filter`;
    case "other-version":
      return "give all hosts the same version of makuosan";
    case "foreign-key":
      return `copy the key file of this host to ${ip}, and run 'systemctl reload makuosan' there`;
    case "elsewhere":
      return "connect the two without NAT between them, or with addresses of one network";
    case "unheard":
    case "mute":
      return `let UDP ${port} to the group pass between the two: ${allow} on both, and look for IGMP snooping in the switches`;
  }
}
