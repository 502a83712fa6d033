import fs from "node:fs";
import path from "node:path";
import type { Host } from "../support/host.ts";
import { NamespaceFleet } from "../support/namespaces.ts";
import { sleep } from "../support/processes.ts";
import { clear, copy, difference, fill, fillBefore } from "./contents.ts";
import { whileInterruptible } from "./interruption.ts";
import { type Peer, receivers, sender } from "./peers/peer.ts";
import type { Network, Scenario } from "./scenario.ts";
import { busyShare, cpuSince, type CpuTime, cpuTime, type MachineTime, machineTime } from "./usage.ts";

/** What one push cost. */
export interface Cost {
  readonly ms: number;
  /** The share of the machine's CPUs that were busy meanwhile, 0 to 1. */
  readonly busy: number;
  /** The same just before the push, when nothing that takes part has anything to do. */
  readonly busyBefore: number;
  /** CPU time of the sending process, and of one receiving, where they run beyond the push. */
  readonly cpu?: ProcessCosts;
  /** What the sender has put on its link, in bytes. */
  readonly sentBytes?: number;
}

export interface ProcessCosts {
  readonly sender: CpuTime;
  readonly receiver: CpuTime;
}

export type Outcome = Cost | { readonly problem: string };

/** A fleet with its base directories on tmpfs; all of it is gone after the work. */
export async function withFleet<T>(
  network: Network,
  work: (fleet: NamespaceFleet) => Promise<T>,
  tmpfs = "2500m",
): Promise<T> {
  const { receivers: count, speedMbps, units } = network;
  const speed: { speed?: string } = speedMbps === undefined ? {} : { speed: `${speedMbps}mbit` };
  const fleet: NamespaceFleet = await NamespaceFleet.create({ hosts: count + 1, tmpfs, ...speed });
  return whileInterruptible(
    () => fleet.destroy(),
    async () => {
      if (units === "datagrams") await cutTrains(fleet.hosts);
      return work(fleet);
    },
  );
}

/** Puts the scenario's files on the sender. */
export function fillSender(fleet: NamespaceFleet, scenario: Scenario): void {
  fill(scenario.content, sender(fleet).base);
}

/** Measures one push of one peer; the receivers are empty again afterwards. */
export async function measure(fleet: NamespaceFleet, peer: Peer, scenario: Scenario): Promise<Outcome> {
  const problem: string | undefined = peer.problem(scenario);
  if (problem !== undefined) return { problem };
  try {
    if (scenario.content === "unchanged") await copyToAll(fleet);
    // Before anything is pushed: pushes that only make ready for the measured one meet the same network.
    if (isLossOfInterest(scenario))
      for (const host of receivers(fleet)) await fleet.lose(host, scenario.lossPercent);
    await peer.prepare(fleet, scenario);
    if (scenario.content === "moved") await copyBeforeMove(fleet);
    fillWithEarlier(fleet, scenario);
    const cost: Cost = await timed(fleet, peer, scenario);
    const wrong: string = await firstDifference(fleet);
    return wrong === "" ? cost : { problem: `what arrived differs: ${wrong}` };
  } catch (error) {
    return { problem: (error as Error).message.split("\n")[0] ?? "" };
  } finally {
    await peer.end(fleet);
    for (const host of receivers(fleet)) await fleet.loseNothing(host);
    for (const host of receivers(fleet)) await clear(host.base);
  }
}

/**
 * Whether there is a rule that drops packets, be it none of them: looking at every datagram takes time by itself, which
 * must not count as an effect of the loss.
 */
function isLossOfInterest({ lossPercent, units }: Scenario): boolean {
  return lossPercent > 0 || units === "datagrams";
}

/** How long the machine is watched before a push, and how busy it may be: the share of its CPUs. */
const WATCHED_MS = 400;
const QUIET = 0.1;
/** How long a push is put off while something else keeps the machine busy. */
const PATIENCE_MS = 10_000;

async function timed(fleet: NamespaceFleet, peer: Peer, scenario: Scenario): Promise<Cost> {
  const busyBefore: number = await untilQuiet();
  const pids: number[] = peer.processes?.(fleet) ?? [];
  const cpuBefore: CpuTime[] = pids.map(cpuTime);
  const bytesBefore: number = await sentBytes(fleet);
  const before: MachineTime = machineTime();
  const beganMs: number = performance.now();
  await peer.push(fleet, scenario);
  const ms: number = performance.now() - beganMs;
  const busy: number = busyShare(before);
  const [senderCpu, receiverCpu] = cpuBefore.map((then, index) => cpuSince(pids[index] ?? 0, then));
  const cost: Cost = { ms, busy, busyBefore, sentBytes: (await sentBytes(fleet)) - bytesBefore };
  if (senderCpu === undefined || receiverCpu === undefined) return cost;
  return { ...cost, cpu: { sender: senderCpu, receiver: receiverCpu } };
}

/** What the sender has put on its link up to now. */
async function sentBytes(fleet: NamespaceFleet): Promise<number> {
  const { stdout } = await sender(fleet).run("ip", ["-s", "-j", "link", "show", "dev", "eth0"]);
  const [link] = JSON.parse(stdout) as { stats64: { tx: { bytes: number } } }[];
  return link?.stats64.tx.bytes ?? 0;
}

/** Waits until the machine has nothing else to do, or patience is at its end; how busy it is then. */
async function untilQuiet(): Promise<number> {
  const endMs: number = performance.now() + PATIENCE_MS;
  for (;;) {
    const before: MachineTime = machineTime();
    await sleep(WATCHED_MS);
    const busy: number = busyShare(before);
    if (busy < QUIET || performance.now() > endMs) return busy;
  }
}

/** Lets the kernel cut trains before they are on the link, so that single datagrams can get lost. */
async function cutTrains(hosts: readonly Host[]): Promise<void> {
  const off: string[] = ["tx-udp-segmentation", "tso", "gso"].flatMap((feature) => [feature, "off"]);
  for (const host of hosts) {
    const { status, stderr } = await host.run("ethtool", ["-K", "eth0", ...off]);
    if (status !== 0) throw new Error(`ethtool: ${stderr}`);
  }
}

async function copyToAll(fleet: NamespaceFleet): Promise<void> {
  for (const host of receivers(fleet)) await copy(sender(fleet).base, host.base);
}

/** The receivers have another version of the file, or another file of its name. */
export function fillWithEarlier(fleet: NamespaceFleet, { content }: Scenario): void {
  if (content !== "edited" && content !== "unlike") return;
  for (const { base } of receivers(fleet)) fillBefore(content, base);
}

/** The receivers have all files, by the name that their directory had before it was moved. */
async function copyBeforeMove(fleet: NamespaceFleet): Promise<void> {
  await copyToAll(fleet);
  for (const host of receivers(fleet))
    for (const name of fs.readdirSync(host.base))
      fs.renameSync(path.join(host.base, name), path.join(host.base, `before-${name}`));
}

async function firstDifference(fleet: NamespaceFleet): Promise<string> {
  for (const host of receivers(fleet)) {
    const found: string = await difference(sender(fleet).base, host.base);
    if (found !== "") return found;
  }
  return "";
}
