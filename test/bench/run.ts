import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { run } from "../support/processes.ts";
import { makeFile, makeTree } from "../support/trees.ts";
import { Makuosan, type Peer, Rsync, Udpcast, Uftp } from "./peers.ts";

/**
 * `make bench`: how long makuosan and others take to bring the same files to many hosts, in turns in one run, on
 * tmpfs in namespaces. What arrived is compared. The figures of one machine mean little; their ratios do.
 */

const MIB = 1024 * 1024;

interface Scenario {
  readonly content: "big" | "tree" | "unchanged tree";
  readonly receivers: number;
  /** As tc wants it; undefined for as fast as the machine is. */
  readonly speed: string | undefined;
  readonly lossPercent: number;
}

interface Figure {
  readonly scenario: Scenario;
  readonly peer: string;
  readonly ms: readonly number[];
  readonly problem: string | undefined;
}

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    receivers: { type: "string", default: "4,16" },
    speed: { type: "string", default: "none,1gbit" },
    loss: { type: "string", default: "0,1,5" },
    rounds: { type: "string", default: "3" },
    json: { type: "string" },
  },
});

function scenarios(): Scenario[] {
  const receivers = options.quick ? [4] : options.receivers.split(",").map(Number);
  const speeds = (options.quick ? "none" : options.speed)
    .split(",")
    .map((one) => (one === "none" ? undefined : one));
  const losses = options.quick ? [0] : options.loss.split(",").map(Number);
  const all = receivers.flatMap((count) =>
    speeds.map((speed) => ({ receivers: count, speed, lossPercent: 0 })),
  );
  const plain = all.flatMap((one) => [
    { content: "big", ...one } as const,
    { content: "tree", ...one } as const,
    { content: "unchanged tree", ...one } as const,
  ]);
  const [first = 4] = receivers;
  const lossy = losses
    .filter((loss) => loss > 0)
    .map((lossPercent) => ({ content: "big", receivers: first, speed: undefined, lossPercent }) as const);
  return [...plain, ...lossy];
}

function peers(scenario: Scenario): Peer[] {
  const own = [new Makuosan("makuosan", []), new Makuosan("makuosan without offload", ["--no-offload"])];
  if (scenario.lossPercent > 0) return own;
  const uftpRates = scenario.speed === "1gbit" ? [800_000] : [400_000, 800_000];
  return [...own, new Rsync(), ...uftpRates.map((rate) => new Uftp(rate)), new Udpcast()];
}

function fill(scenario: Scenario, base: string): void {
  if (scenario.content === "big") makeFile(path.join(base, "big"), 256 * MIB);
  else makeTree(path.join(base, "tree"), 50, 100, 8000);
}

async function measure(scenario: Scenario, peer: Peer): Promise<{ ms: number } | { problem: string }> {
  const problem = await peer.problem(scenario.content === "big");
  if (problem !== undefined) return { problem };
  const fleet = await NamespaceFleet.create({
    hosts: scenario.receivers + 1,
    tmpfs: "700m",
    ...(scenario.speed === undefined ? {} : { speed: scenario.speed }),
  });
  try {
    fill(scenario, fleet.hosts[0]!.base);
    await peer.prepare(fleet);
    if (scenario.content === "unchanged tree") await peer.push(fleet);
    for (const host of fleet.hosts.slice(1)) await fleet.lose(host, scenario.lossPercent);
    const began = performance.now();
    await peer.push(fleet);
    const ms = performance.now() - began;
    const difference = await compare(fleet.hosts);
    return difference === "" ? { ms } : { problem: `what arrived differs: ${difference}` };
  } catch (error) {
    return { problem: (error as Error).message.split("\n")[0] ?? "" };
  } finally {
    await peer.end(fleet);
    await fleet.destroy();
  }
}

async function compare([sender, ...receivers]: readonly Host[]): Promise<string> {
  for (const receiver of receivers) {
    const { stdout } = await run("diff", ["-rq", "-x", ".makuosan", sender!.base, receiver.base]);
    if (stdout !== "") return stdout.split("\n")[0] ?? "";
  }
  return "";
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function title({ content, receivers, speed, lossPercent }: Scenario): string {
  return `${content}, ${receivers} receivers, ${speed ?? "unlimited"}, ${lossPercent} % loss`;
}

function report(scenario: Scenario, figures: readonly Figure[]): void {
  const own = median(figures[0]?.ms ?? []);
  console.log(`\n${title(scenario)}`);
  for (const { peer, ms, problem } of figures) {
    const text =
      ms.length === 0
        ? `skipped: ${problem}`
        : `${(median(ms) / 1000).toFixed(2).padStart(7)} s   ${(median(ms) / own).toFixed(2).padStart(6)} x makuosan`;
    console.log(`  ${peer.padEnd(28)} ${text}`);
  }
}

async function main(): Promise<void> {
  const problem = await namespaceProblem();
  if (problem !== undefined) {
    console.log(`skipped: ${problem}`);
    return;
  }
  if (process.getuid?.() === 0)
    await run("apt-get", ["install", "-y", "-qq", "rsync", "uftp", "udpcast"], { timeoutMs: 300_000 });
  const all: Figure[] = [];
  for (const scenario of scenarios()) {
    const figures = peers(scenario).map((peer) => ({
      scenario,
      peer: peer.name,
      ms: [] as number[],
      problem: "",
    }));
    for (let round = 0; round < (options.quick ? 1 : Number(options.rounds)); round++) {
      for (const [index, peer] of peers(scenario).entries()) {
        const outcome = await measure(scenario, peer);
        if ("ms" in outcome) figures[index]!.ms.push(outcome.ms);
        else figures[index]!.problem = outcome.problem;
      }
    }
    report(scenario, figures);
    all.push(...figures);
  }
  if (options.json !== undefined) fs.writeFileSync(options.json, `${JSON.stringify(all, null, 2)}\n`);
}

await main();
