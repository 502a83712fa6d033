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
  const took = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]));
  try {
    for (const kind of KINDS) fleets.set(kind, await fleetOf(kind));
    // The first ones compile code, and are not counted.
    for (let number = -5; number < count; number++)
      for (const [kind, fleet] of fleets) {
        const ms = await pushMs(fleet.hosts[0]!, number);
        if (number >= 0) took.get(kind)?.push(ms);
      }
  } finally {
    for (const fleet of fleets.values()) await fleet.destroy();
  }
  const [yes, no, none] = KINDS.map((kind) => median(took.get(kind) ?? [])) as [number, number, number];
  const shown = [yes, no, none].map((ms) => ms.toFixed(1));
  console.log(
    `one small file to 2 members, median of ${count}: ${shown[0]} ms with catch-up = yes, ${shown[1]} ms with no, ` +
      `${shown[2]} ms without a log (limit: ${MOST_SLOWER_MS} ms more)`,
  );
  return yes - no <= MOST_SLOWER_MS;
}

/** All bytes that the hosts have sent. */
async function sentBytes(hosts: readonly Host[]): Promise<number> {
  let sum = 0;
  for (const host of hosts)
    sum += Number((await host.run("cat", ["/sys/class/net/eth0/statistics/tx_bytes"])).stdout);
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
    // The interfaces of namespaces are of the process that looks.
    const before = await sentBytes(fleet.hosts);
    const beganMs = performance.now();
    await Promise.all(others.map((host) => start(fleet, host)));
    for (const host of others) await becomesCurrent(host, one);
    const tookMs = performance.now() - beganMs;
    const brought = (await sentBytes(fleet.hosts)) - before;
    for (const host of others) sameFile(path.join(one.base, "big"), path.join(host.base, "big"));
    await shell(one, `head -c ${mb}000000 /dev/urandom > other`);
    const between = await sentBytes(fleet.hosts);
    await push(one, "other");
    const pushed = (await sentBytes(fleet.hosts)) - between;
    const times = brought / pushed;
    console.log(
      `${late} hosts that come up together and lack ${mb} MB: ${(brought / 1e6).toFixed(1)} MB sent by all hosts, ` +
        `${times.toFixed(2)} times the ${(pushed / 1e6).toFixed(1)} MB of one push to them (limit: ${MOST_TIMES}), ` +
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
