import { SeededRandom } from "../../src/base/random.ts";
import type { NodeEvent } from "../../src/engine/types.ts";
import { type ControlMessage, decodeMessage } from "../../src/wire/message.ts";
import type { Status } from "../../src/wire/status-message.ts";
import { SimulatedDisk, type SimulatedEntry } from "../simulation/disk.ts";
import { type DiskFaults, type Packet, SimulatedHost } from "../simulation/host.ts";
import { Network } from "../simulation/network.ts";
import { Schedule } from "../simulation/schedule.ts";
import { time } from "./transcript.ts";

/** A few simulated hosts, and every word that passes between them, a line for each. */

type Fragment = Extract<Packet, { readonly content: unknown }>["fragment"];

/** A network that tells of every packet before it is lost or delivered. */
class HeardNetwork extends Network<Packet> {
  onPacket: (from: string, to: string, packet: Packet) => void = () => undefined;

  override multicast(from: string, packet: Packet): void {
    this.onPacket(from, "all", packet);
    super.multicast(from, packet);
  }

  override unicast(from: string, to: string, packet: Packet): void {
    this.onPacket(from, to, packet);
    super.unicast(from, to, packet);
  }
}

export class TranscribedHosts {
  readonly schedule = new Schedule();
  readonly network: HeardNetwork;
  readonly diskFaults: DiskFaults = { staging: 0, stall: 0 };
  readonly hosts: SimulatedHost[] = [];
  /** Addresses of the only hosts of which is told; of all where it is empty. */
  readonly told = new Set<string>();
  readonly lines: string[] = [];
  private readonly random: SeededRandom;
  private run:
    | { atMs: number; from: string; transfer: number; block: number; stamp: number; indexes: number[] }
    | undefined;

  constructor(hosts: number, seed: number) {
    this.random = new SeededRandom(seed);
    this.network = new HeardNetwork(this.schedule, this.random, (packet) => ({ ...packet, isForged: true }));
    this.network.onPacket = (from, to, packet) => this.note(from, to, packet);
    for (let index = 0; index < hosts; index++) this.start(index, String(index + 1));
  }

  start(index: number, epoch: string, disk = new SimulatedDisk(new Map())): SimulatedHost {
    const { schedule, network, random, diskFaults } = this;
    const onEvent = (host: SimulatedHost, event: NodeEvent) =>
      this.line(host.ip, `  ${eventText(event)}`.trimEnd());
    const surroundings = { schedule, network, random, diskFaults, onEvent };
    const host = new SimulatedHost(
      `host${index}`,
      `10.0.0.${index + 1}`,
      epoch.padStart(16, "0"),
      disk,
      surroundings,
    );
    this.hosts[index] = host;
    return host;
  }

  runUntil(endMs: number): void {
    while (this.schedule.nextMs() <= endMs) this.schedule.step();
    this.schedule.nowMs = endMs;
  }

  /** A mark between the lines. */
  mark(text: string): void {
    this.flush();
    this.lines.push(`${text}:`);
  }

  /** All lines so far. */
  take(): string[] {
    this.flush();
    return this.lines.splice(0);
  }

  private note(from: string, to: string, packet: Packet): void {
    if ("plaintext" in packet)
      this.line(from, `> ${shortIp(to)} ${messageText(decodeMessage(packet.plaintext))}`);
    else this.noteFragment(from, packet.fragment);
  }

  /** Fragments of one block that go out in one moment are one line. */
  private noteFragment(from: string, { transfer, block, index, stamp }: Fragment): void {
    const atMs = this.schedule.nowMs;
    const { run } = this;
    const isSame =
      run?.atMs === atMs && run.from === from && run.transfer === transfer && run.block === block;
    if (run !== undefined && isSame) {
      run.indexes.push(index);
      return;
    }
    this.flush();
    this.run = { atMs, from, transfer, block, stamp, indexes: [index] };
  }

  private flush(): void {
    const { run } = this;
    this.run = undefined;
    if (run === undefined) return;
    if (this.told.size > 0 && !this.told.has(run.from)) return;
    const { atMs, from, transfer, block, stamp, indexes } = run;
    const fragments = `stamp ${stamp} fragments ${ranges(indexes)}`;
    this.lines.push(`${time(atMs)} ${shortIp(from)} block ${transfer}/${block} ${fragments}`);
  }

