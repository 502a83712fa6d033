import type { Host } from "../support/host.ts";
import { NamespaceFleet } from "../support/namespaces.ts";
import { clear, copy, difference, fill } from "./contents.ts";
import { whileInterruptible } from "./interruption.ts";
import { type Peer, receivers, sender } from "./peers/peer.ts";
import type { Scenario } from "./scenario.ts";

/** One push in a scenario: how long it took, or what went wrong. */
export type Outcome = { readonly ms: number } | { readonly problem: string };

/** A network for a scenario with its files at the sender, on tmpfs; everything is gone after the work. */
export async function withFleet<T>(
  scenario: Scenario,
  work: (fleet: NamespaceFleet) => Promise<T>,
  tmpfs = "700m",
): Promise<T> {
  const { receivers: count, speedMbps } = scenario;
  const speed: { speed?: string } = speedMbps === undefined ? {} : { speed: `${speedMbps}mbit` };
  const fleet: NamespaceFleet = await NamespaceFleet.create({ hosts: count + 1, tmpfs, ...speed });
  return whileInterruptible(
    () => fleet.destroy(),
    async () => {
      if (scenario.lost === "datagrams") await cutTrains(fleet.hosts);
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
    await peer.prepare(fleet, scenario);
    for (const host of receivers(fleet)) await fleet.lose(host, scenario.lossPercent);
    const beganMs: number = performance.now();
    await peer.push(fleet, scenario);
    const ms: number = performance.now() - beganMs;
    const wrong: string = await firstDifference(fleet);
    return wrong === "" ? { ms } : { problem: `what arrived differs: ${wrong}` };
  } catch (error) {
    return { problem: (error as Error).message.split("\n")[0] ?? "" };
  } finally {
    await peer.end(fleet);
    for (const host of receivers(fleet)) await fleet.lose(host, 0);
    for (const host of receivers(fleet)) await clear(host.base);
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

async function firstDifference(fleet: NamespaceFleet): Promise<string> {
  for (const host of receivers(fleet)) {
    const found: string = await difference(sender(fleet).base, host.base);
    if (found !== "") return found;
  }
  return "";
}
