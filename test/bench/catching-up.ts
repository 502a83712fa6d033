import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { becomesCurrent, push, start } from "../support/catching-up.ts";
import { shell } from "../support/command-scenarios.ts";
import { acquainted, type Host } from "../support/host.ts";
import { NamespaceFleet } from "../support/namespaces.ts";
import { median } from "./statistics.ts";

/**
 * The cost of catching up, measured in namespaces: how much longer a push of one small file takes, and how many bytes go over the
 * network when hosts come up together that lack a large push. Run as root, by `make bench-catch-up`.
 */

/** A push may take so much longer, in milliseconds. */
const MOST_SLOWER_MS = 3;

/** Hosts that come up together may cost so many times the bytes of one push. */
const MOST_TIMES = 1.3;

const { values } = parseArgs({
  options: {
    pushes: { type: "string", default: "60" },
    late: { type: "string", default: "16" },
    mb: { type: "string", default: "40" },
  },
});

/** Fleets of three hosts whose pushes are compared. */
const KINDS = ["yes", "no", "no log"] as const;
type Kind = (typeof KINDS)[number];

async function fleetOf(kind: Kind): Promise<NamespaceFleet> {
  const fleet = await NamespaceFleet.create({ hosts: 3 });
  const config = path.join(fleet.directory, "makuosan.conf");
  fs.writeFileSync(config, `catch-up = ${kind === "yes" ? "yes" : "no"}\n`);
  for (const host of fleet.hosts) {
    if (kind === "no log") await host.start();
    else await start(fleet, host, "--config", config);
  }
  await acquainted(fleet.hosts);
  return fleet;
}

/** How long one push of a small file takes, in milliseconds, as the daemon counts it. */
async function pushMs(host: Host, number: number): Promise<number> {
  await shell(host, `echo ${number} > file`);
  const { stdout } = await host.msync("--json", "file");
  const result = stdout.split("\n").find((line) => line.includes('"durationMs"'));
  if (result === undefined) throw new Error(`no result: ${stdout}`);
  return (JSON.parse(result) as { durationMs: number }).durationMs;
}

async function comparePushes(count: number): Promise<boolean> {
  const fleets = new Map<Kind, NamespaceFleet>();
  const rounds: Record<Kind, number>[] = [];
  try {
    for (const kind of KINDS) fleets.set(kind, await fleetOf(kind));
    // The first ones compile code, and are not counted. Each kind is the first one in its turn.
    for (let number = -5; number < count; number++) {
      const took = new Map<Kind, number>();
      for (const [index] of KINDS.entries()) {
        const kind = KINDS[(index + number + KINDS.length * 2) % KINDS.length]!;
        took.set(kind, await pushMs(fleets.get(kind)!.hosts[0]!, number));
      }
      if (number >= 0) rounds.push(Object.fromEntries(took) as Record<Kind, number>);
    }
  } finally {
    for (const fleet of fleets.values()) await fleet.destroy();
  }
  const of = (kind: Kind) => median(rounds.map((round) => round[kind])).toFixed(1);
  const slowerMs = median(rounds.map(({ yes, no }) => yes - no));
  console.log(
    `one small file to 2 members, median of ${count}: ${of("yes")} ms with catch-up = yes, ${of("no")} ms with no, ` +
      `${of("no log")} ms without a log; with yes it takes ${slowerMs.toFixed(1)} ms longer (limit: ${MOST_SLOWER_MS} ms)`,
  );
  return slowerMs <= MOST_SLOWER_MS;
}

/** All bytes that the hosts have sent. */
async function sentBytes(hosts: readonly Host[]): Promise<number> {
  let sum = 0;
  for (const host of hosts) {
    const { stdout } = await host.run("ip", ["-j", "-s", "link", "show", "eth0"]);
    const [link] = JSON.parse(stdout) as { stats64: { tx: { bytes: number } } }[];
    sum += link?.stats64.tx.bytes ?? 0;
  }
  return sum;
}

async function compareBytes(late: number, mb: number): Promise<boolean> {
  const fleet = await NamespaceFleet.create({ hosts: 2 + late });
  try {
    const [one, two, ...others] = fleet.hosts as [Host, Host, ...Host[]];
    await start(fleet, one);
    await start(fleet, two);
    await acquainted([one, two]);
    await shell(one, `head -c ${mb}000000 /dev/urandom > big`);
    await push(one, "big");
    const before = await sentBytes(fleet.hosts);
    const beganMs = performance.now();
    const readyMs: number[] = [];
    const startOne = async (host: Host) => {
      await start(fleet, host);
      readyMs.push(performance.now());
    };
    await Promise.all(others.map(startOne));
    for (const host of others) await becomesCurrent(host, one);
    const tookMs = performance.now() - beganMs;
    const brought = (await sentBytes(fleet.hosts)) - before;
    for (const host of others) sameFile(path.join(one.base, "big"), path.join(host.base, "big"));
    await shell(one, `head -c ${mb}000000 /dev/urandom > other`);
    const between = await sentBytes(fleet.hosts);
    await push(one, "other");
    const pushed = (await sentBytes(fleet.hosts)) - between;
    const times = brought / pushed;
    const transfers = [one, two].reduce(
      (sum, { log }) => sum + (log.match(/brings \d+ push/g) ?? []).length,
      0,
    );
    const startedMs = Math.max(...readyMs) - Math.min(...readyMs);
    console.log(
      `${late} hosts that come up together and lack ${mb} MB: ${(brought / 1e6).toFixed(1)} MB sent by all hosts, ` +
        `${times.toFixed(2)} times the ${(pushed / 1e6).toFixed(1)} MB of one push to them (limit: ${MOST_TIMES}), ` +
        `in ${transfers} transfers; they were ready within ${(startedMs / 1000).toFixed(1)} s, ` +
        `current ${(tookMs / 1000).toFixed(1)} s after the first start`,
    );
    return times <= MOST_TIMES;
  } finally {
    await fleet.destroy();
  }
}

function sameFile(one: string, other: string): void {
  if (!fs.readFileSync(one).equals(fs.readFileSync(other))) throw new Error(`${other} is another file`);
}

const areFast = await comparePushes(Number(values.pushes));
const areFew = await compareBytes(Number(values.late), Number(values.mb));
process.exitCode = areFast && areFew ? 0 : 1;