  private line(from: string, text: string): void {
    this.flush();
    if (this.told.size > 0 && !this.told.has(from)) return;
    this.lines.push(`${time(this.schedule.nowMs)} ${shortIp(from)} ${text}`);
  }
}

/** So many entries of so many pieces each. */
export function entries(count: number, pieces: number): SimulatedEntry[] {
  return Array.from({ length: count }, (_, index) => ({ path: `file${index}`, version: "new", pieces }));
}

function shortIp(ip: string): string {
  return ip.replace("10.0.0.", "");
}

function shortEpoch(epoch: string): string {
  return epoch.replace(/^0+/, "");
}

/** Numbers that count up by one are written as the first and the last of them. */
function ranges(numbers: readonly number[]): string {
  const found: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const range = found.at(-1);
    if (range?.last === number - 1) range.last = number;
    else found.push({ first: number, last: number });
  }
  return found.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(" ");
}

const hex = (mask: number) => (mask >>> 0).toString(16);

function statusText(status: Status): string {
  const { phase, stamp, stagedBelow, windowEnd, inFlight, received } = status;
  const parts = [`phase ${phase} stamp ${stamp} staged ${stagedBelow} of ${windowEnd}`];
  parts.push(`in flight ${inFlight} received ${received}`);
  for (const { firstBlock, blocks } of status.missingRuns) parts.push(`run ${firstBlock}+${blocks}`);
  for (const { block, maskLow, maskHigh } of status.missingFragments)
    parts.push(`missing ${block}:${hex(maskHigh)}/${hex(maskLow)}`);
  for (const { block, entries: wanted } of status.wants)
    parts.push(`wants ${block}:${Buffer.from(wanted.bytes).toString("hex")}`);
  const { findings, worked, order, reason } = status;
  parts.push(`findings ${findings} worked ${worked} order ${order} ${reason}`);
  return parts.join(" ").trimEnd();
}

function messageText({ type, body }: ControlMessage): string {
  if (type === "exit") return type;
  if (type === "hello" || type === "alive") return type;
  if (type === "challenge") return `challenge ${body.nonce.slice(0, 6)}`;
  if (type === "response") return `response ${body.answer.slice(0, 6)} ${body.nonce.slice(0, 6)}`;
  if (type === "status") return `status ${shortEpoch(body.sender)}-${body.transfer} ${statusText(body)}`;
  if (type === "findings") {
    const { transfer, first, hasMore, findings } = body;
    return `findings ${transfer} ${first}+${findings.length}${hasMore ? " more" : ""}`;
  }
  if (type === "inquiry") return `inquiry ${body.transfer} from ${body.first}`;
  if (type === "progress") {
    const { transfer, sentBlocks, stamp, settledBelow, spreadMs } = body;
    const flags = `${body.final ? " final" : ""}${body.poll ? " poll" : ""}`;
    return `progress ${transfer} sent ${sentBlocks} stamp ${stamp} settled ${settledBelow} spread ${spreadMs}${flags}`;
  }
  const targets = body.targets.map(shortEpoch).join(" ");
  if (type === "offer") return `offer ${body.transfer}${body.dryRun ? " dry" : ""} to ${targets}`;
  if (type === "abort") return `abort ${body.transfer} to ${targets || "all"}: ${body.reason}`;
  return `${type} ${body.transfer} at ${body.order} to ${targets}`;
}

function eventText(event: NodeEvent): string {
  if (event.kind === "member-joined") return `joined: ${event.member.info.hostName}`;
  if (event.kind === "member-left") return `left: ${event.member.info.hostName}, ${event.reason}`;
  if (event.kind === "member-failed") return `failed: ${event.hostName}, ${event.reason}`;
  if (event.kind === "findings") return `findings of ${shortEpoch(event.epoch)}: ${event.findings.length}`;
  if (event.kind === "inbound-began")
    return `began: ${shortEpoch(event.key.epoch)}-${event.key.transfer} of ${event.hostName}${event.dryRun ? ", dry" : ""}`;
  if (event.kind === "inbound-ended")
    return `ended: ${shortEpoch(event.key.epoch)}-${event.key.transfer} ${event.outcome} ${event.reason}`;
  const { transfer, verdicts, aborted, sentFragments, repairedFragments } = event.result;
  const all = verdicts.map(({ hostName, outcome, reason }) => `${hostName} ${outcome} ${reason}`.trim());
  return `finished: ${transfer} sent ${sentFragments} repaired ${repairedFragments} aborted ${aborted}: ${all.join(", ")}`;
}
